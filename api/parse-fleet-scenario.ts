// Reads a scenario file. Everything that is wrong with it is told at once, each thing with its line, column and field.
import { stringifyJson } from "../kube/json.ts";
import { isObject } from "../kube/object.ts";
import { parseYaml, parseYamlNodes } from "../kube/yaml.ts";
import type { YamlNode } from "../kube/yaml-node.ts";
import { type TextPosition, TextPositions } from "../kube/yaml-position.ts";
import { AppError } from "../runtime/errors.ts";
import { planClusters } from "./fleet-plan.ts";
import { checkCapacities } from "./fleet-rules/capacity.ts";
import { type Draft, type Report, withoutProblems } from "./fleet-rules/draft.ts";
import { checkContradictions, checkFaults } from "./fleet-rules/faults.ts";
import { checkLimits } from "./fleet-rules/limits.ts";
import { checkManifests, type ReadFile } from "./fleet-rules/manifests.ts";
import { checkNames } from "./fleet-rules/naming.ts";
import { checkReferences } from "./fleet-rules/references.ts";
import { checkSnapshots, type SnapshotOf } from "./fleet-rules/snapshots.ts";
import { checkTimeline } from "./fleet-rules/timeline.ts";
import { FLEET_SCENARIO_VERSION, type FleetScenario, fleetScenarioSchema } from "./fleet-scenario.ts";
import { nearest } from "./nearest.ts";
import { type SchemaProblem, schemaProblems, withoutNulls } from "./schema-problems.ts";

/** Something wrong in a scenario. */
export interface FleetScenarioProblem extends TextPosition {
  /** `clusters[2].nodePools[0].resources.cpu`; empty for the file itself. */
  readonly field: string;
  /** What is wrong there, and what to do. */
  readonly words: string;
}

export interface ParseScenarioOptions {
  /** The files that the scenario names, from its folder. They are not looked at when absent. */
  readonly readFile?: ReadFile;
  /** The snapshots that the scenario names. They are not looked at when absent. */
  readonly snapshotOf?: SnapshotOf;
}

/**
 * What the text says, with the schema's defaults. Throws `fleet-scenario-invalid` with every problem as
 * `FILE:LINE:COLUMN: FIELD: WORDS`, a line each, and as `details.problems`; `yaml-invalid` and its like for text that is
 * no YAML.
 */
export function parseFleetScenario(text: string, file: string, options: ParseScenarioOptions = {}): FleetScenario {
  const problems = fleetScenarioProblems(text, file, options);
  if (problems.length > 0) throw invalidScenario(file, problems);
  return fleetScenarioSchema.parse(withoutNulls(parseYaml(text, { file }), fleetScenarioSchema));
}

/** Everything that is wrong with a scenario, in the order of the text. Throws for text that is no YAML. */
export function fleetScenarioProblems(
  text: string,
  file: string,
  options: ParseScenarioOptions = {},
): readonly FleetScenarioProblem[] {
  const value = parseYaml(text, { file, duplicateKeys: "last-wins" });
  const root = parseYamlNodes(text, { file, duplicateKeys: "keep" })[0]?.node;
  const positions = new TextPositions(text);
  const place = (field: string): TextPosition =>
    root === undefined ? { line: 1, column: 1 } : positions.ofField(root, field);
  const told = onlyOnce(problemsOf(value, options));
  const found = told.slice(0, MOST_PROBLEMS).map((problem) => ({ ...place(problem.field), ...problem }));
  if (root !== undefined) found.push(...repeatedKeys(positions, root, "").slice(0, MOST_PROBLEMS));
  return onlyOnce(found).sort((a, b) => a.line - b.line || a.column - b.column);
}

/** A file with more is not a scenario with slips; whoever mends these finds the others. */
const MOST_PROBLEMS = 1_000;

function onlyOnce<T extends SchemaProblem>(problems: readonly T[]): T[] {
  const seen = new Set<string>();
  return problems.filter(({ field, words }) => !seen.has(`${field} ${words}`) && seen.add(`${field} ${words}`));
}

function invalidScenario(file: string, problems: readonly FleetScenarioProblem[]): AppError {
  const lines = problems.map(
    ({ line, column, field, words }) =>
      `${file}:${line}:${column}: ${inOneLine(`${field === "" ? "" : `${field}: `}${words}`)}`,
  );
  return new AppError("fleet-scenario-invalid", lines.join("\n"), { recovery: "stall", details: { file, problems } });
}

