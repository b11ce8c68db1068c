// npm run bench -- failover [--workloads N]: a control plane with its durable store and three simulated clusters in this
// process; one of them stops answering. From the moment at which it is known not to be ready, until replacements are ordered
// for all of its workloads: placed (in their bindings) and told (in the Works of the others).
import { parseArgs } from "node:util";
import type { Cluster } from "../../api/cluster.ts";
import type { Work } from "../../api/work.ts";
import { DEFAULT_SAFE_FAILOVER, failoverSettings } from "../../reconciler/failover/failover-modes.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../reconciler/works/binding.ts";
import { sleep, systemClock } from "../../runtime/clock.ts";
import { deployment, namespaceObject, policy } from "../e2e/support/manifests.ts";
import { applyAll, startPlane, THREE_CLUSTERS } from "../e2e/support/plane.ts";
import { LoopDelay } from "./support-loop-delay.ts";

const LOST = "paris-1";
const REPLICAS = 6;
const NAMESPACE = "bench";
const PLACEMENT = {
  replicaScheduling: {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { dynamicWeight: "AvailableReplicas" },
  },
};

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { workloads: { type: "string", default: "1000" } } });
  const count = Number(values.workloads);
  const settings = failoverSettings("safe");
  const plane = await startPlane({
    engine: "embedded",
    members: THREE_CLUSTERS,
    memberLevel: "idle",
    profile: {
      ...settings,
      safeFailover: { ...DEFAULT_SAFE_FAILOVER, guard: { ...DEFAULT_SAFE_FAILOVER.guard, unreachableAfterMs: 0 } },
    },
  });
  const { informers } = plane.control.context;
  const bindings = informers.of<AnyBinding>(BINDING_API_VERSION, "ResourceBinding");
  const works = informers.of<Work>("work.karmada.io/v1alpha1", "Work");
  const clusters = informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const placed = (): AnyBinding[] =>
    [...bindings.all()].filter(({ spec }) => spec.resource.kind === "Deployment" && sumOf(spec.clusters) === REPLICAS);
  try {
    await applyAll(plane.client, namespaceObject(NAMESPACE), policy({ namespace: NAMESPACE, placement: PLACEMENT }));
    for (let i = 0; i < count; i++) {
      await applyAll(plane.client, deployment({ namespace: NAMESPACE, name: `web-${i}`, replicas: REPLICAS }));
    }
    await until(() => placed().length === count && [...works.all()].length >= count * 3);
    await sleep(systemClock, 3_000);

    const times = new Map<string, number>();
    const note = (what: string): void => void (times.has(what) || times.set(what, performance.now()));
    clusters.subscribe(({ object }) => {
      if (object.metadata.name !== LOST) return;
      if (object.status?.conditions?.some((one) => one.type === "Ready" && one.status !== "True") === true)
        note("detected");
      if (object.spec.taints?.some((taint) => taint.effect === "NoExecute") === true) note("given up");
    });
    const firstGenerations = new Map([...works.all()].map((work) => [work.metadata.uid, work.metadata.generation]));
    const delay = new LoopDelay();
    delay.start();
    plane.member(LOST).setFault("down");
    await until(() => times.has("detected"));
    const cpu = process.cpuUsage();
    await until(() => {
      const moved = placed().filter(({ spec }) => spec.clusters?.every((target) => target.name !== LOST) === true);
      if (moved.length > 0) note("first placed");
      if (moved.length === count) note("all placed");
      return moved.length === count;
    });
    await until(() => {
      const told = [...works.all()].filter(
        ({ metadata }) =>
          metadata.namespace !== `karmada-es-${LOST}` && firstGenerations.get(metadata.uid) !== metadata.generation,
      );
      return told.length >= count;
    });
    note("all told");
    const { user, system } = process.cpuUsage(cpu);
    const detected = times.get("detected") ?? 0;
    for (const what of ["given up", "first placed", "all placed", "all told"])
      process.stdout.write(
        `${what.padEnd(14)} ${((times.get(what) ?? 0) - detected).toFixed(0).padStart(6)} ms after it is known\n`,
      );
    process.stdout.write(`CPU until then ${((user + system) / 1e6).toFixed(2)} s for ${count} workloads\n`);
    process.stdout.write(`event loop     ${JSON.stringify(delay.take())}\n`);
  } finally {
    await plane.close();
  }
}

function sumOf(clusters: readonly { readonly replicas?: number | undefined }[] | undefined): number {
  return (clusters ?? []).reduce((sum, target) => sum + (target.replicas ?? 0), 0);
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(systemClock, 10);
}
