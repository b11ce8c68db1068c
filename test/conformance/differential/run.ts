// npm run differential -- --server KUBECONFIG [--seed N] [--cases N] [--only GENERATOR] [--show N]
// npm run differential -- karmada [--op OPERATION] [--seed N] [--cases N]       (karmada/run.ts)
// npm run differential -- workloads [--seed N] [--cases N]                      (workloads.ts)
//
// Makes random requests, plays each on a new embedded server and on the one of the kubeconfig, and prints where the
// answers differ. How to start a server to compare with: ../suites/apiserver.ts.
import { parseArgs } from "node:util";
import { Random } from "../../../runtime/random.ts";
import { readFixtures } from "../apiserver/recorded.ts";
import { openEmbedded, openRemote, prepare } from "../apiserver/targets.ts";
import { compareCase, type Difference, type Servers, shortest } from "./compare-case.ts";
import { GENERATORS } from "./generators.ts";
import { runKarmada } from "./karmada/run.ts";
import { runWorkloads } from "./workloads.ts";

const BATCH = 40;

interface Found {
  readonly generator: string;
  readonly seed: number;
  readonly difference: Difference;
  count: number;
}

function usage(problem: string): never {
  process.stderr.write(
    `${problem}\nusage: npm run differential -- --server KUBECONFIG [--seed N] [--cases N] [--only GENERATOR] [--show N] [--whole]\n` +
      `generators: ${Object.keys(GENERATORS).join(", ")}\n`,
  );
  process.exit(2);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      server: { type: "string" },
      seed: { type: "string", default: "1" },
      cases: { type: "string", default: "200" },
      only: { type: "string" },
      show: { type: "string", default: "40" },
      whole: { type: "boolean", default: false },
    },
  });
  if (values.server === undefined) usage("which server?");
  const names = Object.keys(GENERATORS).filter((name) => values.only === undefined || name === values.only);
  if (names.length === 0) usage(`there is no generator ${values.only}`);
  const first = Number(values.seed);
  const total = Number(values.cases);
  const remote = await openRemote(values.server, undefined);
  await prepare(remote, readFixtures());
  const found = new Map<string, Found>();
  let different = 0;
  for (let start = 0; start < total; start += BATCH) {
    const embedded = await openEmbedded();
    await prepare(embedded, readFixtures());
    const servers: Servers = { embedded, remote };
    for (let at = start; at < Math.min(total, start + BATCH); at++) {
      const generator = names[at % names.length]!;
      const seed = first * 1_000_003 + at;
      const made = GENERATORS[generator]!(new Random(seed));
      const difference = await compareCase(servers, made);
      if (difference === undefined) continue;
      different++;
      const known = found.get(difference.signature);
      if (known !== undefined) known.count++;
      else {
        const least = values.whole ? difference : await shortest(servers, made, difference);
        found.set(difference.signature, { generator, seed, difference: least, count: 1 });
      }
    }
    await embedded.close();
  }
  await remote.close();
  report([...found.values()], Number(values.show));
  process.stdout.write(`${total - different} cases alike, ${different} different in ${found.size} ways\n`);
  process.exitCode = different > 0 ? 1 : 0;
}

function report(found: readonly Found[], limit: number): void {
  for (const { generator, seed, difference, count } of found.toSorted((a, b) => b.count - a.count).slice(0, limit)) {
    process.stdout.write(`DIFFERENT ${count}x ${generator} (draw ${seed}) ${difference.signature}\n`);
    for (const line of difference.requests) process.stdout.write(`    ${line}\n`);
    for (const line of difference.lines) process.stdout.write(`  ${line}\n`);
  }
}

const [first, ...rest] = process.argv.slice(2);
if (first === "karmada") await runKarmada(rest);
else if (first === "workloads") await runWorkloads(rest);
else await main();
