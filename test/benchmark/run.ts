// npm run bench -- NAME [ARGUMENT...]: runs test/benchmark/NAME.ts and prints what it measures.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

const [name, ...args] = process.argv.slice(2);
const names = readdirSync(import.meta.dirname)
  .filter(
    (file) => file.endsWith(".ts") && file !== "run.ts" && !file.endsWith(".test.ts") && !file.startsWith("support"),
  )
  .map((file) => file.slice(0, -3));
const file = join(import.meta.dirname, `${name ?? ""}.ts`);
if (name === undefined || !names.includes(name) || !existsSync(file)) {
  process.stderr.write(`usage: npm run bench -- NAME\nbenchmarks: ${names.join(", ")}\n`);
  process.exit(2);
}

function loadAverage(): string {
  try {
    return readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" ");
  } catch {
    return "unknown";
  }
}

const processors = cpus();
// JSON stands alone on the standard output.
const head = args.includes("--json") ? process.stderr : process.stdout;
head.write(
  `# ${name}: ${processors.length} x ${processors[0]?.model ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `Node ${process.versions.node}, load ${loadAverage()}, ${new Date().toISOString()}\n`,
);
// Every benchmark exports `run`.
const benchmark = (await import(file)) as { run(args: readonly string[]): Promise<void> };
await benchmark.run(args);
process.exit(process.exitCode ?? 0);
