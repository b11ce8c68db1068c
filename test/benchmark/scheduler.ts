// Bindings scheduled per CPU second, over the fleets Karmada's scheduler was measured with.
import type { Cluster } from "../../api/cluster.ts";
import { cloneJson } from "../../kube/object.ts";
import { FleetIndex } from "../../reconciler/scheduler/fleet/fleet-index.ts";
import { schedule } from "../../reconciler/scheduler/schedule.ts";
import expected from "./scheduler.expected.json" with { type: "json" };
import { KarmadaPeer } from "./support-karmada-peer.ts";
import {
  BENCHMARK_PLACEMENTS,
  type BenchmarkPlacement,
  benchmarkCluster,
  benchmarkFleet,
  benchmarkSpec,
} from "./support-scheduler-fleet.ts";

/** Karmada v1.18.2's scheduler core, in process, one worker: bindings per CPU second, by clusters. */
const KARMADA: Readonly<Record<BenchmarkPlacement, Readonly<Record<number, number>>>> = {
  duplicated: { 10: 7_660, 100: 665, 1000: 70, 5000: 14 },
  "static-weight": { 10: 3_990, 100: 457, 1000: 40, 5000: 8 },
  "dynamic-weight": { 10: 6_960, 100: 701, 1000: 70, 5000: 13 },
  "aggregated-region": { 10: 5_400, 100: 712, 1000: 68, 5000: 12 },
};
const SIZES = [10, 100, 1000, 5000] as const;
const BINDINGS = 1000;

/**
 * `again`: bindings that were seen before, as when a fleet changes nothing. `new`: every binding is a new object, its
 * content has to be read. `report`: before each binding one cluster reports another capacity, so that nothing that
 * depends on capacity can be kept. `labels`: before each binding one cluster has other labels. `placement`: every
 * binding has a placement that was never seen.
 */
const MODES = ["again", "new", "report", "labels", "placement"] as const;
type Mode = (typeof MODES)[number];

/**
 * Prints a row per placement and size. Arguments: milliseconds per figure (300). Where the real Karmada is built
 * (support-karmada-peer.ts) it is measured in the same run, and factors are over that figure.
 */
export async function run(args: readonly string[]): Promise<void> {
  const ms = Number(args[0] ?? 300);
  checkAnswers();
  const peer = KarmadaPeer.start();
  process.stdout.write("bindings per CPU second; factor over Karmada in parentheses\n");
  if (peer === undefined) {
    process.stdout.write(
      "Karmada as recorded; to measure it here: test/conformance/differential/karmada-oracle/build\n",
    );
  }
  process.stdout.write(
    `${"placement".padEnd(18)}${"clusters".padStart(8)}${"recorded".padStart(10)}${peer === undefined ? "" : "here".padStart(10)}${MODES.map((mode) => mode.padStart(20)).join("")}\n`,
  );
  // Object keys are the names of the placements by construction.
  for (const name of Object.keys(BENCHMARK_PLACEMENTS) as BenchmarkPlacement[]) {
    for (const size of SIZES) {
      const recorded = KARMADA[name][size] ?? 0;
      const here = await peer?.measure(benchmarkFleet(size), specsOf(name), ms / 1000);
      const theirs = here?.perCpuSecond ?? recorded;
      const shown = here === undefined ? "" : Math.round(here.perCpuSecond).toLocaleString("en").padStart(10);
      const figures = MODES.map((mode) => {
        const ours = measure(name, size, mode, ms);
        return `${Math.round(ours).toLocaleString("en")} (${Math.round(ours / theirs)}x)`.padStart(20);
      });
      process.stdout.write(
        `${name.padEnd(18)}${String(size).padStart(8)}${recorded.toLocaleString("en").padStart(10)}${shown}${figures.join("")}\n`,
      );
    }
  }
  peer?.stop();
}

function specsOf(name: BenchmarkPlacement) {
  return Array.from({ length: BINDINGS }, (_, j) => cloneJson(benchmarkSpec(j, BENCHMARK_PLACEMENTS[name])));
}

function measure(name: BenchmarkPlacement, size: number, mode: Mode, ms: number): number {
  const fleet = new FleetIndex(benchmarkFleet(size));
  const specs = specsOf(name);
  for (let i = 0; i < 200; i++) once(i);
  let operations = 0;
  let micros = 0;
  while (micros < ms * 1000) {
    // Making new objects is not part of scheduling them.
    const batch = Array.from({ length: 20 }, (_, i) => {
      const spec = specs[(operations + i) % BINDINGS] as (typeof specs)[number];
      if (mode === "placement") {
        const placement = BENCHMARK_PLACEMENTS[name];
        const clusterAffinity = { ...placement.clusterAffinity, exclude: [`never-${operations + i}`] };
        return { ...spec, placement: { ...placement, clusterAffinity } };
      }
      return mode === "new" ? cloneJson(spec) : spec;
    });
    const changes = batch.map((_, i) => changeOf(mode, (operations + i) % size, operations));
    const start = process.cpuUsage();
    for (const [i, spec] of batch.entries()) {
      const change = changes[i];
      if (change !== undefined) fleet.set(change);
      schedule({ spec, fleet });
    }
    const used = process.cpuUsage(start);
    micros += used.user + used.system;
    operations += batch.length;
  }
  return operations / (micros / 1e6);

  function once(i: number): void {
    schedule({ spec: specs[i % BINDINGS] as (typeof specs)[number], fleet });
  }
}

/** What happens to cluster `i` before a binding is scheduled. */
function changeOf(mode: Mode, i: number, serial: number): Cluster | undefined {
  if (mode !== "report" && mode !== "labels") return undefined;
  const cluster = benchmarkCluster(i);
  if (mode === "labels") return { ...cluster, metadata: relabelled(cluster.metadata, serial) };
  const summary = cluster.status?.resourceSummary;
  if (summary?.allocated !== undefined) summary.allocated["pods"] = String(100 + (serial % 7));
  return cluster;
}

function relabelled(metadata: Cluster["metadata"], serial: number): Cluster["metadata"] {
  return {
    ...metadata,
    labels: { ...metadata.labels, serial: String(serial), env: serial % 3 === 0 ? "staging" : "prod" },
  };
}

/** Refuses to measure a scheduler that answers differently from the recorded one. */
function checkAnswers(): void {
  for (const [key, answers] of Object.entries(expected)) {
    // The keys are `placement/clusters`.
    const [name, size] = key.split("/") as [BenchmarkPlacement, string];
    const fleet = new FleetIndex(benchmarkFleet(Number(size)));
    for (const [j, answer] of answers.entries()) {
      const result = schedule({ spec: benchmarkSpec(j, BENCHMARK_PLACEMENTS[name]), fleet });
      const ours = (result.clusters ?? []).map((target) => `${target.name.slice(7)}:${target.replicas}`).join(" ");
      if (ours !== answer) throw new Error(`${key}, binding ${j}: expected ${answer}, got ${ours}`);
    }
  }
}
