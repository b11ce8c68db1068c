// npm run differential -- workloads [--seed N] [--cases 20] [--runs 3] [--beside 5] [--kubeconfig FILE] [--write DIR]: plays random scripts on
// real Kubernetes, as record does, and on the simulator, and prints where the simulator does what no run did. Each case is
// named by its seed: `--seed N --cases 1` makes it again. `--write` keeps those that differ as vectors.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../../runtime/errors.ts";
import { Random } from "../../../runtime/random.ts";
import { play } from "../workloads/play.ts";
import { randomScript } from "../workloads/random-script.ts";
import { missingPrograms, startRealCluster } from "../workloads/real-cluster.ts";
import { openRealTarget } from "../workloads/real-target.ts";
import { type Recording, recordingOf } from "../workloads/recording.ts";
import type { Script } from "../workloads/script.ts";
import { openSimulatedTarget } from "../workloads/simulated-target.ts";
import type { WorkloadTarget } from "../workloads/target.ts";
import { differencesFrom, vectorOf } from "../workloads/vector.ts";

/** The command. */
export async function runWorkloads(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      cases: { type: "string", default: "20" },
      runs: { type: "string", default: "3" },
      beside: { type: "string", default: "5" },
      kubeconfig: { type: "string" },
      write: { type: "string" },
    },
  });
  // Ended by a signal, the programs that it started must go as well.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  const assets = process.env["KUBEBUILDER_ASSETS"] ?? "";
  if (values.kubeconfig === undefined && missingPrograms(assets).length > 0) {
    process.stderr.write("differential: KUBEBUILDER_ASSETS lacks programs that deploy/real-cluster/build makes\n");
    process.exit(2);
  }
  const cluster = values.kubeconfig === undefined ? await startRealCluster(assets) : undefined;
  const kubeconfig = values.kubeconfig ?? cluster?.kubeconfig ?? "";
  const seeds = Array.from({ length: Number(values.cases) }, (_, index) => Number(values.seed) + index);
  const queue = seeds.values();
  let differing = 0;
  async function worker(): Promise<void> {
    for (const seed of queue) {
      const script = randomScript(`random/${seed}`, new Random(seed));
      try {
        const runs: Recording[] = [];
        for (let run = 0; run < Number(values.runs); run++)
          runs.push(await playOn(await openRealTarget(kubeconfig), script, `random-${seed}-${run}`));
        const vector = vectorOf(script, runs, { kubernetes: "v1.36.3", kwok: "v0.8.0" });
        const found = differencesFrom(vector, await playOn(await openSimulatedTarget(), script, `random-${seed}`));
        if (found.length === 0) continue;
        differing++;
        process.stdout.write(`seed ${seed}\n${found.map((line) => `  ${line.slice(0, 600)}\n`).join("")}`);
        if (values.write === undefined) continue;
        const folder = resolve(values.write);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${seed}.json`), `${JSON.stringify(vector, null, 1)}\n`);
      } catch (error) {
        differing++;
        process.stdout.write(`seed ${seed}: ${messageOf(error)}\n`);
      }
    }
  }
  try {
    await Promise.all(Array.from({ length: Number(values.beside) }, worker));
  } finally {
    await cluster?.close();
  }
  process.stdout.write(`${seeds.length - differing} passed, ${differing} failed\n`);
  process.exitCode = differing > 0 ? 1 : 0;
}

async function playOn(target: WorkloadTarget, script: Script, namespace: string): Promise<Recording> {
  try {
    return recordingOf(await play(script, target, namespace));
  } finally {
    await target.close();
  }
}
