// What customizations mean, and what is wrong with them, as `karmadactl interpret` prints it.
import { sortKeys } from "../../kube/json.ts";
import { stringifyYaml } from "../../kube/yaml.ts";
import type { CheckedCustomization } from "../interpreter/customization/check-customizations.ts";

/** A part of an answer, such as `replica`. */
export interface NamedResult {
  readonly name: string;
  /** As JSON; null for nothing. */
  readonly value: unknown;
}

/** Each part of an answer as a YAML document with a heading. */
export function resultsText(results: readonly NamedResult[]): string {
  return results
    .map(({ name, value }, index) => `---\n# [${index + 1}/${results.length}] ${name}:\n${valueText(value)}`)
    .join("");
}

function valueText(value: unknown): string {
  const text = stringifyYaml(sortKeys(value));
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** A block for each document; the second column stands where the longest entry of the first so far leaves room. */
export function checkText(checked: readonly CheckedCustomization[]): string {
  let width = 0;
  const lines: string[] = [];
  for (const { source, target, rules, problems } of checked) {
    lines.push("-----------------------------------", `SOURCE: ${source}`);
    lines.push(...problems);
    if (target === undefined) continue;
    const heading = `TARGET: ${target.apiVersion} ${target.kind}`;
    width = Math.max(width, heading.length + PADDING, ...rules.map((rule) => label(rule.operation).length + PADDING));
    lines.push(heading, "RULERS:");
    for (const { operation, result, problem } of rules) {
      const verdict = problem === undefined ? result : `${result}: ${problem}`;
      lines.push(label(operation).padEnd(width) + verdict);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

const PADDING = 3;

function label(operation: string): string {
  return `    ${operation}:`;
}
