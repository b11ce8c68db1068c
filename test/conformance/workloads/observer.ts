// Notes every change in a script's namespace, and in the cluster where the script concerns it.
import { type KubeObject, parseApiVersion } from "../../../kube/object.ts";

/** A change as a watch tells it. */
export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
}

export interface NotedChange extends Change {
  /** The step during which it came. */
  readonly step: number;
}

/** What is followed. Objects that every namespace has by itself are left out, and so are heartbeats. */
export const FOLLOWED: readonly (readonly [apiVersion: string, kind: string, scope: "namespace" | "cluster"])[] = [
  ["apps/v1", "Deployment", "namespace"],
  ["apps/v1", "ReplicaSet", "namespace"],
  ["apps/v1", "StatefulSet", "namespace"],
  ["apps/v1", "DaemonSet", "namespace"],
  ["apps/v1", "ControllerRevision", "namespace"],
  ["v1", "ReplicationController", "namespace"],
  ["batch/v1", "Job", "namespace"],
  ["batch/v1", "CronJob", "namespace"],
  ["v1", "Pod", "namespace"],
  ["v1", "Service", "namespace"],
  ["v1", "Endpoints", "namespace"],
  ["discovery.k8s.io/v1", "EndpointSlice", "namespace"],
  ["policy/v1", "PodDisruptionBudget", "namespace"],
  ["autoscaling/v2", "HorizontalPodAutoscaler", "namespace"],
  ["v1", "ResourceQuota", "namespace"],
  ["v1", "PersistentVolumeClaim", "namespace"],
  ["v1", "Event", "namespace"],
  ["v1", "PersistentVolume", "cluster"],
  ["v1", "Node", "cluster"],
];

export class Observer {
  readonly changes: NotedChange[] = [];
  readonly #namespace: string;
  readonly #wholeCluster: boolean;
  readonly #now: () => number;
  /** The step that is being played; before the first one what was there already is told. */
  step = -1;
  /** When something last changed that a rest waits for. */
  lastChange = 0;

  constructor(namespace: string, wholeCluster: boolean, now: () => number) {
    this.#namespace = namespace;
    this.#wholeCluster = wholeCluster;
    this.#now = now;
  }

  note({ type, object }: Change): void {
    const { namespace } = object.metadata;
    const { group } = parseApiVersion(object.apiVersion);
    const kind = FOLLOWED.find(([apiVersion, name]) => {
      // Stores keep objects at versions of their own.
      return name === object.kind && parseApiVersion(apiVersion).group === group;
    });
    if (kind === undefined) return;
    if (kind[2] === "namespace" ? namespace !== this.#namespace : !this.#wholeCluster) return;
    this.changes.push({ type, object, step: this.step });
    if (object.kind !== "Node") this.lastChange = this.#now();
  }
}
