// Custom resources of well-known products, as recorded ones and as nobody would write them: parts of several joined, with
// fields missing, null, zero, empty, or of another type. KINDS=CloneSet,apps.kruise.io/v1beta1 asks about those only.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AggregatedStatusItem } from "../../../../../api/work.ts";
import { isObject, type KubeObject } from "../../../../../kube/object.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import type { InterpreterInput } from "../../../interpreter-answer.ts";
import { judge } from "../../../karmada-cases.ts";
import { sameButForScript } from "../../../script-traces.ts";
import { answerThirdParty } from "../../../suites/interpreter-thirdparty.ts";
import type { Operation } from "../operation.ts";
import { batchFields } from "./batch-objects.ts";

type Json = Readonly<Record<string, unknown>>;
type Input = InterpreterInput & { readonly level: "thirdparty" };

/** What is recorded of one kind. */
interface Kind {
  /** Such as `ray.io/v1/RayJob`. */
  readonly name: string;
  readonly inputs: readonly InterpreterInput[];
  readonly objects: readonly KubeObject[];
  readonly statuses: readonly unknown[];
}

const FILE = join(import.meta.dirname, "..", "..", "..", "vectors", "karmada", "interpreter-thirdparty.json");
const GENERATION = "resourcetemplate.karmada.io/generation";

let loaded: readonly Kind[] | undefined;

function kinds(): readonly Kind[] {
  if (loaded !== undefined) return loaded;
  const byKind = new Map<string, InterpreterInput[]>();
  const wanted = process.env["KINDS"]?.split(",");
  // Recorded in this form.
  for (const { input } of JSON.parse(readFileSync(FILE, "utf8")) as { readonly input: InterpreterInput }[]) {
    const key = kindOf(input);
    if (wanted?.some((word) => key.includes(word)) === false) continue;
    byKind.set(key, [...(byKind.get(key) ?? []), input]);
  }
  loaded = [...byKind].map(([name, inputs]) => {
    const objects = inputs.flatMap(({ object, desired, observed }) =>
      [object, desired, observed].filter((one) => one !== undefined),
    );
    const ofMembers = inputs.flatMap(({ items }) => items ?? []).map(({ status }) => status);
    return { name, inputs, objects, statuses: [...ofMembers, ...objects.map((one) => one["status"])].filter(isObject) };
  });
  return loaded;
}

function kindOf({ object, desired }: InterpreterInput): string {
  const { apiVersion, kind } = object ?? desired ?? {};
  return `${apiVersion}/${kind}`;
}

/** One object with some fields as another of its kind has them, down to the third level. */
function joined(dice: Dice, one: unknown, other: unknown, depth: number): unknown {
  if (!isObject(one) || !isObject(other) || depth === 0) return dice.chance(0.3) ? other : one;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...keys].flatMap((key) => {
      const value = dice.chance(0.8)
        ? joined(dice, one[key] ?? other[key], other[key] ?? one[key], depth - 1)
        : one[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

const NOISE: readonly unknown[] = [null, {}, [], "", 0, 1, 2, 7, -1, 1.5, "3", "text", true, false];

/** Another value for a field: mostly of its own type. */
function altered(dice: Dice, value: unknown): unknown {
  if (dice.chance(0.1)) return dice.pick(NOISE);
  if (dice.chance(0.2)) return dice.pick([undefined, null]);
  if (typeof value === "number") return dice.pick([0, 1, 2, value + 1, value - 1, String(value), undefined]);
  if (typeof value === "string") return dice.pick(["", `${value}-other`, "True", "False", "Ready", undefined]);
  if (typeof value === "boolean") return !value;
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return dice.pick([[], value.slice(1), value.toReversed(), [...value, dice.pick(value)], undefined]);
  }
  return dice.pick([{}, undefined]);
}

/** The value with about `count` of the fields in it altered. */
function disturbed(dice: Dice, value: unknown, count: number): unknown {
  const fields = countFields(value);
  const share = fields === 0 ? 0 : count / fields;
  const walk = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map((item) => (isObject(item) || Array.isArray(item) ? walk(item) : item));
    if (!isObject(inner)) return inner;
    return Object.fromEntries(
      Object.entries(inner).flatMap(([key, field]) => {
        // Karmada decodes these into their type and writes what a required field lacks as an empty text.
        if (key === "matchExpressions") return [[key, field]];
        const other = dice.chance(share) ? altered(dice, field) : walk(field);
        return other === undefined ? [] : [[key, other]];
      }),
    );
  };
  return walk(value);
}

function countFields(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countFields(item), 0);
  if (!isObject(value)) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countFields(item), 0);
}

