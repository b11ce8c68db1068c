// Writes deploy/crds from the schemas, or says with --check that they are stale.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { KubeObject } from "../kube/object.ts";
import { stringifyYaml } from "../kube/yaml.ts";
import { karmadaCrds } from "./crd.ts";

const FOLDER = path.resolve(import.meta.dirname, "../deploy/crds");
const HEADER = "# Generated from api/ by npm run generate; changes here are lost.\n";

/** Text of every file of deploy/crds, by file name. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map(karmadaCrds().map((crd) => [fileName(crd), HEADER + stringifyYaml(crd)]));
}

/** Names of files that are missing, differ, or should not be there. */
export async function staleFiles(folder: string = FOLDER): Promise<readonly string[]> {
  const wanted = generatedFiles();
  const present = await readdir(folder).catch(() => []);
  const stale = present.filter((name) => name.endsWith(".yaml") && !wanted.has(name));
  for (const [name, text] of wanted) {
    const found = await readFile(path.join(folder, name), "utf8").catch(() => undefined);
    if (found !== text) stale.push(name);
  }
  return stale.sort();
}

async function writeFiles(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const wanted = generatedFiles();
  for (const name of await staleFiles(folder)) {
    const text = wanted.get(name);
    if (text === undefined) await rm(path.join(folder, name));
    else await writeFile(path.join(folder, name), text);
  }
}

function fileName(crd: KubeObject): string {
  const [plural, ...group] = (crd.metadata.name ?? "").split(".");
  return `${group.join(".")}_${plural}.yaml`;
}

async function main(args: readonly string[]): Promise<number> {
  const stale = await staleFiles();
  if (!args.includes("--check")) {
    await writeFiles(FOLDER);
    console.log(stale.length === 0 ? "deploy/crds is up to date" : `wrote ${stale.join(", ")}`);
    return 0;
  }
  if (stale.length === 0) return 0;
  console.error(`stale in deploy/crds: ${stale.join(", ")}; run npm run generate`);
  return 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
