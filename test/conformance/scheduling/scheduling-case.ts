// A recorded case: a cluster, Pods one after the other, and what the real kube-scheduler did with each.

import { fitMessage, NO_NODES } from "../../../fleets/simulator/scheduler/fit-message.ts";
import { ownSelector } from "../../../fleets/simulator/scheduler/own-selector.ts";
import { placePod } from "../../../fleets/simulator/scheduler/place-pod.ts";
import { readPod } from "../../../fleets/simulator/scheduler/pod-facts.ts";
import { findPreemption } from "../../../fleets/simulator/scheduler/preemption.ts";
import { SchedulerCache } from "../../../fleets/simulator/scheduler/scheduler-cache.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { Random } from "../../../runtime/random.ts";

export interface SchedulingStep {
  /** As the server stored it, not yet scheduled. */
  readonly pod: KubeObject;
  /** Where it went; undefined when to no node. */
  readonly node?: string;
  /** What its condition PodScheduled said. */
  readonly message?: string;
  /** The node that was to be made free for it. */
  readonly nominated?: string;
  /** Which Pods had to go for that. */
  readonly victims?: readonly string[];
}

export interface SchedulingCase {
  readonly name: string;
  readonly namespaces: Readonly<Record<string, Record<string, string>>>;
  readonly nodes: readonly KubeObject[];
  readonly services: readonly KubeObject[];
  readonly steps: readonly SchedulingStep[];
}

/** What differs, one line each; none when every Pod went where the real scheduler may have sent it. */
export function replayCase({ namespaces, nodes, services, steps }: SchedulingCase): string[] {
  const cache = new SchedulerCache();
  for (const [name, labels] of Object.entries(namespaces)) cache.setNamespace(name, labels);
  for (const node of nodes) cache.setNode(node);
  const storage = {
    get: (): undefined => undefined,
    list: (resource: string, namespace?: string): KubeObject[] =>
      resource === "services" ? services.filter(({ metadata }) => metadata.namespace === namespace) : [],
  };
  const differences: string[] = [];
  for (const step of steps) {
    const pod = readPod(step.pod);
    if (pod.nodeName === undefined) {
      const difference = compareStep(step, cache, storage);
      if (difference !== undefined) differences.push(`${pod.key}: ${difference}`);
    }
    const node = pod.nodeName ?? step.node;
    if (node !== undefined) cache.setPod(pod, node);
  }
  return differences;
}

function compareStep(
  step: SchedulingStep,
  cache: SchedulerCache,
  storage: { get(): undefined; list(resource: string, namespace?: string): KubeObject[] },
): string | undefined {
  const pod = readPod(step.pod);
  const random = new Random(1);
  if (cache.nodes().length === 0) return step.message === NO_NODES ? undefined : `expected ${step.message}`;
  const placement = { cache, storage, ownSelector: () => ownSelector(pod, storage) };
  const result = placePod(pod, placement, random);
  if (result.fits) {
    const best = result.best.map(({ name }) => name);
    if (step.node !== undefined && best.includes(step.node)) return undefined;
    return `went to ${step.node ?? `no node (${step.message})`}, ours are ${best.join(", ")}`;
  }
  const found = findPreemption(pod, result.diagnosis, result.cycle, cache, () => [], random);
  const message = fitMessage(cache.nodes().length, result.diagnosis, found.helps ? undefined : found.message);
  if (step.node !== undefined) return `went to ${step.node}, ours: ${message}`;
  if (message !== step.message) return `said "${step.message}", ours "${message}"`;
  const ours = found.helps ? found.candidate.victims.length : 0;
  const theirs = step.victims?.length ?? 0;
  return ours === theirs
    ? undefined
    : `had ${step.victims?.join(", ")} go, ours ${JSON.stringify(found.helps ? found.candidate.victims.map(({ key }) => key) : [])}`;
}

/** A stored object without what differs from run to run and counts nothing here. */
export function withoutNoise(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const status = isObject(object["status"]) ? { ...object["status"] } : undefined;
  if (object.kind === "Pod") delete status?.["conditions"];
  return { ...object, metadata, ...(status === undefined ? {} : { status }) };
}
