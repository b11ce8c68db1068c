// What it costs to keep the record of each decision with its binding: processor time and size with records and without,
// and the memory of many bindings. Arguments: bindings (20000), bindings for memory (100000), clusters (1000).
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ResourceBinding } from "../../api/work.ts";
import { decideScheduling } from "../../reconciler/scheduler/decide-scheduling.ts";
import { recordDecision } from "../../reconciler/scheduler/explanation/decision-record.ts";
import { FleetIndex } from "../../reconciler/scheduler/fleet/fleet-index.ts";
import {
  BENCHMARK_PLACEMENTS,
  type BenchmarkPlacement,
  benchmarkFleet,
  benchmarkSpec,
} from "./support-scheduler-fleet.ts";

const NOW = Date.UTC(2026, 0, 1);
const PLACEMENTS = ["dynamic-weight", "static-weight", "aggregated-region"] as const;

export async function run(args: readonly string[]): Promise<void> {
  const count = Number(args[0] ?? 20_000);
  const many = Number(args[1] ?? 100_000);
  const largest = Number(args[2] ?? 1_000);
  for (const size of [3, 100, largest]) {
    for (const name of PLACEMENTS) measureTime(name, size, count);
  }
  measureMemory(largest, many);
}

function bindingOf(j: number, name: BenchmarkPlacement, own: boolean): ResourceBinding {
  const placement = BENCHMARK_PLACEMENTS[name];
  // Another placement for each, which asks for the same.
  const spec = benchmarkSpec(
    j,
    own ? { ...placement, clusterTolerations: [{ key: `own-${j}`, operator: "Exists" }] } : placement,
  );
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: `web-${j}`,
      namespace: "shop",
      generation: 1,
      labels: { "propagationpolicy.karmada.io/permanent-id": "id" },
    },
    spec,
  };
}

function measureTime(name: BenchmarkPlacement, size: number, count: number): void {
  for (const own of [false, true]) {
    const bindings = Array.from({ length: own ? Math.min(count, 2_000) : count }, (_, j) => bindingOf(j, name, own));
    const without = pass(bindings, size, false);
    const recorded = pass(bindings, size, true);
    process.stdout.write(
      `${String(size).padStart(5)} clusters, ${name.padEnd(17)}, ${own ? "own placements   " : "shared placements"}: ` +
        `${without.micros.toFixed(1).padStart(6)} µs a binding without, ${recorded.micros.toFixed(1).padStart(6)} µs with a record of ${recorded.bytes} bytes\n`,
    );
  }
}

function pass(bindings: readonly ResourceBinding[], size: number, records: boolean): { micros: number; bytes: number } {
  let micros = Number.POSITIVE_INFINITY;
  let bytes = 0;
  for (let round = 0; round < 3; round++) {
    const fleet = new FleetIndex(benchmarkFleet(size));
    const start = process.cpuUsage();
    bytes = 0;
    for (const binding of bindings) {
      const decision = decideScheduling(binding, fleet, NOW, { keepOrder: true });
      if (!records) continue;
      const annotations = recordDecision({ binding, fleet, options: {}, decision, now: NOW });
      for (const text of Object.values(annotations)) bytes += text.length;
    }
    const { user, system } = process.cpuUsage(start);
    micros = Math.min(micros, (user + system) / bindings.length);
  }
  return { micros, bytes: Math.round(bytes / bindings.length) };
}

function measureMemory(size: number, count: number): void {
  const fleet = new FleetIndex(benchmarkFleet(size));
  const kept: unknown[] = [];
  const before = held();
  for (let j = 0; j < count; j++) {
    const name = PLACEMENTS[j % PLACEMENTS.length] ?? "dynamic-weight";
    const binding = bindingOf(j, name, false);
    const decision = decideScheduling(binding, fleet, NOW, { keepOrder: true });
    const annotations = recordDecision({ binding, fleet, options: {}, decision, now: NOW });
    kept.push(annotations);
  }
  const after = held();
  process.stdout.write(
    `records of ${count} bindings on ${size} clusters: ${((after - before) / 2 ** 20).toFixed(0)} MiB held in this process (${kept.length} kept)\n`,
  );
}

function held(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
