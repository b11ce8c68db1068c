// record [CASES] [SEED] [compare]: plays random clusters on the real kube-scheduler, compares ours with it, and writes the
// cases to test/conformance/vectors/scheduling (with `compare` only those that differ). Needs etcd, kube-apiserver and kube-scheduler in $KUBEBUILDER_ASSETS.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { podCondition } from "../../../fleets/simulator/controllers/pod-object.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isObject, type KubeObject, refOf } from "../../../kube/object.ts";
import { Random } from "../../../runtime/random.ts";
import { eventually } from "../../e2e/support/eventually.ts";
import { findKubeAssets } from "../../e2e/support/real-api-server.ts";
import { findProgram } from "../../find-program.ts";
import { NAMESPACES, PRIORITIES, randomCluster } from "./random-cluster.ts";
import { startRealScheduler } from "./real-scheduler.ts";
import { replayCase, type SchedulingCase, type SchedulingStep, withoutNoise } from "./scheduling-case.ts";

const FOLDER = join(import.meta.dirname, "../vectors/scheduling");
/** The scheduler hears of what was written a moment later. */
const LAG_MS = 60;

async function recordCase(client: KubeClient, seed: number): Promise<SchedulingCase> {
  const name = `s${seed}`;
  const cluster = randomCluster(new Random(seed), name);
  const nodes: KubeObject[] = [];
  for (const node of cluster.nodes) nodes.push(withoutNoise(await createNode(client, node)));
  const services: KubeObject[] = [];
  for (const service of cluster.services) services.push(withoutNoise(await client.create(service)));
  // Nodes come to its notice later than Pods.
  await new Promise((resolve) => setTimeout(resolve, 5 * LAG_MS));
  const steps: SchedulingStep[] = [];
  const pods: KubeObject[] = [];
  const removed = new Set<KubeObject>();
  for (const wanted of cluster.pods) {
    const pod = await client.create(wanted);
    pods.push(pod);
    const isBound = isObject(pod["spec"]) && pod["spec"]["nodeName"] !== undefined;
    const step = isBound ? { pod } : await waitForStep(client, pod, pods, removed);
    steps.push({ ...step, pod: withoutNoise(pod) });
    // After a preemption nothing is as it was.
    if (step.victims !== undefined) break;
    // It would be placed when something changes, and nobody would know when.
    if (step.message !== undefined) {
      removed.add(pod);
      await remove(client, pod);
    }
    await pause();
  }
  for (const pod of pods) await remove(client, pod);
  for (const object of [...cluster.nodes, ...cluster.services]) await client.delete(refOf(object));
  await pause();
  return { name, namespaces: NAMESPACES, nodes, services, steps };
}

async function remove(client: KubeClient, { metadata }: KubeObject): Promise<void> {
  const options = { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: 0 };
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
  await client.raw("DELETE", path, options).catch(() => undefined);
}

async function createNode(client: KubeClient, node: KubeObject): Promise<KubeObject> {
  const created = await client.create(node);
  await client.update({ ...created, status: node["status"] }, { subresource: "status" });
  const { taints = null, unschedulable = null } = node["spec"] as { taints?: unknown[]; unschedulable?: boolean };
  const all = [
    ...(taints ?? []),
    // What the node-lifecycle controller would do.
    ...(unschedulable === true ? [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] : []),
  ];
  return client.patch(refOf(created), { spec: { taints: all.length === 0 ? null : all } }, "merge");
}

async function waitForStep(
  client: KubeClient,
  pod: KubeObject,
  pods: readonly KubeObject[],
  removed: ReadonlySet<KubeObject>,
): Promise<SchedulingStep> {
  let present = pod;
  await eventually(
    async () => {
      present = await client.get(refOf(pod));
      if (podCondition(present, "PodScheduled") === undefined) throw new Error("undecided");
    },
    { withinMs: 20_000, what: `a decision on ${pod.metadata.name}` },
  );
  const node = (present["spec"] as { nodeName?: string }).nodeName;
  if (node !== undefined) return { pod, node };
  const message = String(podCondition(present, "PodScheduled")?.message);
  const nominated = (present["status"] as { nominatedNodeName?: string }).nominatedNodeName;
  if (nominated === undefined) return { pod, message };
  await new Promise((resolve) => setTimeout(resolve, 300));
  const victims: string[] = [];
  for (const each of pods) {
    if (each === pod) continue;
    const found = await client.get(refOf(each)).catch(() => undefined);
    const isGone = found === undefined ? !removed.has(each) : podCondition(found, "DisruptionTarget") !== undefined;
    if (isGone) victims.push(`${each.metadata.namespace}/${each.metadata.name}`);
  }
  return { pod, message, nominated, victims };
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LAG_MS));
}

async function main(cases: number, firstSeed: number, keepsAll: boolean): Promise<number> {
  const assets = findKubeAssets();
  const program = findProgram("kube-scheduler");
  if (assets === undefined || program === undefined) throw new Error("there is no kube-scheduler to record");
  const real = await startRealScheduler(assets, program);
  let differing = 0;
  try {
    for (const [name, labels] of Object.entries(NAMESPACES))
      await real.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    for (const [name, value] of Object.entries(PRIORITIES))
      await real.client.create({
        apiVersion: "scheduling.k8s.io/v1",
        kind: "PriorityClass",
        metadata: { name },
        value,
        ...(name === "polite" ? { preemptionPolicy: "Never" } : {}),
      });
    mkdirSync(FOLDER, { recursive: true });
    for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
      const recorded = await recordCase(real.client, seed);
      const differences = replayCase(recorded);
      if (differences.length > 0) differing++;
      for (const difference of differences) console.log(difference);
      if (keepsAll || differences.length > 0)
        writeFileSync(join(FOLDER, `${recorded.name}.json`), `${JSON.stringify(recorded)}\n`);
    }
  } finally {
    await real.close();
  }
  console.log(`${cases} cases, ${differing} differ`);
  return differing === 0 ? 0 : 1;
}

const [cases = "20", seed = "1", mode = "record"] = process.argv.slice(2);
process.exitCode = await main(Number(cases), Number(seed), mode !== "compare");
