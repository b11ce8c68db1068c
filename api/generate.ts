// Writes what is generated from the schemas: files of deploy/ and the table of fields in examples/fleets/README.md; or
// says with --check what is stale.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { KubeObject } from "../kube/object.ts";
import { stringifyYaml } from "../kube/yaml.ts";
import { karmadaCrds } from "./crd.ts";
import { withReference } from "./fleet-scenario-reference.ts";
import { fleetScenarioJsonSchema } from "./fleet-scenario-schema.ts";
import { fleetTestSchema } from "./fleet-test.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { planReportSchema } from "./plan-report.ts";

const FOLDER = path.resolve(import.meta.dirname, "../deploy");
/** Folders of which every file is generated. */
const GENERATED_FOLDERS = ["crds", "schemas"];
const HEADER = "# Generated from api/ by npm run generate; changes here are lost.\n";

/** Text of every generated file, by its path in deploy/. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...karmadaCrds().map((crd) => [`crds/${fileName(crd)}`, HEADER + stringifyYaml(crd)] as const),
    ["schemas/fleet-scenario.schema.json", jsonText(fleetScenarioJsonSchema())],
    ["schemas/fleet-test.schema.json", jsonText(jsonSchemaOf(fleetTestSchema, "FleetTest"))],
    ["schemas/plan-report.schema.json", jsonText(jsonSchemaOf(planReportSchema, "PlanReport", "output"))],
  ]);
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Paths of files that are missing, differ, or should not be there. */
export async function staleFiles(folder: string = FOLDER): Promise<readonly string[]> {
  const wanted = generatedFiles();
  const stale: string[] = [];
  for (const place of GENERATED_FOLDERS) {
    const present = await readdir(path.join(folder, place)).catch(() => []);
    stale.push(...present.map((name) => `${place}/${name}`).filter((name) => !wanted.has(name)));
  }
  for (const [name, text] of wanted) {
    const found = await readFile(path.join(folder, name), "utf8").catch(() => undefined);
    if (found !== text) stale.push(name);
  }
  return stale.sort();
}

const PAGE = path.resolve(import.meta.dirname, "../examples/fleets/README.md");

/** The page of scenarios, if the generated part of it is not what it should be. */
async function stalePage(): Promise<string | undefined> {
  const page = await readFile(PAGE, "utf8");
  const wanted = withReference(page);
  return wanted === page ? undefined : wanted;
}

async function writeFiles(folder: string): Promise<void> {
  const wanted = generatedFiles();
  for (const name of await staleFiles(folder)) {
    const text = wanted.get(name);
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
  }
}

function fileName(crd: KubeObject): string {
  const [plural, ...group] = (crd.metadata.name ?? "").split(".");
  return `${group.join(".")}_${plural}.yaml`;
}

async function main(args: readonly string[]): Promise<number> {
  const page = await stalePage();
  const stale = [
    ...(await staleFiles()).map((name) => `deploy/${name}`),
    ...(page === undefined ? [] : ["examples/fleets/README.md"]),
  ];
  if (!args.includes("--check")) {
    await writeFiles(FOLDER);
    if (page !== undefined) await writeFile(PAGE, page);
    console.log(stale.length === 0 ? "everything generated is up to date" : `wrote ${stale.join(", ")}`);
    return 0;
  }
  if (stale.length === 0) return 0;
  console.error(`stale: ${stale.join(", ")}; run npm run generate`);
  return 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
