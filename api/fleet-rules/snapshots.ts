// Rules of the snapshots that clusters of a scenario begin as.
import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { membersOf } from "../fleet-plan.ts";
import { FLEET_SCENARIO_VERSION, type FleetScenario } from "../fleet-scenario.ts";
import { nearest } from "../nearest.ts";
import { type Draft, present, type Report } from "./draft.ts";
import type { ReadFile } from "./manifests.ts";

/** Without `readFile`, snapshots are not looked at. */
export function checkSnapshots(scenario: Draft<FleetScenario>, readFile: ReadFile | undefined, report: Report): void {
  if (readFile === undefined) return;
  for (const [index, entry] of present(scenario.clusters)) {
    const file = entry.snapshot;
    if (file === undefined) continue;
    const field = `clusters[${index}].snapshot`;
    const text = readFile(file);
    if (text === undefined) {
      report(field, `there is no file "${file}"; files are named from the folder of the scenario`);
      continue;
    }
    const words = snapshotProblem(text, file);
    if (words !== undefined) report(field, words);
    else checkClusters(text, file, membersOf(entry), field, report);
  }
}

function snapshotProblem(text: string, file: string): string | undefined {
  let value: unknown;
  try {
    value = parseYaml(text, { file });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return messageOf(error);
  }
  if (!isObject(value) || value["kind"] !== "FleetSnapshot")
    return `${file} is no FleetSnapshot; 'flaghoist snapshot' writes one`;
  const version = value["apiVersion"];
  if (version === FLEET_SCENARIO_VERSION) return undefined;
  return `${file} is a snapshot of version ${JSON.stringify(version ?? "")}; this program reads ${FLEET_SCENARIO_VERSION}: take it again`;
}

function checkClusters(
  text: string,
  file: string,
  members: readonly { readonly name: string }[],
  field: string,
  report: Report,
): void {
  const value = parseYaml(text, { file });
  const clusters = isObject(value) && Array.isArray(value["clusters"]) ? value["clusters"] : [];
  const names = clusters.flatMap((each) => (isObject(each) && typeof each["name"] === "string" ? [each["name"]] : []));
  for (const { name } of members) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    report(field, `${file} holds no cluster "${name}"${meant === undefined ? "" : `. Did you mean ${meant}?`}`);
  }
}
