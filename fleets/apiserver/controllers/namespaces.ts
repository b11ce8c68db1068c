// The life of namespaces: what a new one contains, and how a deleted one is emptied.
import { cloneJson, isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { isFinished, NAMESPACES } from "../handlers/write.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { ServerContext } from "../server-context.ts";
import type { Change } from "../storage/change-ring.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { Deletions } from "./deletions.ts";
import { createServerObject } from "./server-objects.ts";

const FINALIZER = "kubernetes";
const MANAGER = "kube-controller-manager";
const ROOT_CA = "kube-root-ca.crt";
const IMMEDIATELY = {
  dryRun: false,
  gracePeriodSeconds: 0,
  propagation: "Background",
  uid: undefined,
  resourceVersion: undefined,
} as const;

/** Creates a namespace unless it is there, or Namespaces are not served. */
export function createNamespace(server: ServerContext, name: string): void {
  createObject(server, "namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } }, "kube-apiserver");
}

function createObject(server: ServerContext, plural: string, json: JsonObject, manager: string): void {
  createServerObject(server, { group: "", version: "v1", plural }, json, manager);
}

/** Fills new namespaces and empties deleted ones. */
export class NamespaceWorker {
  readonly #server: ServerContext;
  /** Namespaces that are being deleted, with whether a pass is due. */
  readonly #dying = new Set<string>();
  readonly #due = new Set<string>();
  readonly #deletions: Deletions;
  #scheduled = false;
  #stopped = false;

  constructor(server: ServerContext) {
    this.#server = server;
    this.#deletions = new Deletions(server, "namespace-controller");
  }

  start(): void {
    const { store } = this.#server;
    for (const stored of store.list(NAMESPACES)) this.#onNamespace(stored);
    store.subscribeAll((change) => this.#onChange(change));
  }

  /** Whether it has something to do at the end of this turn. */
  get isBusy(): boolean {
    return this.#scheduled;
  }

  stop(): void {
    this.#stopped = true;
    this.#deletions.stop();
  }

  /** Publishes the certificate authority in every namespace. */
  publishCa(): void {
    for (const stored of this.#server.store.list(NAMESPACES)) this.#fill(stored);
  }

  #onChange(change: Change): void {
    const { object } = change;
    if (object.resource === NAMESPACES) {
      if (change.type === "DELETED") this.#dying.delete(object.name);
      else this.#onNamespace(object);
    } else if (change.type === "DELETED" && this.#dying.has(object.namespace)) this.#schedule(object.namespace);
  }

  #onNamespace(stored: StoredObject): void {
    if (stored.object.metadata.deletionTimestamp === undefined) {
      if (stored.object.metadata.resourceVersion !== undefined) this.#schedule(stored.name);
      return;
    }
    this.#dying.add(stored.name);
    this.#schedule(stored.name);
  }

  #schedule(namespace: string): void {
    this.#due.add(namespace);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#work());
  }

  #work(): void {
    this.#scheduled = false;
    const names = [...this.#due];
    this.#due.clear();
    for (const name of names) {
      if (this.#stopped) return;
      const stored = this.#server.store.get({ resource: NAMESPACES, namespace: "", name });
      if (stored === undefined) continue;
      try {
        if (stored.object.metadata.deletionTimestamp === undefined) this.#fill(stored);
        else this.#empty(stored);
      } catch (error) {
        this.#server.logger.warn("failed to keep a namespace", { object: name, error: messageOf(error) });
      }
    }
  }

  #fill(stored: StoredObject): void {
    if (stored.object.metadata.deletionTimestamp !== undefined) return;
    const server = this.#server;
    const namespace = stored.name;
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } };
    createObject(server, "serviceaccounts", account, MANAGER);
    if (server.caPem === "") return;
    const annotations = {
      "kubernetes.io/description":
        "Contains a CA bundle that can be used to verify the certificates of this API server.",
    };
    const metadata = { name: ROOT_CA, namespace, annotations };
    const data = { "ca.crt": server.caPem };
    createObject(server, "configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata, data }, MANAGER);
  }

  #empty(stored: StoredObject): void {
    const { store, registry } = this.#server;
    const namespace = stored.name;
    let remains = false;
    for (const resource of store.resources()) {
      const kind = registry.byStorage(resource)[0];
      if (kind === undefined || !kind.namespaced) continue;
      for (const object of [...store.list(resource, namespace)]) {
        if (object.object.metadata.deletionTimestamp === undefined || object.resource === "pods") {
          this.#delete(kind, object);
        }
      }
      if (store.list(resource, namespace).length > 0) remains = true;
    }
    if (!remains) this.#finalize(stored);
  }

  #delete(kind: KindStrategy, object: StoredObject): void {
    this.#deletions.start(kind, object, IMMEDIATELY, () => this.#schedule(object.namespace));
  }

  #finalize(stored: StoredObject): void {
    const updated: KubeObject = cloneJson(stored.object);
    const spec = isObject(updated["spec"]) ? { ...updated["spec"] } : {};
    const finalizers = Array.isArray(spec["finalizers"]) ? spec["finalizers"] : [];
    if (!finalizers.includes(FINALIZER)) return;
    const kept = finalizers.filter((finalizer) => finalizer !== FINALIZER);
    if (kept.length === 0) delete spec["finalizers"];
    else spec["finalizers"] = kept;
    updated["spec"] = spec;
    if (isFinished(updated)) this.#server.store.remove(stored);
    else this.#server.store.put(stored, updated);
  }
}
