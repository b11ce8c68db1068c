// Karmada's rules for custom resources are scripts. A table of theirs loses nulls, and with them what the script had no
// use for: an aggregated object comes back without its empty fields, in some kinds without its spec. Only the status is
// then written.
import { isObject } from "../../kube/object.ts";
import { differences } from "./compare.ts";
import type { InterpreterInput } from "./interpreter-answer.ts";
import type { Comparable } from "./karmada-cases.ts";

const DEVIATION = "the template beside its status is left as its author wrote it; the script loses fields of it";
const NULLS =
  "nulls, and what holds nothing else, count as absent; the script or Go's encoding turns them into another form";

/**
 * What scripts die of when they meet an object without the fields they expect, or with others; and what becomes of several
 * empty objects in one list, which come back as lists.
 */
const CRASHES: readonly RegExp[] = [
  /json: cannot unmarshal array into Go struct field/,
  /attempt to (?:index|call|compare|concatenate|perform arithmetic|get length)/,
  /__len undefined/,
  /cannot perform .* operation/,
  /table index is nil/,
  /expect the returned .* type is table but got nil/,
  /result type \d+ is not (?:number|bool)/,
  /bad argument #\d+ to \w+ \((?:table expected, got nil|string expected, got number|number expected, got string)\)/,
];

/**
 * Holds our answer against that of a script: where the script died any answer will do; an aggregated object must be the
 * template with the script's status; nulls are as good as absent in the other objects; components of an MPIJob come in
 * the random order of a table.
 */
export function sameButForScript(input: InterpreterInput, expected: unknown, actual: unknown): Comparable {
  if (!isObject(expected) || !isObject(actual)) return { expected, actual };
  const crash = typeof expected["error"] === "string" ? expected["error"] : undefined;
  if (crash !== undefined) {
    const isAnswer = actual["error"] === undefined;
    return isAnswer && CRASHES.some((pattern) => pattern.test(crash))
      ? { expected, actual: expected, deviates: `Karmada's script fails (${crash.split("\n", 1)[0]}); ours answers` }
      : { expected, actual };
  }
  const [names, ours] = [expected["components"], actual["components"]];
  if (Array.isArray(names) && Array.isArray(ours) && input.object?.kind === "MPIJob") {
    return { expected: { components: byName(names) }, actual: { components: byName(ours) } };
  }
  const want = expected["object"];
  if (actual["error"] !== undefined) return { expected, actual };
  if (!isObject(want)) return toldOfNulls({ expected, actual }, { expected: withNilTerms(expected), actual });
  if (input.operation !== "AggregateStatus") {
    return toldOfNulls({ expected, actual }, { expected: withoutNulls(expected), actual: withoutNulls(actual) });
  }
  if (input.object === undefined) return { expected, actual };
  const { status: _old, ...rest } = input.object;
  const status = want["status"];
  const template = { ...expected, object: { ...rest, ...(status === undefined ? {} : { status }) } };
  const comparable = { expected: withoutNulls(template), actual: withoutNulls(actual) };
  return differences(comparable.expected, withoutNulls(expected)).length === 0
    ? comparable
    : { ...comparable, deviates: DEVIATION };
}

/** Says of a case that it deviates when only leaving out nulls makes the answers equal. */
function toldOfNulls(plain: Comparable, compared: Comparable): Comparable {
  const same = (a: unknown, b: unknown): boolean => differences(a, b).length === 0;
  const isUntouched = same(plain.expected, compared.expected) && same(plain.actual, compared.actual);
  return isUntouched || same(plain.expected, plain.actual) ? plain : { ...compared, deviates: NULLS };
}

/** A node selector without terms has an empty list of them; Go writes null. */
function withNilTerms(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNilTerms);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "nodeSelectorTerms" && inner === null ? [] : withNilTerms(inner),
    ]),
  );
}

/** Without nulls, and without lists and objects that hold nothing else. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isNothing(item)).map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => !isNothing(inner))
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

function byName(components: readonly unknown[]): readonly unknown[] {
  const nameOf = (component: unknown): string => (isObject(component) ? String(component["name"]) : "");
  return components.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function isNothing(value: unknown): boolean {
  if (value === null) return true;
  const inner = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
  return inner.length > 0 && inner.every((one) => one === null);
}
