// Annotations as SARIF 2.1.0, which code scanning of GitHub and editors read.
import type { Annotation } from "./annotations.ts";
import { fingerprints } from "./fingerprint.ts";

const LEVELS: Readonly<Record<Annotation["level"], string>> = { failure: "error", warning: "warning", notice: "note" };

/** A log of one run. `version` is that of this program. */
export function sarif(annotations: readonly Annotation[], version: string): string {
  const rules = [...new Set(annotations.map(({ rule }) => rule))];
  const marks = fingerprints(annotations);
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "Flaghoist",
            version,
            rules: rules.map((id) => ({ id, name: ruleName(id), shortDescription: { text: ruleText(id) } })),
          },
        },
        // Columns are not told, but a reader wants to know how they would be counted.
        columnKind: "utf16CodeUnits",
        results: annotations.map(({ level, message, path, rule, startLine, endLine }, index) => ({
          ruleId: rule,
          ruleIndex: rules.indexOf(rule),
          level: LEVELS[level],
          message: { text: message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: path.split("/").map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" },
                region: { startLine, endLine },
              },
            },
          ],
          partialFingerprints: { "flaghoist/v1": marks[index] },
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** `MassPrune` of `mass-prune`. */
function ruleName(id: string): string {
  return id
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join("");
}

/** `Mass prune`. */
function ruleText(id: string): string {
  const text = id.replaceAll("-", " ");
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
