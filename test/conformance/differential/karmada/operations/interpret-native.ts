// The built-in rules, asked about objects as members report them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AggregatedStatusItem } from "../../../../../api/work.ts";
import type { KubeObject } from "../../../../../kube/object.ts";
import type { InterpreterOperation } from "../../../../../reconciler/interpreter/interpreter.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { pruneObject } from "../../../../../reconciler/works/prune.ts";
import { AppError } from "../../../../../runtime/errors.ts";
import { randomItems, randomObserved, withOddity } from "../../../../random/statuses.ts";
import type { InterpreterInput } from "../../../interpreter-answer.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerNative, comparableNative } from "../../../suites/interpreter-native.ts";
import type { Operation } from "../operation.ts";

interface NativeInput extends InterpreterInput {
  readonly level: "native";
}

const OPERATIONS: readonly InterpreterOperation[] = [
  "InterpretStatus",
  "InterpretStatus",
  "InterpretHealth",
  "InterpretHealth",
  "AggregateStatus",
  "AggregateStatus",
  "AggregateStatus",
  "Retain",
  "InterpretReplica",
  "ReviseReplica",
  "InterpretDependency",
];

/** A share of questions is about what nobody should have written. */
const ODD_SHARE = 0.25;

function odd(dice: Dice, object: KubeObject): KubeObject {
  const fields = Object.keys(object).filter((key) => !["apiVersion", "kind", "metadata"].includes(key));
  if (fields.length === 0 || !dice.chance(ODD_SHARE)) return object;
  const field = dice.chance(0.8) && object["status"] !== undefined ? "status" : dice.pick(fields);
  return { ...object, [field]: withOddity(dice, object[field]) };
}

function oddItems(dice: Dice, items: readonly AggregatedStatusItem[]): AggregatedStatusItem[] {
  return items.map((item) => {
    if (item.status === undefined || !dice.chance(ODD_SHARE / 2)) return item;
    const status = withOddity(dice, item.status);
    return { ...item, status: status as NonNullable<AggregatedStatusItem["status"]> };
  });
}

/** How decoders say that a value is not of the type that a field has. */
const WRONG_TYPE =
  /unrecognized type|cannot (restore|convert|unmarshal)|parsing time|quantities must match|accessor error|out of range/;

function isRefused(input: NativeInput): boolean {
  try {
    answerNative(input);
    return false;
  } catch (error) {
    return error instanceof AppError && error.code === "interpreter-field-malformed";
  }
}

/** The question that an operation makes of two objects of one kind, and of what members say. */
function question(
  dice: Dice,
  operation: InterpreterOperation,
  object: KubeObject,
  other: KubeObject,
  items: readonly AggregatedStatusItem[],
): NativeInput {
  const asked = { level: "native", operation } as const;
  switch (operation) {
    case "Retain":
      return { ...asked, desired: pruneObject(object), observed: odd(dice, other) };
    case "ReviseReplica":
      return { ...asked, object, replica: dice.pick([0, 1, 7]) };
    case "AggregateStatus":
      return { ...asked, object, items: oddItems(dice, items) };
    default:
      return { ...asked, object: odd(dice, object) };
  }
}

export const interpretNativeOperation: Operation<NativeInput> = {
  op: "interpret",
  name: "interpret-native",
  file: "interpreter-native.json",

  ask: (dice) =>
    Array.from({ length: 40 }, () => {
      const object = randomObserved(dice);
      const other = randomObserved(dice, object.kind);
      const operation = dice.pick(OPERATIONS);
      return { input: question(dice, operation, object, other, randomItems(dice, object.kind)) };
    }),

  judge: (recorded) => judge(recorded, answerNative, comparableNative),

  understood: (recorded) => {
    // The form in which errors are recorded.
    const theirs = (recorded.expected as { readonly error?: string } | undefined)?.error;
    if (theirs !== undefined && WRONG_TYPE.test(theirs))
      return "Karmada refuses a wrong type in fields that no rule reads";
    if (/[0-9]{10}/.test(JSON.stringify(recorded.input))) return "Karmada cuts counts down to 32 bits";
    return isRefused(recorded.input) ? "we refuse a wrong type in a field that Karmada reads over" : undefined;
  },

  isSensible: ({ object, desired, observed, operation, level }) =>
    level === "native" &&
    operation !== undefined &&
    [object, desired, observed].every(
      (one) =>
        one === undefined || (one.apiVersion !== undefined && one.kind !== undefined && one.metadata !== undefined),
    ) &&
    (operation === "Retain" ? desired !== undefined && observed !== undefined : object !== undefined),

  tags: ({ input }, { expected }) => {
    const kind = (input.object ?? input.desired)?.kind ?? "";
    const failed = typeof expected === "object" && expected !== null && "error" in expected;
    return [kind, input.operation.toLowerCase(), `${kind}-${input.operation}`, failed ? "error" : "answer"];
  },
};

const VECTORS = join(import.meta.dirname, "..", "..", "..", "vectors", "karmada");

let recordedInputs: readonly InterpreterInput[] | undefined;

/** Objects, and reported statuses, of recorded questions about one kind, in company they never had. */
export function askRecombinedNative(dice: Dice): { input: NativeInput }[] {
  recordedInputs ??= (
    JSON.parse(readFileSync(join(VECTORS, "interpreter-native.json"), "utf8")) as { input: InterpreterInput }[]
  ).map(({ input }) => input);
  const inputs = recordedInputs;
  return Array.from({ length: 40 }, () => {
    const first = dice.pick(inputs);
    const kind = (first.object ?? first.desired)?.kind;
    const alike = inputs.filter((input) => (input.object ?? input.desired)?.kind === kind);
    const objects = alike.flatMap(({ object, desired, observed }) =>
      [object, desired, observed].filter((one) => !!one),
    );
    const own = objects.flatMap((one) => (one["status"] === undefined ? [] : [one["status"]]));
    const statuses = [...own, ...alike.flatMap(({ items = [] }) => items.map((item) => item.status))];
    const operation = dice.chance(0.5) ? first.operation : dice.pick(OPERATIONS);
    const pick = (): KubeObject => {
      const object = dice.pick(objects);
      const { status: _status, ...rest } = object;
      // What a member reports is no status that a template could have.
      const status = operation !== "AggregateStatus" && dice.chance(0.5) ? dice.pick(own) : object["status"];
      return structuredClone(status == null ? rest : { ...rest, status }) as KubeObject;
    };
    const items = Array.from({ length: dice.between(0, 6) }, (_, i) => ({
      clusterName: `member${i}`,
      // Recorded in this form.
      status: (statuses.length === 0 ? undefined : structuredClone(dice.pick(statuses))) as never,
      applied: true,
      health: "Healthy" as const,
    }));
    return { input: question(dice, operation, pick(), pick(), items) };
  });
}
