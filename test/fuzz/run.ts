// npm run fuzz -- kustomize [OPTION...]          (kustomize.ts)
// npm run fuzz -- NAME [--seconds N] [--iterations N] [--seed N] [--target NAME]: random and broken input for a module.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { type FuzzModule, type FuzzProgram, printInput } from "./fuzz-target.ts";

const PARTS = new Set(["fuzz.ts", "fuzz-target.ts", "minimise.ts", "random.ts", "run.ts", "typed-bodies.ts"]);

function usage(problem: string): never {
  const names = readdirSync(import.meta.dirname).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !PARTS.has(file) && !file.includes("-"),
  );
  process.stderr.write(
    `${problem}\nusage: npm run fuzz -- NAME [--seconds N] [--iterations N] [--seed N] [--target NAME]\n` +
      `fuzzers: ${names.map((file) => file.slice(0, -3)).join(", ")}\n`,
  );
  process.exit(2);
}

function count(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) usage(`--${option} takes a number, not "${text}"`);
  return value;
}

const MOST_SHOWN = 4000;

/** The seed makes the whole input again. */
function shorten(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}... (${text.length} characters)`;
}

async function main(): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || !/^[a-z]+$/.test(name)) usage("which fuzzer?");
  const file = join(import.meta.dirname, `${name}.ts`);
  if (!existsSync(file) || PARTS.has(`${name}.ts`)) usage(`there is no fuzzer ${name}`);
  // Every fuzzer exports `open`, or `run` when it has a way of its own.
  const module = (await import(file)) as FuzzModule | FuzzProgram;
  if ("run" in module) process.exit(await module.run(args));
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string" },
      iterations: { type: "string" },
      seed: { type: "string" },
      target: { type: "string" },
    },
  });
  const all = await module.open();
  const chosen = values.target === undefined ? all : all.filter((target) => target.name === values.target);
  if (chosen.length === 0) usage(`${name} has the targets ${all.map((target) => target.name).join(", ")}`);

  const seed = count(values.seed, "seed") ?? Date.now() >>> 0;
  const iterations = count(values.iterations, "iterations");
  const seconds = count(values.seconds, "seconds") ?? (iterations === undefined ? 10 : undefined);
  process.stdout.write(`# ${name}, --seed ${seed}\n`);
  let failed = 0;
  for (const target of chosen) {
    const share = seconds === undefined ? undefined : seconds / chosen.length;
    const report = await fuzz(target, { seed, seconds: share, iterations });
    const { failure } = report;
    process.stdout.write(
      `${failure === undefined ? "ok  " : "FAIL"} ${target.name}: ${report.inputs} inputs, the longest ${report.longestMs.toFixed(1)} ms\n`,
    );
    if (failure === undefined) continue;
    failed++;
    process.stdout.write(
      `     ${failure.problem.replaceAll("\n", "\n     ")}\n     input: ${shorten(printInput(failure.input))}\n` +
        `     again: npm run fuzz -- ${name} --target ${target.name} --seed ${failure.seed} --iterations 1\n`,
    );
  }
  for (const target of all) await target.close?.();
  process.stdout.write(`${chosen.length - failed} passed, ${failed} failed\n`);
  process.exit(failed > 0 ? 1 : 0);
}

await main();
