// npm run conformance -- SUITE --vectors DIR [--only ID] [--json] [--server KUBECONFIG [--etcd URL]]
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { CaseResult, Suite } from "./suite.ts";

const suitesFolder = join(import.meta.dirname, "suites");

function suiteNames(): string[] {
  return readdirSync(suitesFolder)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => file.slice(0, -3))
    .sort();
}

function usage(problem: string): never {
  process.stderr.write(
    `${problem}\nusage: npm run conformance -- SUITE --vectors DIR [--only ID | --only TOPIC/] [--json] [--server KUBECONFIG [--etcd URL]]\n` +
      `suites: ${suiteNames().join(", ")}\n`,
  );
  process.exit(2);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      vectors: { type: "string" },
      only: { type: "string" },
      json: { type: "boolean", default: false },
      server: { type: "string" },
      etcd: { type: "string" },
    },
  });
  const [name] = positionals;
  if (name === undefined) usage("which suite?");
  if (!suiteNames().includes(name)) usage(`there is no suite ${name}`);
  const vectors = resolve(values.vectors ?? join(import.meta.dirname, "vectors"));
  if (!existsSync(vectors)) usage(`there is no folder ${vectors}`);

  // Every file in suites/ exports `suite`; the loader checks it below.
  const module = (await import(join(suitesFolder, `${name}.ts`))) as { suite?: Suite };
  if (module.suite === undefined) usage(`suites/${name}.ts exports no suite`);

  const results: CaseResult[] = [];
  for await (const result of module.suite.run({
    vectors,
    only: values.only,
    server: values.server,
    etcd: values.etcd,
  })) {
    results.push(result);
    if (values.json) continue;
    if (result.skipped !== undefined) process.stdout.write(`skipped ${result.id}: ${result.skipped}\n`);
    else if (!result.passed) process.stdout.write(`FAIL ${result.id}\n${indent(result.details ?? "")}\n`);
    else if (result.deviates !== undefined) process.stdout.write(`deviates ${result.id}: ${result.deviates}\n`);
  }
  if (values.only !== undefined && results.length === 0) usage(`suite ${name} has no case ${values.only}`);

  const played = results.filter((result) => result.skipped === undefined);
  const failed = played.filter((result) => !result.passed).length;
  if (values.json) process.stdout.write(`${JSON.stringify({ suite: name, results }, null, 1)}\n`);
  else process.stdout.write(levelSummary(played));
  process.stdout.write(`${played.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
}

/** One line a level: `must: 712 of 715 (99.6%)`. */
function levelSummary(results: readonly CaseResult[]): string {
  const lines: string[] = [];
  for (const level of ["must", "should"] as const) {
    const all = results.filter((result) => result.level === level);
    if (all.length === 0) continue;
    const passed = all.filter((result) => result.passed).length;
    lines.push(`${level}: ${passed} of ${all.length} (${((100 * passed) / all.length).toFixed(1)}%)\n`);
  }
  return lines.join("");
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

await main();
