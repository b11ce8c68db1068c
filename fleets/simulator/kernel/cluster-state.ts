// What the controllers of a simulated cluster see of it: always the present state, never a copy that lags.
import type { KubeObject } from "../../../kube/object.ts";
import type { ServerState } from "../../apiserver/server.ts";

/** A storage key of the server: `apps/deployments`, `pods`, `nodes`. */
export type Resource = string;

/** A committed write, as controllers are told of it. */
export interface StateChange {
  readonly type: "added" | "updated" | "deleted";
  readonly resource: Resource;
  /** The new state; the last one when it was deleted. Shared: never change it. */
  readonly object: KubeObject;
  /** The state before; undefined when it was added. Reading it may cost: ask only when you must. */
  previous(): KubeObject | undefined;
}

interface Place {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** What may be adopted by a workload that selects it. */
const ADOPTABLE: ReadonlySet<Resource> = new Set(["pods", "apps/replicasets", "apps/controllerrevisions"]);

/** Sets of objects by something that they have in common. */
class Index {
  readonly #groups = new Map<string, Map<string, Place>>();
  readonly #groupOf = new Map<string, string>();

  put(place: Place, group: string | undefined): void {
    const key = keyOf(place);
    const before = this.#groupOf.get(key);
    if (before === group) return;
    this.remove(place);
    if (group === undefined) return;
    this.#groupOf.set(key, group);
    const places = this.#groups.get(group) ?? new Map<string, Place>();
    this.#groups.set(group, places);
    places.set(key, place);
  }

  remove(place: Place): void {
    const key = keyOf(place);
    const group = this.#groupOf.get(key);
    if (group === undefined) return;
    this.#groupOf.delete(key);
    const places = this.#groups.get(group);
    places?.delete(key);
    if (places?.size === 0) this.#groups.delete(group);
  }

  places(group: string): Iterable<Place> {
    return this.#groups.get(group)?.values() ?? [];
  }
}

/** The state of one cluster, read from its server's store, with the indexes that controllers need. Objects are shared. */
export class ClusterState {
  readonly #server: ServerState;
  readonly #byController = new Index();
  readonly #byNode = new Index();

  constructor(server: ServerState) {
    this.#server = server;
  }

  get(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#server.get({ resource, namespace: namespace ?? "", name })?.object;
  }

  /** The objects of a resource in one namespace or in all, by namespace and name. */
  list(resource: Resource, namespace?: string): KubeObject[] {
    return this.#server.list(resource, namespace).map((stored) => stored.object);
  }

  /** Everything that the cluster has ever held an object of. */
  resources(): readonly Resource[] {
    return this.#server.resources();
  }

  count(resource: Resource): number {
    return this.#server.count(resource);
  }

  /** Objects whose controlling owner is `owner`, those on their way out included, oldest first. */
  ownedBy(owner: KubeObject, resource: Resource): KubeObject[] {
    return this.#read(this.#byController, `${resource} ${owner.metadata.uid ?? ""}`);
  }

  /** Pods, ReplicaSets or ControllerRevisions of a namespace that nobody controls, oldest first. */
  orphans(resource: Resource, namespace: string): KubeObject[] {
    return this.#read(this.#byController, orphanGroup(resource, namespace));
  }

  /** Pods that are bound to a node, oldest first. */
  podsOn(node: string): KubeObject[] {
    return this.#read(this.#byNode, node);
  }

  #read(index: Index, group: string): KubeObject[] {
    const objects: KubeObject[] = [];
    for (const place of index.places(group)) {
      const stored = this.#server.get(place);
      if (stored !== undefined) objects.push(stored.object);
    }
    return objects;
  }

  /** Keeps the indexes; called for each change before any controller hears of it. */
  note({ type, resource, object }: StateChange): void {
    const { namespace = "", name = "", ownerReferences } = object.metadata;
    const place = { resource, namespace, name };
    if (type === "deleted") {
      this.#byController.remove(place);
      this.#byNode.remove(place);
      return;
    }
    const owner = ownerReferences?.find((each) => each.controller === true);
    const orphaned = ADOPTABLE.has(resource) ? orphanGroup(resource, namespace) : undefined;
    this.#byController.put(place, owner === undefined ? orphaned : `${resource} ${owner.uid}`);
    if (resource === "pods") this.#byNode.put(place, nodeNameOf(object));
  }
}

function orphanGroup(resource: Resource, namespace: string): string {
  return `${resource} in ${namespace}`;
}

function keyOf({ resource, namespace, name }: Place): string {
  return `${resource} ${namespace}/${name}`;
}

/** The node that a Pod is bound to; undefined while there is none. */
export function nodeNameOf(pod: KubeObject): string | undefined {
  const name = (pod["spec"] as { nodeName?: string } | undefined)?.nodeName;
  return name === "" ? undefined : name;
}