const LONGEST_LINE = 600;

/** What a file says may have lines and lengths of its own. */
function inOneLine(words: string): string {
  const shown = words.length > LONGEST_LINE ? `${words.slice(0, LONGEST_LINE)}…` : words;
  // Among them what ends lines and what terminals obey.
  return shown.replace(/[\p{Cc}\p{Cf}\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])/gu, (character) =>
    JSON.stringify(character).length > 3
      ? JSON.stringify(character).slice(1, -1)
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function problemsOf(value: unknown, { readFile, snapshotOf }: ParseScenarioOptions): readonly SchemaProblem[] {
  if (!isObject(value)) return [{ field: "", words: "the file must hold one object, a FleetScenario" }];
  const another = kindProblems(value);
  if (another.isAnotherKind) return another.problems;
  const bySchema = schemaProblems(fleetScenarioSchema, value).filter(({ field }) => !OF_THE_KIND.includes(field));
  const problems = [...another.problems, ...bySchema];
  const report: Report = (field, words) => void problems.push({ field, words });
  const whole = (field: string) => !problems.some((each) => each.field === field || within(each.field, field));
  // Everything that is left has passed the schema.
  const draft = withoutProblems(withoutNulls(value, fleetScenarioSchema), bySchema) as Draft<FleetScenario>;
  // What follows looks at each cluster, and at each fault beside each other.
  if (!checkLimits(draft, report)) return problems;
  checkTimeline(draft, whole, report);
  checkFaults(draft, whole, report);
  checkNames(draft, report);
  checkCapacities(draft, report);
  const clusters = planClusters(draft);
  checkReferences(draft, clusters, report);
  checkContradictions(draft, clusters, whole, report);
  checkManifests(draft, readFile, report);
  checkSnapshots(draft, snapshotOf, report);
  return problems;
}

const OF_THE_KIND = ["apiVersion", "kind"];

/** Of a file of another kind or version, no more is said than that. */
function kindProblems({ apiVersion, kind }: Record<string, unknown>): {
  readonly problems: SchemaProblem[];
  readonly isAnotherKind: boolean;
} {
  const problems: SchemaProblem[] = [];
  const isNear = typeof kind === "string" && nearest(kind, ["FleetScenario"]) !== undefined;
  if (kind === undefined) problems.push({ field: "kind", words: "is required: FleetScenario" });
  else if (kind !== "FleetScenario") {
    const hint = isNear
      ? ". Did you mean FleetScenario?"
      : kind === "FleetSnapshot"
        ? "; a scenario's cluster names it as its snapshot"
        : "";
    problems.push({ field: "kind", words: `${stringifyJson(kind)} is not FleetScenario${hint}` });
  }
  const isAnotherKind = kind !== undefined && !isNear;
  if (apiVersion === undefined) problems.push({ field: "apiVersion", words: `is required: ${FLEET_SCENARIO_VERSION}` });
  else if (apiVersion !== FLEET_SCENARIO_VERSION && !isAnotherKind)
    problems.push({
      field: "apiVersion",
      words: `${stringifyJson(apiVersion)} is no version of FleetScenario that this program reads; it reads ${FLEET_SCENARIO_VERSION}`,
    });
  return { problems, isAnotherKind };
}

function within(field: string, place: string): boolean {
  return field.startsWith(`${place}.`) || field.startsWith(`${place}[`);
}

function repeatedKeys(positions: TextPositions, node: YamlNode, field: string): FleetScenarioProblem[] {
  if (node.kind === "scalar") return [];
  if (node.kind === "sequence")
    return node.items.flatMap((item, index) => repeatedKeys(positions, item, `${field}[${index}]`));
  const seen = new Map<string, number>();
  return node.entries.flatMap(({ key, value }) => {
    const at = field === "" ? key.text : `${field}.${key.text}`;
    const first = seen.get(key.text);
    seen.set(key.text, first ?? key.offset);
    const repeated =
      first === undefined
        ? []
        : [
            {
              ...positions.at(key.offset),
              field: at,
              words: `is there twice; it stands on line ${positions.at(first).line} already`,
            },
          ];
    return [...repeated, ...repeatedKeys(positions, value, at)];
  });
}
