// What a controller of a simulated cluster is.
import type { KubeObject, OwnerReference } from "../../../kube/object.ts";
import type { Logger } from "../../../runtime/logger.ts";
import type { Random } from "../../../runtime/random.ts";
import type { Stage } from "../kubelet/stages/stage.ts";
import type { Reconcile } from "./action.ts";
import type { Behaviours } from "./behaviours.ts";
import type { ClusterState, Resource, StateChange } from "./cluster-state.ts";
import type { Disturbances } from "./disturbances.ts";

/** What a cluster is like, for the controllers that must know. */
export interface ClusterTraits {
  readonly name: string;
  readonly region?: string | undefined;
  readonly provider?: string | undefined;
  /** The availability zone of nodes that say nothing else. */
  readonly zone?: string | undefined;
  /** `v1.36.3`, of nodes that say nothing else. */
  readonly kubernetesVersion: string;
  /** From a container's start to its Pod being ready, milliseconds. */
  readonly readyAfterMs: number;
  /** How long a Job's containers run until they end well, milliseconds. */
  readonly jobRunsMs: number;
  /** How long a new load balancer takes to have an address, milliseconds; a second by default. */
  readonly loadBalancerAfterMs?: number | undefined;
  /** Where addresses of load balancers begin, `10.1.0.0/24`; a place of its own by the cluster's name by default. */
  readonly loadBalancerRange?: string | undefined;
  /** Whether nodes renew their leases and report their status while nothing changes; true when absent. */
  readonly heartbeats?: boolean | undefined;
  /** Whether Events are written. */
  readonly events: boolean;
}

/** Everything a controller may look at. */
export interface World {
  readonly state: ClusterState;
  readonly traits: ClusterTraits;
  /** Faults that reach into the cluster. */
  readonly disturbances: Disturbances;
  /** What containers do when they run. */
  readonly behaviours: Behaviours;
  /** Stages of a scenario, beside those that every cluster has. */
  readonly stages: readonly Stage[];
  readonly random: Random;
  readonly logger: Logger;
  /** Milliseconds since the epoch, on the fleet's clock. */
  now(): number;
}

/** A resource that a controller follows, and which of its keys a change concerns. */
export interface Watch {
  readonly resource: Resource;
  keys(change: StateChange, world: World): Iterable<string>;
}

/**
 * Brings one thing to where its spec wants it, from the whole present state. A controller keeps nothing that cannot be
 * seen in the cluster, but for caches; it is made anew for each cluster, and when a cluster restarts.
 */
export interface Controller {
  /** Named in Events: `deployment-controller`. Without a space, and unlike that of every other. */
  readonly name: string;
  /** Its field manager: `kube-controller-manager`, `kubelet`, `kube-scheduler`. */
  readonly manager: string;
  readonly watches: readonly Watch[];
  /** Called when a fault of the cluster begins, changes or ends: which keys to look at again. */
  disturbed?(world: World): Iterable<string>;
  reconcile(key: string, world: World): Reconcile;
}

/** The key of an object: `namespace/name`, `/name` without a namespace. */
export function objectKey(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}

/** The parts of a key. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Follows the objects that the keys name. */
export function watchSelf(resource: Resource): Watch {
  return { resource, keys: ({ object }) => [objectKey(object)] };
}

/** Follows what objects of a kind own: the key is that of the controlling owner, or of the one that let the object go. */
export function watchOwned(resource: Resource, ownerKind: string): Watch {
  return {
    resource,
    keys: ({ object, previous }) => {
      const owner = controllerOf(object) ?? (previous() === undefined ? undefined : controllerOf(previous()!));
      return owner?.kind === ownerKind ? [`${object.metadata.namespace ?? ""}/${owner.name}`] : [];
    },
  };
}

/** The owner that controls the object; undefined when none does. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((each) => each.controller === true);
}
