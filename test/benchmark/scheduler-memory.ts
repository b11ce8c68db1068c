// Memory of many bindings with their placements, decisions and records, over a large fleet, in one process.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ResourceBinding } from "../../api/work.ts";
import { decideScheduling } from "../../reconciler/scheduler/decide-scheduling.ts";
import { recordDecision } from "../../reconciler/scheduler/explanation/decision-record.ts";
import { FleetIndex } from "../../reconciler/scheduler/fleet/fleet-index.ts";
import { BENCHMARK_PLACEMENTS, benchmarkFleet, benchmarkSpec } from "./support-scheduler-fleet.ts";

/** Those whose results do not grow with the fleet: on half of 1,000 clusters each, the results alone would fill memory. */
const PLACEMENTS = ["dynamic-weight", "static-weight", "aggregated-region"] as const;
const NOW = Date.UTC(2026, 0, 1);
const LIMIT_MIB = 1024;

/** Prints what is held after all are scheduled. Arguments: bindings (100000), clusters (1000). */
export async function run(args: readonly string[]): Promise<void> {
  const bindings = Number(args[0] ?? 100_000);
  const size = Number(args[1] ?? 1000);
  const before = held();
  const fleet = new FleetIndex(benchmarkFleet(size));
  const withFleet = held();
  const kept: ResourceBinding[] = [];
  let targets = 0;
  const start = process.cpuUsage();
  for (let j = 0; j < bindings; j++) {
    const binding = unscheduled(j);
    const decision = decideScheduling(binding, fleet, NOW);
    const record = recordDecision({ binding, fleet, options: {}, decision, now: NOW });
    targets += decision.clusters?.length ?? 0;
    const annotations = { ...binding.metadata.annotations, ...decision.annotations, ...record };
    kept.push({
      ...binding,
      metadata: { ...binding.metadata, annotations },
      spec: { ...binding.spec, clusters: [...(decision.clusters ?? [])] },
      status: decision.status ?? {},
    });
  }
  const { user, system } = process.cpuUsage(start);
  const after = held();
  const total = after.resident / 2 ** 20;
  process.stdout.write(
    `${kept.length.toLocaleString("en")} bindings on ${size.toLocaleString("en")} clusters, ${(targets / bindings).toFixed(1)} targets each, placements ${PLACEMENTS.join(", ")}\n` +
      `fleet         ${mib(withFleet.heap - before.heap)}\n` +
      `bindings      ${mib(after.heap - withFleet.heap)}, ${Math.round((after.heap - withFleet.heap) / bindings)} bytes each\n` +
      `process       ${mib(after.resident)} resident (limit ${LIMIT_MIB} MiB: ${total < LIMIT_MIB ? "kept" : "BROKEN"})\n` +
      `scheduling    ${((user + system) / 1e6).toFixed(1)} CPU-seconds, making the bindings and their records included\n`,
  );
  if (total >= LIMIT_MIB) process.exitCode = 1;
}

/** As it is read from the store: nothing is shared with other bindings. */
function unscheduled(j: number): ResourceBinding {
  const placement = BENCHMARK_PLACEMENTS[PLACEMENTS[j % PLACEMENTS.length] ?? "dynamic-weight"];
  const binding: ResourceBinding = {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: `web-${j}-deployment`,
      namespace: "shop",
      uid: `10000000-0000-4000-8000-${String(j).padStart(12, "0")}`,
      generation: 1,
      resourceVersion: String(j),
      creationTimestamp: "2026-01-01T00:00:00Z",
      finalizers: ["karmada.io/binding-controller"],
      labels: {
        "propagationpolicy.karmada.io/permanent-id": "5d8d9a4b-7c0e-4a39-9d0c-2f6f6a6a1c11",
        "resourcebinding.karmada.io/permanent-id": `20000000-0000-4000-8000-${String(j).padStart(12, "0")}`,
      },
      annotations: {
        "propagationpolicy.karmada.io/name": "web",
        "propagationpolicy.karmada.io/namespace": "shop",
      },
    },
    spec: benchmarkSpec(j, placement),
  };
  return JSON.parse(JSON.stringify(binding));
}

function held(): { readonly resident: number; readonly heap: number } {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") for (let i = 0; i < 3; i++) collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`.padStart(9);
}
