// npm run chaos -- [NAME] [ARGUMENT...]: runs test/chaos/NAME.ts, `fleet` when absent, which breaks something again and
// again.
import { readdirSync } from "node:fs";
import { join } from "node:path";

// Options alone are for the fleet.
const isNamed = process.argv[2]?.startsWith("-") === false;
const [given, ...args] = [...(isNamed ? [] : ["fleet"]), ...process.argv.slice(2)];
const names = readdirSync(import.meta.dirname)
  .filter(
    (file) => file.endsWith(".ts") && file !== "run.ts" && !file.endsWith(".test.ts") && !file.startsWith("support"),
  )
  .map((file) => file.slice(0, -3));
// The beginning of a name is enough where it is the only one.
const found = names.filter((each) => given !== undefined && each.startsWith(given));
const name = found.length === 1 ? found[0] : found.find((each) => each === given);
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`usage: npm run chaos -- [NAME] [OPTION...]\nwhat there is: ${names.join(", ")}\n`);
  process.exit(2);
}
// Every file here exports `run`.
const chaos = (await import(join(import.meta.dirname, `${name}.ts`))) as {
  run(args: readonly string[]): Promise<void>;
};
await chaos.run(args);
process.exit(process.exitCode ?? 0);
