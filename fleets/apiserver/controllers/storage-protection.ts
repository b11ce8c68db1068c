// Lets volumes and claims go once nothing uses them: the other half of the finalizers that they get when created.
import { cloneJson, isObject, type KubeObject } from "../../../kube/object.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { isFinished } from "../handlers/write.ts";
import type { ServerContext } from "../server-context.ts";
import type { Change } from "../storage/change-ring.ts";
import type { StoredObject } from "../storage/stored-object.ts";

const CLAIMS = "persistentvolumeclaims";
const VOLUMES = "persistentvolumes";
const PODS = "pods";
const FINALIZERS: Readonly<Record<string, string>> = {
  [CLAIMS]: "kubernetes.io/pvc-protection",
  [VOLUMES]: "kubernetes.io/pv-protection",
};

/**
 * Follows the deletion of claims and volumes, at the end of the turn in which something changed, or `afterMs` later. A claim waits for the
 * Pods on nodes that mount it, a volume while it is bound to a claim. In Kubernetes this is the controller manager's,
 * and one that runs against this server does no harm.
 */
export class StorageProtection {
  readonly #server: ServerContext;
  readonly #afterMs: number | undefined;
  /** Objects that are being deleted and have the finalizer, by resource and key. */
  readonly #waiting = new Map<string, StoredObject>();
  #scheduled = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(server: ServerContext, afterMs?: number) {
    this.#server = server;
    this.#afterMs = afterMs;
  }

  start(): void {
    const { store } = this.#server;
    for (const resource of [CLAIMS, VOLUMES]) {
      for (const stored of store.list(resource)) this.#onObject(stored);
    }
    store.subscribeAll((change) => this.#onChange(change));
  }

  /** Whether it has something to do at the end of this turn. */
  get isBusy(): boolean {
    return this.#scheduled && this.#afterMs === undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #onChange({ type, object }: Change): void {
    if (object.resource === PODS) {
      if (this.#waiting.size > 0) this.#schedule();
      return;
    }
    if (FINALIZERS[object.resource] === undefined) return;
    if (type === "DELETED") this.#waiting.delete(textOf(object));
    else this.#onObject(object);
  }

  #onObject(stored: StoredObject): void {
    const { deletionTimestamp, finalizers = [] } = stored.object.metadata;
    if (deletionTimestamp !== undefined && finalizers.includes(FINALIZERS[stored.resource] ?? "")) {
      this.#waiting.set(textOf(stored), stored);
      this.#schedule();
    } else this.#waiting.delete(textOf(stored));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#afterMs === undefined) setImmediate(() => this.#work());
    else this.#timer = this.#server.clock.after(this.#afterMs, () => this.#work());
  }

  #work(): void {
    this.#scheduled = false;
    for (const [text, seen] of [...this.#waiting]) {
      if (this.#stopped) return;
      try {
        const stored = this.#server.store.get(seen);
        if (stored === undefined) this.#waiting.delete(text);
        else if (!this.#isUsed(stored)) this.#release(stored);
      } catch (error) {
        this.#server.logger.warn("failed to release storage", { object: text, error: messageOf(error) });
      }
    }
  }

  #isUsed(stored: StoredObject): boolean {
    if (stored.resource === VOLUMES) return at(stored.object, "status", "phase") === "Bound";
    return this.#server.store.list(PODS, stored.namespace).some(({ object }) => mounts(object, stored.name));
  }

  #release(stored: StoredObject): void {
    const updated = cloneJson(stored.object);
    const finalizers = (updated.metadata.finalizers ?? []).filter((each) => each !== FINALIZERS[stored.resource]);
    if (finalizers.length === 0) delete updated.metadata.finalizers;
    else updated.metadata.finalizers = finalizers;
    if (isFinished(updated)) this.#server.store.remove(stored);
    else this.#server.store.put(stored, updated);
  }
}

/** Whether a Pod that a node has taken, and that has not ended, mounts the claim. */
function mounts(pod: KubeObject, claim: string): boolean {
  const phase = at(pod, "status", "phase");
  const node = at(pod, "spec", "nodeName");
  if (node === undefined || node === "" || phase === "Succeeded" || phase === "Failed") return false;
  const volumes = at(pod, "spec", "volumes");
  if (!Array.isArray(volumes)) return false;
  return volumes.some((volume) => {
    if (!isObject(volume)) return false;
    const source = volume["persistentVolumeClaim"];
    if (isObject(source)) return source["claimName"] === claim;
    // A claim made for the volume is named for both.
    return isObject(volume["ephemeral"]) && `${pod.metadata.name}-${volume["name"]}` === claim;
  });
}

function at(object: KubeObject, field: string, inner: string): unknown {
  const value = object[field];
  return isObject(value) ? value[inner] : undefined;
}

function textOf({ resource, namespace, name }: StoredObject): string {
  return `${resource} ${namespace}/${name}`;
}
