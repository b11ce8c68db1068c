// Objects with every kind of value and emptiness, through scripts that copy, drop, empty, add up and return what they should
// and should not.
import type { CustomizationRules, ResourceInterpreterCustomization } from "../../../../../api/config.ts";
import { CUSTOMIZATION_OPERATIONS } from "../../../../../api/config.ts";
import type { AggregatedStatusItem } from "../../../../../api/work.ts";
import { equalJson, isObject, type KubeObject } from "../../../../../kube/object.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerByCustomizations, type CustomInput, withoutNullLists } from "../../../suites/interpreter-custom.ts";
import type { Operation } from "../operation.ts";

type Input = CustomInput & { readonly level: "custom" };

const FIELDS = ["a", "b", "list", "map", "items", "x-y", "dotted.name"] as const;
const SCALARS: readonly unknown[] = [
  0,
  1,
  -1,
  3,
  1.5,
  -0.25,
  1e21,
  9007199254740991,
  123456789012,
  "",
  "text",
  "3",
  "1.50",
  "250m",
  "1Gi",
  "a,b,c",
  "ü€",
  true,
  false,
  null,
];

function randomValue(dice: Dice, depth: number): unknown {
  const roll = dice.next();
  if (depth === 0 || roll < 0.45) return dice.pick(SCALARS);
  if (roll < 0.6) return dice.pick([{}, []]);
  if (roll < 0.8) return randomMap(dice, depth - 1);
  return Array.from({ length: dice.between(1, 3) }, () => randomValue(dice, depth - 1));
}

function randomMap(dice: Dice, depth: number): Record<string, unknown> {
  return Object.fromEntries(dice.some(FIELDS, 0.45).map((key) => [key, randomValue(dice, depth)]));
}

function randomObject(dice: Dice): KubeObject {
  return {
    apiVersion: "acme.dev/v1",
    kind: "Machine",
    metadata: {
      name: "press",
      ...(dice.chance(0.8) ? { namespace: "shop" } : {}),
      ...(dice.chance(0.3) ? { labels: dice.pick([{}, { app: "press" }]) } : {}),
      ...(dice.chance(0.2) ? { annotations: {} } : {}),
      ...(dice.chance(0.3) ? { generation: dice.between(1, 4) } : {}),
    },
    ...(dice.chance(0.95) ? { spec: randomMap(dice, 3) } : {}),
    ...(dice.chance(0.5) ? { status: randomMap(dice, 2) } : {}),
  };
}

function randomItems(dice: Dice): AggregatedStatusItem[] {
  return Array.from({ length: dice.between(0, 3) }, (_, index) => ({
    clusterName: `member${index + 1}`,
    ...(dice.chance(0.8) ? { status: randomMap(dice, 2) } : {}),
    ...(dice.chance(0.8) ? { applied: true } : { appliedMessage: "no" }),
    health: dice.pick(["Healthy", "Unhealthy", "Unknown"] as const),
  }));
}

/** A place in an object; `s` is its spec, or an empty table. */
function place(dice: Dice): string {
  const field = (): string => `["${dice.pick(FIELDS)}"]`;
  return dice.pick([
    `s${field()}`,
    `s${field()}`,
    `s${field()}${field()}`,
    `o.metadata.labels`,
    `o.status`,
    `s${field()}[1]`,
  ]);
}

/** An expression; those that may fail stand in `(function() ... end)()`-free form, so that errors are part of the answer. */
function expression(dice: Dice, depth = 2): string {
  const inner = (): string => expression(dice, depth - 1);
  const roll = dice.next();
  if (depth === 0 || roll < 0.3) {
    return dice.pick([
      "nil",
      "true",
      "false",
      "0",
      "1",
      "2.5",
      "-3",
      "1e21",
      "2^53",
      '""',
      '"text"',
      '"250m"',
      "{}",
      "s",
      "o",
      place(dice),
    ]);
  }
  if (roll < 0.4) return `{${inner()}, ${inner()}}`;
  if (roll < 0.55)
    return `{${dice
      .some(FIELDS, 0.4)
      .map((key) => `["${key}"] = ${inner()}`)
      .join(", ")}}`;
  if (roll < 0.6)
    return dice.pick([`{${inner()}, a = ${inner()}}`, `{[2] = ${inner()}}`, `{[0] = 1}`, `{[true] = 1}`, `{print}`]);
  if (roll < 0.7) return `(${inner()} ${dice.pick(["or", "and"])} ${inner()})`;
  if (roll < 0.78)
    return `(${inner()} ${dice.pick(["+", "-", "*", "/", "%", "..", "==", "~=", "<", "<="])} ${inner()})`;
  if (roll < 0.84)
    return `${dice.pick(["tostring", "tonumber", "type", "math.floor", "string.upper", "string.len", "#"])}(${inner()})`;
  if (roll < 0.9)
    return dice.pick([`kube.resourceAdd(${inner()}, ${inner()})`, `kube.getResourceQuantity(${inner()})`]);
  return place(dice);
}