function randomObject(dice: Dice, kind: Kind): KubeObject {
  const one = dice.pick(kind.objects);
  const made = dice.chance(0.5) ? batchFields(dice, `${one.apiVersion}/${one.kind}`) : undefined;
  const mixed = (made ?? (dice.chance(0.5) ? joined(dice, one, dice.pick(kind.objects), 3) : one)) as Json;
  const spec = dice.chance(0.4) ? disturbed(dice, mixed["spec"], 2) : mixed["spec"];
  const status = dice.chance(0.15) ? undefined : randomStatus(dice, kind, mixed["status"]);
  const { name = "sample", namespace } = one.metadata;
  const generation = dice.pick([undefined, 1, 2, 3]);
  const annotation = dice.pick([undefined, "1", "2", "3", "no number"]);
  return {
    ...mixed,
    apiVersion: one.apiVersion,
    kind: one.kind,
    metadata: {
      ...one.metadata,
      name,
      ...(namespace === undefined || dice.chance(0.05) ? {} : { namespace }),
      ...(generation === undefined ? {} : { generation }),
      ...(annotation === undefined ? {} : { annotations: { ...one.metadata.annotations, [GENERATION]: annotation } }),
    },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

function randomStatus(dice: Dice, kind: Kind, own?: unknown): unknown {
  const made = own === undefined && dice.chance(0.5) ? batchFields(dice, kind.name)?.status : undefined;
  if (made !== undefined) return dice.chance(0.3) ? disturbed(dice, made, 1) : made;
  if (kind.statuses.length === 0) return own;
  const one = own !== undefined && dice.chance(0.5) ? own : dice.pick(kind.statuses);
  const mixed = dice.chance(0.5) ? joined(dice, one, dice.pick(kind.statuses), 2) : one;
  return dice.chance(0.6) ? disturbed(dice, mixed, dice.between(1, 3)) : mixed;
}

function randomItems(dice: Dice, kind: Kind, generation: number | undefined): AggregatedStatusItem[] | undefined {
  if (dice.chance(0.05)) return undefined;
  const isCurrent = dice.chance(0.5);
  return Array.from({ length: dice.pick([0, 1, 1, 2, 2, 3, 4]) }, (_, at) => {
    const clusterName = `member${at + 1}`;
    if (dice.chance(0.1)) return { clusterName };
    const status = randomStatus(dice, kind);
    if (!isObject(status)) return { clusterName };
    const current = { generation: 4, observedGeneration: 4, resourceTemplateGeneration: generation ?? 0 };
    return { clusterName, applied: true, status: isCurrent && dice.chance(0.9) ? { ...status, ...current } : status };
  });
}

function randomInput(dice: Dice, kind: Kind): Input {
  const { operation } = dice.pick(kind.inputs);
  const object = randomObject(dice, kind);
  if (operation === "Retain") {
    // An object of the scripts may or may not survive nulls in it, and a server does not store them.
    const observed = withoutNulls(randomObject(dice, kind)) as KubeObject;
    return {
      level: "thirdparty",
      operation,
      desired: withoutNulls(object) as KubeObject,
      observed: { ...observed, metadata: object.metadata },
    };
  }
  if (operation === "ReviseReplica") {
    const stored = withoutNulls(object) as KubeObject;
    return { level: "thirdparty", operation, object: stored, replica: dice.between(0, 9) };
  }
  if (operation !== "AggregateStatus") return { level: "thirdparty", operation, object };
  const items = randomItems(dice, kind, object.metadata.generation);
  return { level: "thirdparty", operation, object, ...(items === undefined ? {} : { items }) };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}

export const interpretThirdPartyOperation: Operation<Input> = {
  op: "interpret",
  name: "interpret-thirdparty",
  file: "interpreter-thirdparty.json",

  ask: (dice) => Array.from({ length: 40 }, () => ({ input: randomInput(dice, dice.pick(kinds())) })),

  judge: (recorded) => judge(recorded, answerThirdParty, sameButForScript),

  // Fields that the shrinking takes from what every object has would make others of it.
  isSensible: (input) =>
    input.level === "thirdparty" &&
    (input.object ?? input.desired)?.metadata?.name !== undefined &&
    (input.operation !== "Retain" || input.observed?.metadata !== undefined) &&
    (input.items ?? []).every(({ clusterName }) => typeof clusterName === "string") &&
    kinds().some(({ inputs }) =>
      inputs.some((one) => one.operation === input.operation && kindOf(one) === kindOf(input)),
    ),

  tags: ({ input }) => [input.operation, kindOf(input)],

  understood: ({ input, expected }) => {
    const crash = isObject(expected) ? expected["error"] : undefined;
    if (typeof crash === "string") {
      if (/fail to convert lua value|json unmarshal obj failed/.test(crash)) {
        return "Karmada decodes fields into their types that we do not read";
      }
      if (/context deadline exceeded/.test(crash)) return "Karmada's script was not done within its second";
      return /dependency can not leave name/.test(crash) ? "a reference without a name is none to us" : undefined;
    }
    try {
      answerThirdParty(input);
    } catch (error) {
      if (isObject(error) && error["code"] === "interpreter-field-malformed")
        return "a field of another type, which we name";
    }
    return undefined;
  },
};
