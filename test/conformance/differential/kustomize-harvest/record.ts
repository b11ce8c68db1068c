// record.ts DUMPED OUT: builds dumped inputs with the real kustomize and writes those that can be answered anywhere as cases.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCategory } from "../../../fuzz/kustomize/error-category.ts";
import {
  deprecationsIn,
  findRealKustomize,
  NO_REAL_KUSTOMIZE,
  runKustomize,
} from "../../../fuzz/kustomize/real-kustomize.ts";

const [dumped, out] = process.argv.slice(2);
const program = findRealKustomize();
if (dumped === undefined || out === undefined) throw new Error("usage: record.ts DUMPED OUT");
if (program === undefined) throw new Error(NO_REAL_KUSTOMIZE);

const counts = { built: 0, refused: 0, out: 0 };
for (const name of readdirSync(dumped).sort()) {
  const reason = await record(program, join(dumped, name), join(out, name));
  if (reason === undefined) continue;
  counts.out++;
  process.stdout.write(`left out ${name}: ${reason}\n`);
}
process.stdout.write(`${counts.built} that build, ${counts.refused} that fail, ${counts.out} left out\n`);

/** Writes one case; answers why it cannot be one. */
async function record(kustomize: string, from: string, to: string): Promise<string | undefined> {
  // Written by dump.go.
  const about = JSON.parse(readFileSync(join(from, "case.json"), "utf8")) as { path: string; args: readonly string[] };
  const input = join(from, "input");
  const { status, stdout, stderr } = await runKustomize(kustomize, input, about.path, about.args);
  const category = status === 0 ? undefined : errorCategory(stderr);
  if (status === undefined) return "kustomize had to be killed";
  const message = stderr.split("\n").find((line) => line.startsWith("Error: ")) ?? stderr.trim();
  const needs = /dial tcp|no such host|git fetch|'git |docker|\bhelm\b|unable to find plugin root/.exec(message)?.[0];
  if (needs !== undefined) return `it needs more than files (${needs})`;
  const outside = [...message.matchAll(/evalsymlink failure on '(\/[^']+)'/g)].find(
    ([, path]) => !path!.startsWith(input),
  );
  if (outside !== undefined) return "it names what lies outside of its own files";
  if (status === 0 && runsPrograms(input)) return "it runs a function as a program, which is refused here";
  if (status !== 0 && category === undefined) return `no category for: ${message}`;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  cpSync(input, join(to, "input"), { recursive: true, verbatimSymlinks: true });
  const fields = new Set(deprecationsIn(stderr).map((text) => /^'(\w+)'/.exec(text)?.[1] ?? text));
  const deprecations = fields.size > 0 ? { deprecations: [...fields].sort() } : {};
  writeFileSync(join(to, "case.json"), `${JSON.stringify({ ...about, ...deprecations }, null, 2)}\n`);
  if (status === 0) writeFileSync(join(to, "expected.yaml"), stdout);
  else writeFileSync(join(to, "expected-error.txt"), `${category}\n`);
  counts[status === 0 ? "built" : "refused"]++;
  return undefined;
}

function runsPrograms(folder: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).some((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !existsSync(path)) return false;
    return /config\.kubernetes\.io\/function/.test(readFileSync(path, "utf8"));
  });
}
