// One build of ours and of the real kustomize, with what they cost. As a program of its own it is the first build of a new
// process: support-kustomize-build.ts FOLDER PATH prints what it cost as JSON.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderKustomization } from "../../renderers/kustomize/render.ts";
import type { RenderCache } from "../../renderers/kustomize/render-cache.ts";
import { emitYaml } from "../../renderers/kustomize/resources/emit.ts";
import { DirectoryTree } from "../../sources/directory.ts";
import type { SourceTree } from "../../sources/tree.ts";

export interface Cost {
  /** Processor time of all threads, user and system. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

export interface Build extends Cost {
  readonly output: string;
}

/** Reads, builds and prints, as one run of a program would after its start. */
export function buildFolder(folder: string, path: string): Build {
  return measure(() => print(new DirectoryTree(folder), path));
}

/** A build of a tree in memory with what earlier builds left, and what printing it costs. */
export function buildCached(tree: SourceTree, path: string, cache: RenderCache): Build & { readonly printing: Cost } {
  let objects: readonly object[] = [];
  const built = measure(() => {
    objects = renderKustomization(tree, path, { cache }).objects.map(({ object }) => object);
    return "";
  });
  const { output, ...printing } = measure(() => emitYaml(objects));
  return { ...built, output, printing };
}

function print(tree: SourceTree, path: string): string {
  return emitYaml(renderKustomization(tree, path).objects.map(({ object }) => object));
}

function measure(run: () => string): Build {
  const start = performance.now();
  const before = process.cpuUsage();
  const output = run();
  const { user, system } = process.cpuUsage(before);
  return { output, cpuMs: (user + system) / 1000, wallMs: performance.now() - start };
}

/** The first build of a new process, without its start and loading of the code. */
export function buildCold(folder: string, path: string): Cost {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", import.meta.filename, folder, path],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the cold build failed: ${stderr}`);
  // Printed by this file.
  return JSON.parse(stdout) as Cost;
}

/** One run of the real program, its start included. */
export function buildReal(program: string, folder: string, path: string): Build {
  const times = join(folder, "..", "times");
  const script = 'TIMEFORMAT="%U %S %R"; { time "$0" build "$1" 2>/dev/null; } 2>"$2"';
  const { stdout, status } = spawnSync("bash", ["-c", script, program, path, times], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`kustomize build ${path} failed in ${folder}`);
  const [user = 0, system = 0, real = 0] = readFileSync(times, "utf8").trim().split(" ").map(Number);
  return { output: stdout, cpuMs: (user + system) * 1000, wallMs: real * 1000 };
}

if (import.meta.main) {
  const [folder = ".", path = "."] = process.argv.slice(2);
  const { cpuMs, wallMs } = buildFolder(folder, path);
  process.stdout.write(JSON.stringify({ cpuMs, wallMs }));
}
