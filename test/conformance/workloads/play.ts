// Plays a script on a cluster and notes everything that changes meanwhile.
import type { KubeObject } from "../../../kube/object.ts";
import { BETWEEN_REQUESTS_MS, doAct } from "./acts.ts";
import { type NotedChange, Observer } from "./observer.ts";
import { QUIET_MS, type Script } from "./script.ts";
import type { WorkloadTarget } from "./target.ts";

/** How often a rest looks whether it is over. */
const LOOK_MS = 100;
/** A rest ends after this long although things still change. */
const LONGEST_REST_MS = 40_000;

export interface PlayedStep {
  /** When it began, milliseconds on the cluster's clock. */
  readonly startMs: number;
  /** What the server said to each act. */
  readonly answers: readonly string[];
  /** False when things were still changing at the end of the longest rest. */
  readonly cameToRest: boolean;
}

/** Everything that happened, as it happened. */
export interface Played {
  readonly namespace: string;
  readonly steps: readonly PlayedStep[];
  readonly changes: readonly NotedChange[];
  /** The names of all nodes that the cluster had. */
  readonly nodes: readonly string[];
}

/** Plays a script in a new namespace, and deletes the namespace at the end. */
export async function play(script: Script, target: WorkloadTarget, namespace: string): Promise<Played> {
  const { client } = target;
  await client.create<KubeObject>({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const observer = new Observer(namespace, script.wholeCluster === true, () => target.now());
  const nodes = new Set<string>();
  const end = await target.observe(namespace, (change) => {
    if (change.object.kind === "Node") nodes.add(change.object.metadata.name ?? "");
    observer.note(change);
  });
  const steps: PlayedStep[] = [];
  try {
    for (const { metadata } of (await client.list("v1", "Node")).items) nodes.add(metadata.name ?? "");
    for (const [index, step] of script.steps.entries()) {
      observer.step = index;
      const startMs = target.now();
      const answers: string[] = [];
      for (const act of step.acts) {
        answers.push(await doAct(target, namespace, act));
        await target.pass(BETWEEN_REQUESTS_MS);
      }
      steps.push({ startMs, answers, cameToRest: await rest(target, observer, step.restMs ?? 0) });
    }
  } finally {
    end();
    await client.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
  }
  return { namespace, steps, changes: observer.changes, nodes: [...nodes] };
}

async function rest(target: WorkloadTarget, observer: Observer, atLeastMs: number): Promise<boolean> {
  const began = target.now();
  for (;;) {
    await target.pass(LOOK_MS);
    const now = target.now();
    if (now - began >= atLeastMs && now - Math.max(began, observer.lastChange) >= QUIET_MS) return true;
    if (now - began >= atLeastMs + LONGEST_REST_MS) return false;
  }
}
