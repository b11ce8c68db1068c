// npm run check: types, lint and format, layout, generated files. Prints what fails; exit code 1 when anything does.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const binaries = join(root, "node_modules", ".bin");
const SOURCE_FOLDERS = ["api", "kube", "runtime", "sources", "renderers", "reconciler", "fleets", "test"];
const ALLOWED_TOP = new Set([
  ...SOURCE_FOLDERS,
  ...[
    "bin",
    "deploy",
    "examples",
    "node_modules",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "biome.json",
    "vitest.config.ts",
  ],
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE"],
]);
const MOST_LINES = 450;
// Specifications list many cases of one subject.
const MOST_TEST_LINES = 600;

let failures = 0;

function report(step: string, problems: readonly string[]): void {
  process.stdout.write(`${problems.length === 0 ? "ok  " : "FAIL"} ${step}\n`);
  for (const problem of problems) process.stdout.write(`     ${problem}\n`);
  if (problems.length > 0) failures++;
}

function run(step: string, command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}`.trim();
  report(step, result.status === 0 ? [] : output.split("\n").slice(-60));
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === "testdata" || name === "vectors" || name === "node_modules") return [];
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

function layoutProblems(): string[] {
  const problems = readdirSync(root)
    .filter((name) => !name.startsWith(".") && !ALLOWED_TOP.has(name))
    .map((name) => `${name}: not part of the layout (ARCHITECTURE.md)`);
  for (const file of SOURCE_FOLDERS.flatMap((folder) => filesUnder(join(root, folder)))) {
    const path = relative(root, file);
    if (!path.endsWith(".ts")) continue;
    if (!/^[a-z0-9.-]+$/.test(path.split("/").at(-1) ?? "")) problems.push(`${path}: file names are kebab-case`);
    if (/\.(table|generated)\.ts$/.test(path)) continue;
    const text = readFileSync(file, "utf8");
    const lines = text.split("\n").length;
    const most = path.endsWith(".test.ts") ? MOST_TEST_LINES : MOST_LINES;
    if (lines > most) problems.push(`${path}: ${lines} lines, the limit is ${most}: one subject a file`);
    if (/log(ger)?\.(debug|info|warn|error)\(`/.test(text))
      problems.push(`${path}: log messages are constant; what varies goes into fields`);
    if (/\b(TODO|FIXME|XXX)\b/.test(text) && path !== "test/check.ts") problems.push(`${path}: unfinished mark`);
  }
  return problems;
}

// What was checked before is remembered for each checkout: a second check looks at what has changed.
const checkout = createHash("sha256").update(root).digest("hex").slice(0, 12);
const remembered = join(root, "node_modules", ".cache", "types", `${checkout}.tsbuildinfo`);
run("types", join(binaries, "tsc"), ["--noEmit", "-p", ".", "--incremental", "--tsBuildInfoFile", remembered]);
run("lint and format", join(binaries, "biome"), ["check", "."]);
report("layout", layoutProblems());
run("generated files are fresh", process.execPath, ["api/generate.ts", "--check"]);
process.stdout.write(failures === 0 ? "all checks passed\n" : `${failures} checks failed\n`);
process.exit(failures === 0 ? 0 : 1);