function statement(dice: Dice): string {
  const roll = dice.next();
  if (roll < 0.35) return `s["${dice.pick(FIELDS)}"] = ${expression(dice)}`;
  if (roll < 0.5) return `if ${place(dice)} ~= nil then s["${dice.pick(FIELDS)}"] = ${place(dice)} end`;
  if (roll < 0.6) return `s["${dice.pick(FIELDS)}"] = {}`;
  if (roll < 0.7) return `s["${dice.pick(FIELDS)}"] = nil`;
  if (roll < 0.8) return `if type(s.list) == "table" then table.insert(s.list, ${expression(dice, 1)}) end`;
  if (roll < 0.85) return `if type(s.items) == "table" then table.remove(s.items) end`;
  if (roll < 0.9) return `for i, v in ipairs(type(s.items) == "table" and s.items or {}) do s.a = v end`;
  return `local v = ${expression(dice)}`;
}

function requirements(dice: Dice): string {
  const fields = [
    `nodeClaim = ${dice.pick(["{}", '{nodeSelector = {zone = "a"}}', "{nodeSelector = {}}", '{tolerations = {{key = "k", tolerationSeconds = 5}}}', "{nodeSelector = {zone = 1}}", expression(dice, 1)])}`,
    `resourceRequest = ${dice.pick(["{}", '{cpu = "1000m", memory = "1024Mi"}', "{cpu = 1.5}", '{cpu = "x"}', expression(dice, 1)])}`,
    `namespace = ${dice.pick(['"shop"', '""', expression(dice, 0)])}`,
    `priorityClassName = ${dice.pick(['"high"', expression(dice, 0)])}`,
    "other = 1",
  ];
  return `{${dice.some(fields, 0.3).join(", ")}}`;
}

function dependency(dice: Dice): string {
  const fields = [
    `apiVersion = ${dice.chance(0.95) ? '"v1"' : expression(dice, 0)}`,
    `kind = ${dice.pick(['"Secret"', '"ConfigMap"'])}`,
    `namespace = ${dice.pick(["o.metadata.namespace", '"shop"', '""'])}`,
    ...(dice.chance(0.85) ? [`name = ${dice.pick(['"one"', '"two"', "o.metadata.name", place(dice)])}`] : []),
    ...(dice.chance(0.15)
      ? [
          `labelSelector = ${dice.pick(["{}", '{matchLabels = {a = "b"}}', '{matchExpressions = {{key = "a", operator = "Exists"}}}'])}`,
        ]
      : []),
  ];
  return `{${fields.join(", ")}}`;
}

function listOf(dice: Dice, item: () => string): string {
  return `{${Array.from({ length: dice.between(0, 3) }, item).join(", ")}}`;
}

/** What the function of an operation returns, mostly of the right type. */
function returned(dice: Dice, rule: keyof CustomizationRules): string {
  if (dice.chance(0.08)) return expression(dice);
  switch (rule) {
    case "replicaResource": {
      const count = dice.pick(["3", "2.7", "0", "-1", "s.a", "s.a or 1", "3e9", "math.ceil(1.2)", expression(dice, 1)]);
      return dice.chance(0.6)
        ? `${count}, ${requirements(dice)}`
        : `${count}, ${dice.pick(["nil", "kube.accuratePodRequirements(s)"])}`;
    }
    case "componentResource":
      return listOf(
        dice,
        () =>
          `{name = ${dice.pick(['"main"', '"side"', "s.a"])}, replicas = ${dice.pick(["1", "3", "s.b", "1.5"])}${dice.chance(0.5) ? `, replicaRequirements = ${requirements(dice)}` : ""}}`,
      );
    case "statusReflection":
      return dice.pick([
        "o.status",
        "s",
        "{}",
        `{a = ${expression(dice)}, b = o.status}`,
        `{["${dice.pick(FIELDS)}"] = ${expression(dice)}}`,
      ]);
    case "healthInterpretation":
      return dice.pick(["true", "false", "s.a == 1", "o.status ~= nil", expression(dice, 1)]);
    case "dependencyInterpretation":
      return dice.chance(0.1)
        ? "kube.getPodDependencies(s, o.metadata.namespace)"
        : listOf(dice, () => dependency(dice));
    default:
      return dice.chance(0.9) ? "o" : dice.pick(["{}", '{kind = "Machine"}', "s", "{o}"]);
  }
}

