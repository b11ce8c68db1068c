// record [--only ID | --only TOPIC/] [--runs 3] [--beside 5] [--clusters 2] [--to DIR]: plays the scripts on real Kubernetes and writes
// what happened as vectors. Needs KUBEBUILDER_ASSETS with the programs that deploy/real-cluster/build makes.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../../runtime/errors.ts";
import { isChosen } from "../suite.ts";
import { SCRIPTS } from "./all-scripts.ts";
import { play } from "./play.ts";
import { missingPrograms, type RealCluster, startRealCluster } from "./real-cluster.ts";
import { openRealTarget } from "./real-target.ts";
import { type Recording, recordingOf } from "./recording.ts";
import type { Script } from "./script.ts";
import type { WorkloadTarget } from "./target.ts";
import { differencesFrom, vectorOf } from "./vector.ts";

/** A script whose last run brought something new is played again, but not more often than this. */
const MOST_RUNS = 8;
const VERSIONS = { kubernetes: "v1.36.3", kwok: "v0.8.0" };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      runs: { type: "string", default: "3" },
      beside: { type: "string", default: "5" },
      clusters: { type: "string", default: "2" },
      to: { type: "string", default: join(import.meta.dirname, "..", "vectors", "workloads") },
      kubeconfig: { type: "string" },
    },
  });
  const chosen = SCRIPTS.filter(
    ({ id }) => values.only === undefined || values.only.some((only) => isChosen(id, only)),
  );
  if (chosen.length === 0) fail(`no script is called ${values.only?.join(" or ")}`);
  const folder = resolve(values.to);
  const clusters = values.kubeconfig === undefined ? await ownClusters(Number(values.clusters)) : [];
  const kubeconfigs = values.kubeconfig === undefined ? clusters.map((each) => each.kubeconfig) : [values.kubeconfig];
  try {
    const runs = Number(values.runs);
    const recordings = new Map<string, Recording[]>(chosen.map(({ id }) => [id, []]));
    async function record(kubeconfig: string, script: Script, run: number): Promise<void> {
      const target = await openRealTarget(kubeconfig);
      try {
        const namespace = `${script.id.replace("/", "-")}-${run}-${Math.random().toString(36).slice(2, 6)}`;
        const recording = recordingOf(await play(script, target, namespace));
        if (script.wholeCluster === true) await untilGone(target, namespace);
        recordings.get(script.id)?.push(recording);
        const restless = recording.steps.findIndex(({ cameToRest }) => !cameToRest);
        if (restless >= 0) process.stderr.write(`${script.id}: step ${restless + 1} did not come to rest\n`);
      } catch (error) {
        process.stderr.write(`${script.id}: ${messageOf(error)}\n`);
      } finally {
        await target.close();
      }
      const made = recordings.get(script.id) ?? [];
      if (made.length < runs) return;
      const news = differencesFrom(vectorOf(script, made.slice(0, -1), VERSIONS), made.at(-1)!).length > 0;
      if (news && made.length < MOST_RUNS) await record(kubeconfig, script, made.length);
      else write(folder, script, made);
    }
    const jobs = Array.from({ length: runs }, (_, run) => chosen.map((script) => ({ script, run }))).flat();
    const alone = jobs.filter(({ script }) => script.wholeCluster === true).values();
    const beside = jobs.filter(({ script }) => script.wholeCluster !== true).values();
    await Promise.all(
      kubeconfigs.map(async (kubeconfig) => {
        await inParallel(beside, Number(values.beside), ({ script, run }) => record(kubeconfig, script, run));
        await inParallel(alone, 1, ({ script, run }) => record(kubeconfig, script, run));
      }),
    );
    if ([...recordings.values()].some(({ length }) => length < runs)) process.exitCode = 1;
    if (values.only === undefined) forget(folder);
  } finally {
    for (const cluster of clusters) await cluster.close();
  }
}

/** The next script must find the nodes empty. */
async function untilGone({ client, pass }: WorkloadTarget, name: string): Promise<void> {
  for (let left = 300; left > 0; left--) {
    if ((await client.find({ apiVersion: "v1", kind: "Namespace", name })) === undefined) return;
    await pass(200);
  }
}

async function ownClusters(count: number): Promise<RealCluster[]> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets === undefined) fail("KUBEBUILDER_ASSETS is not set: deploy/real-cluster/build makes what it should hold");
  const missing = missingPrograms(assets);
  if (missing.length > 0) fail(`${assets} has no ${missing.join(", ")}: deploy/real-cluster/build makes them`);
  return Promise.all(Array.from({ length: count }, () => startRealCluster(assets)));
}

/** Does what several callers take from one queue, each of them so many at a time. */
async function inParallel<T>(queue: Iterator<T>, width: number, work: (item: T) => Promise<void>): Promise<void> {
  async function worker(): Promise<void> {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  }
  await Promise.all(Array.from({ length: width }, worker));
}

function write(folder: string, script: Script, recordings: readonly Recording[]): void {
  const path = join(folder, `${script.id}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(vectorOf(script, recordings, VERSIONS), null, 1)}\n`);
  process.stdout.write(`${script.id}\n`);
}

/** Removes vectors of scripts that are no more. */
function forget(folder: string): void {
  const known = new Set(SCRIPTS.map(({ id }) => `${id}.json`));
  for (const name of existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [])
    if (name.endsWith(".json") && !known.has(name)) rmSync(join(folder, name));
}

function fail(message: string): never {
  process.stderr.write(`record: ${message}\n`);
  process.exit(2);
}

// Ended by a signal, the programs that it started must go as well.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.once(signal, () => process.exit(code));
await main();
