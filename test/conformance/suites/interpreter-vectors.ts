// Cases of third-party kinds as Karmada's own tests have them: a tree of YAML files with documents of the form
// `{name, desiredObj, observedObj, statusItems, inputReplicas, operation, output}`.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AggregatedStatusItem } from "../../../api/work.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { addQuantities, formatQuantity, parseQuantity, ZERO_QUANTITY } from "../../../kube/quantity.ts";
import { parseYamlDocuments } from "../../../kube/yaml.ts";
import type { InterpreterOperation } from "../../../reconciler/interpreter/interpreter.ts";
import { rulesLevel } from "../../../reconciler/interpreter/kind-rules.ts";
import { createInterpreter } from "../../../reconciler/interpreter/levels.ts";
import { nativeLevel } from "../../../reconciler/interpreter/native.ts";
import { THIRD_PARTY_RULES } from "../../../reconciler/interpreter/third-party/third-party.ts";
import { type InterpreterInput, interpreterAnswer } from "../interpreter-answer.ts";
import { judge } from "../karmada-cases.ts";
import { sameButForScript } from "../script-traces.ts";
import { isChosen, type Suite } from "../suite.ts";

interface YamlCase {
  readonly name: string;
  readonly desiredObj?: KubeObject;
  readonly observedObj?: KubeObject;
  readonly statusItems?: readonly AggregatedStatusItem[];
  readonly inputReplicas?: number;
  readonly operation: InterpreterOperation;
  readonly output: Readonly<Record<string, unknown>>;
}

const interpreter = createInterpreter({ thirdParty: rulesLevel(THIRD_PARTY_RULES), native: nativeLevel() });

/** A field whose value depends on the clock. */
const EXCLUDED = "{{EXCLUDE}}";

/** Names of results in the files, and in our answers. */
const RESULTS: Readonly<Record<string, string>> = {
  replica: "replicas",
  requires: "requirements",
  revised: "object",
  retained: "object",
  aggregatedStatus: "object",
};

/** Lists of results that are compared as sets. */
const SETS: readonly string[] = ["dependencies", "components"];

function questionOf(input: YamlCase): InterpreterInput {
  const object = input.desiredObj ?? input.observedObj;
  return {
    operation: input.operation,
    ...(object === undefined ? {} : { object }),
    ...(input.observedObj === undefined ? {} : { observed: input.observedObj }),
    ...(input.statusItems == null ? {} : { items: input.statusItems }),
    replica: input.inputReplicas ?? 0,
  };
}

function answer(input: YamlCase): Record<string, unknown> {
  return interpreterAnswer(interpreter, questionOf(input)) as Record<string, unknown>;
}

function expectedOf(output: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(output).map(([name, value]) => [RESULTS[name] ?? name, value]));
}

/** What the files promise and no more: results that they name, without fields of the clock, quantities in one form. */
function comparable(value: Readonly<Record<string, unknown>>, wanted: Readonly<Record<string, unknown>>): unknown {
  const compared = Object.keys(wanted).map((name) => {
    const plain = canonical(withoutExcluded(value[name], wanted[name]));
    return [name, SETS.includes(name) && Array.isArray(plain) ? [...plain].sort(byText) : plain];
  });
  return Object.fromEntries(compared);
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function withoutExcluded(value: unknown, wanted: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => withoutExcluded(item, Array.isArray(wanted) ? wanted[index] : undefined));
  }
  if (!isObject(value)) return value;
  const pattern = isObject(wanted) ? wanted : {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => pattern[key] !== EXCLUDED)
      .map(([key, inner]) => [key, withoutExcluded(inner, pattern[key])]),
  );
}

/** Keys in order, and requests of resources in canonical form. */
function canonical(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => canonical(item));
  if (value === null) return undefined;
  if (!isObject(value)) return value;
  const quantities = key === "resourceRequest";
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((inner) => [inner, quantities ? quantityText(value[inner]) : canonical(value[inner], inner)]),
  );
}

/** One text for one value: `2.048`, which Kubernetes keeps as it was written, is `2048m`. */
function quantityText(value: unknown): string {
  return formatQuantity(addQuantities(parseQuantity(String(value)), ZERO_QUANTITY));
}

export const suite: Suite = {
  async *run({ vectors, only }) {
    const files = readdirSync(vectors, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
    for (const file of files.sort()) {
      const documents = parseYamlDocuments(readFileSync(join(vectors, file), "utf8"), { file });
      for (const [index, document] of documents.entries()) {
        // The files are in the form above; a broken one fails its case.
        const input = document.value as YamlCase;
        const id = `${file}#${index + 1}`;
        if (!isChosen(id, only) && only !== file) continue;
        const expected = expectedOf(input.output);
        const wanted = comparable(expected, expected);
        const result = judge(
          { id, input, expected: wanted },
          (asked) => comparable(answer(asked), expected),
          (asked, want, got) => sameButForScript(questionOf(asked), want, got),
        );
        yield result.passed ? result : { ...result, details: `${input.operation}: ${input.name}\n${result.details}` };
      }
    }
  },
};
