// Rules of the objects of a scenario, those in files included.
import { isObject, type KubeObject } from "../../kube/object.ts";
import { parseYamlDocuments } from "../../kube/yaml.ts";
import { AppError } from "../../runtime/errors.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import type { FleetManifests } from "../fleet-timeline.ts";
import { checkManifest } from "../validate-manifest.ts";
import { type Draft, present, type Report } from "./draft.ts";

/** The content of a file beside the scenario; undefined when there is none. */
export type ReadFile = (file: string) => string | undefined;

/** Without `readFile`, files are not looked at. */
export function checkManifests(scenario: Draft<FleetScenario>, readFile: ReadFile | undefined, report: Report): void {
  for (const [field, manifests] of manifestsOf(scenario)) {
    for (const [index, object] of present(manifests.objects)) {
      // The schema wants apiVersion, kind and name; where they are missing it has said so.
      if (object.apiVersion === undefined || object.kind === undefined || object.metadata?.name === undefined) continue;
      for (const { severity, message, field: at } of checkManifest(object as unknown as KubeObject))
        if (severity === "error")
          report(`${field}.objects[${index}]${at === "" ? "" : `.${at}`}`, wordsOf(message, at));
    }
    for (const [index, file] of present(manifests.files))
      if (readFile !== undefined) checkFile(file, readFile, `${field}.files[${index}]`, report);
  }
}

/** The objects of manifests: those of its files in their order, and those in place. */
export function objectsOf({ files = [], objects = [] }: FleetManifests, readFile: ReadFile): KubeObject[] {
  const read = files.flatMap((file) => parseYamlDocuments(readFile(file) ?? "", { file }));
  // Rules have looked at them.
  return [...read.map(({ value }) => value as KubeObject), ...(objects as unknown as KubeObject[])];
}

/** The manifests of a scenario, each with the path of its field. */
export function* manifestsOf<T extends Draft<FleetScenario>>(
  scenario: T,
): Generator<readonly [string, Draft<FleetManifests>]> {
  for (const [index, manifests] of present(scenario.manifests)) yield [`manifests[${index}]`, manifests];
  for (const [index, { apply }] of present(scenario.timeline))
    if (apply !== undefined) yield [`timeline[${index}].apply`, apply];
}

function checkFile(file: string, readFile: ReadFile, field: string, report: Report): void {
  const text = readFile(file);
  if (text === undefined) {
    report(field, `there is no file "${file}"; files are named from the folder of the scenario`);
    return;
  }
  try {
    const documents = parseYamlDocuments(text, { file });
    if (documents.length === 0) report(field, `${file} holds no object`);
    for (const { value, line } of documents) {
      for (const words of objectProblems(value)) report(field, `${file}:${line}: ${words}`);
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    report(field, error.message);
  }
}

function objectProblems(value: unknown): readonly string[] {
  if (!isObject(value)) return ["an object was expected"];
  const metadata = isObject(value["metadata"]) ? value["metadata"] : {};
  const missing = [
    ...["apiVersion", "kind"].filter((name) => typeof value[name] !== "string" || value[name] === ""),
    ...(typeof metadata["name"] === "string" && metadata["name"] !== "" ? [] : ["metadata.name"]),
  ];
  if (missing.length > 0) return missing.map((name) => `${name} is required`);
  // What it needs as an object of Kubernetes is there.
  return checkManifest(value as unknown as KubeObject)
    .filter(({ severity }) => severity === "error")
    .map(({ message }) => message);
}

function wordsOf(message: string, field: string): string {
  return field !== "" && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
}