/** Beside others: as Karmada runs them in one environment, a function that one lacks may be another's. */
function script(dice: Dice, rule: keyof CustomizationRules, functionName: string, isAlone: boolean): string {
  const body = Array.from({ length: dice.between(0, 3) }, () => `  ${statement(dice)}`);
  if (rule === "statusAggregation") {
    body.push(
      dice.pick([
        "  o.status = {items = p}",
        "  for i = 1, #p do if p[i].status ~= nil then s.a = p[i].status.a end end",
        "  o.status = {count = p and #p, health = p and p[1] and p[1].health}",
        "  o.status = {}",
      ]),
    );
  }
  if (rule === "retention")
    body.push(dice.pick(["  o.spec = p.spec", "  s.a = p.spec and p.spec.a", "  o.status = p.status", ""]));
  if (rule === "replicaRevision") body.push(dice.pick(["  s.a = p", "  s.a = p / 2", "  s.b = {p, p}", ""]));
  const name = !isAlone || dice.chance(0.97) ? functionName : "Other";
  return [
    'local kube = require("kube")',
    `function ${name}(o, p)`,
    "  local s = o.spec or {}",
    ...body.filter((line) => line !== ""),
    `  return ${returned(dice, rule)}`,
    "end",
  ].join("\n");
}

function randomCustomizations(
  dice: Dice,
  rule: keyof CustomizationRules,
  functionName: string,
): ResourceInterpreterCustomization[] {
  const count = dice.chance(0.75) ? 1 : 2;
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: "config.karmada.io/v1alpha1",
    kind: "ResourceInterpreterCustomization" as const,
    metadata: { name: `machine-${count - index}` },
    spec: {
      target: { apiVersion: "acme.dev/v1", kind: index === 0 || dice.chance(0.8) ? "Machine" : "Other" },
      customizations: { [rule]: { luaScript: dice.chance(0.95) ? script(dice, rule, functionName, count === 1) : "" } },
    },
  }));
}

function randomInput(dice: Dice): Input {
  const { rule, operation, functionName } = dice.pick(CUSTOMIZATION_OPERATIONS);
  const object = randomObject(dice);
  const common = {
    level: "custom" as const,
    operation,
    customizations: randomCustomizations(dice, rule, functionName),
  };
  if (operation === "Retain")
    return { ...common, desired: object, observed: { ...randomObject(dice), metadata: object.metadata } };
  if (operation === "ReviseReplica") return { ...common, object, replica: dice.between(0, 9) };
  if (operation !== "AggregateStatus") return { ...common, object };
  return { ...common, object, ...(dice.chance(0.1) ? {} : { items: randomItems(dice) }) };
}

export const interpretCustomOperation: Operation<Input> = {
  op: "interpret",
  name: "interpret-custom",
  file: "interpreter-custom.json",

  ask: (dice) => Array.from({ length: 20 }, () => ({ input: randomInput(dice) })),

  judge: (recorded) => judge(recorded, answerByCustomizations, withoutNullLists),

  isSensible: (input) =>
    input.level === "custom" &&
    (input.object ?? input.desired)?.metadata?.name !== undefined &&
    (input.object ?? input.desired)?.apiVersion !== undefined &&
    (input.operation !== "Retain" || input.observed?.metadata !== undefined) &&
    (input.items ?? []).every(({ clusterName }) => typeof clusterName === "string") &&
    (input.customizations ?? []).every(
      ({ metadata, spec }) =>
        metadata?.name !== undefined && spec?.target?.kind !== undefined && isObject(spec.customizations),
    ),

  tags: ({ input }) => [input.operation, ...(input.customizations.length > 1 ? ["merged"] : [])],

  understood: ({ input, expected }) => {
    if (!isObject(expected)) return undefined;
    if (expected["status"] === null) return "no script at all, where the oracle asks no other level";
    if (Array.isArray(expected["status"])) return "a list as a status, which a server refuses";
    if (/(?:table|function|builtin): 0x/.test(JSON.stringify(expected))) return "the address of a table";
    const lists = "empty elements of a list, which go in any order";
    if (/cannot unmarshal array into Go (?:value|struct field)/.test(String(expected["error"]))) {
      return input.operation === "InterpretComponent" ? lists : undefined;
    }
    const { object, desired, observed, items } = input;
    // Karmada takes them out one by one, by the places that they had before the first was gone.
    if ([object, desired, observed, items].some(holdsEmptyElements)) return lists;
    return JSON.stringify(expected).includes("[") && sameButForEmpties(input, expected) ? lists : undefined;
  },
};

function holdsEmptyElements(value: unknown): boolean {
  if (Array.isArray(value)) return value.filter(isEmpty).length > 1 || value.some(holdsEmptyElements);
  return isObject(value) && Object.values(value).some(holdsEmptyElements);
}

function sameButForEmpties(input: Input, expected: unknown): boolean {
  try {
    return equalJson(withoutEmpties(answerByCustomizations(input)), withoutEmpties(expected));
  } catch {
    return false;
  }
}

function withoutEmpties(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpties).filter((item) => !isEmpty(item));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).map(([key, field]) => [key, withoutEmpties(field)] as const);
  return Object.fromEntries(kept.filter(([, field]) => !isEmpty(field)));
}

/** As Lua sees it, where null is nothing. */
function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((item) => item === null);
}
