// The controllers of a simulated cluster at level `fast`: no pods; each workload gets its final status after a while.
// For hundreds of clusters, and for benchmarks.
import { Informer } from "../../kube/client/informer.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isConflict, isNotFound } from "../../kube/client/status-error.ts";
import { equalJson, isObject, type KubeObject, refOf } from "../../kube/object.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import { type StepResult, WorkQueue } from "../../runtime/work-queue.ts";
import type { Loops } from "./workload-loops.ts";
import {
  daemonSetStatus,
  deploymentStatus,
  isJobAtRest,
  jobStatus,
  type PodCounts,
  replicaSetStatus,
  statefulSetStatus,
  wantedReplicas,
} from "./workload-status.ts";

export interface FastOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodes: number;
  readonly readyAfterMs: number;
}

const KINDS: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["apps/v1", "Deployment"],
  ["apps/v1", "ReplicaSet"],
  ["apps/v1", "StatefulSet"],
  ["apps/v1", "DaemonSet"],
  ["batch/v1", "Job"],
];

export function startFastLoops(options: FastOptions): Loops {
  const stops = KINDS.map(([apiVersion, kind]) => startKind(options, apiVersion, kind));
  return {
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

function startKind(options: FastOptions, apiVersion: string, kind: string): () => Promise<void> {
  const { client, clock, logger, readyAfterMs } = options;
  const informer = new Informer({ client, apiVersion, kind, clock, logger });
  const seen = new Map<string, { readonly generation: number | undefined; readonly at: number }>();
  const queue = new WorkQueue(
    { name: `simulated-${kind}`, clock, logger, workers: 4, minBackoffMs: 20, maxBackoffMs: 1_000 },
    step,
  );
  informer.subscribe((change) => {
    const key = `${change.object.metadata.namespace ?? ""}/${change.object.metadata.name ?? ""}`;
    if (change.type === "deleted") seen.delete(key);
    else queue.add(key);
  });
  informer.start();

  async function step(key: string): Promise<StepResult | undefined> {
    const [namespace, name] = key.split("/");
    const object = informer.get(namespace, name ?? "");
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return undefined;
    if (kind === "Job" && isJobAtRest(object)) return undefined;
    let since = seen.get(key);
    if (since === undefined || since.generation !== object.metadata.generation) {
      since = { generation: object.metadata.generation, at: clock.now() };
      seen.set(key, since);
    }
    const left = since.at + readyAfterMs - clock.now();
    if (left > 0) return { requeueAfterMs: left };
    const status = finalStatus(object, options);
    const known = isObject(object["status"]) ? object["status"] : {};
    if (equalJson({ ...status, conditions: undefined }, { ...known, conditions: undefined })) return undefined;
    try {
      informer.adopt(
        await client.patch(refOf(object), { status }, "merge", {
          subresource: "status",
          fieldManager: "kube-controller-manager",
        }),
      );
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return undefined;
  }

  return async () => {
    await queue.stop();
    await informer.stop();
  };
}

function finalStatus(object: KubeObject, options: FastOptions): Record<string, unknown> {
  const now = options.clock.now();
  const wanted = wantedReplicas(object);
  const counts: PodCounts = { total: wanted, updated: wanted, ready: wanted };
  switch (object.kind) {
    case "Deployment":
      return deploymentStatus(object, counts, now);
    case "StatefulSet":
      return statefulSetStatus(object, counts);
    case "DaemonSet":
      return daemonSetStatus(
        object,
        { total: options.nodes, updated: options.nodes, ready: options.nodes },
        options.nodes,
      );
    case "Job":
      return jobStatus(object, now);
    default:
      return replicaSetStatus(object, counts);
  }
}
