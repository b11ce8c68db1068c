// Watches every kind that can be a template: what the control plane serves, less what is never propagated.
import type { Change, Informer } from "../../../kube/client/informer.ts";
import type { ResourceInfo } from "../../../kube/client/rest-mapper.ts";
import { formatApiVersion, type GroupVersionKind, type KubeObject, parseApiVersion } from "../../../kube/object.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { readSkipList, type SkipList, whyNotTemplateKind } from "../../policies/considered.ts";
import type { ControllerContext } from "../context.ts";

/** As Karmada: discovery is read again every 30 seconds; a new definition is noticed at once. */
const REFRESH_MS = 30_000;
/** A definition is established moments before discovery has its kind. */
const UNSERVED_REFRESH_MS = 250;
/** More often than this nobody waits for a kind that does not come. */
const UNSERVED_REFRESHES = 20;
const DEFINITION = ["apiextensions.k8s.io/v1", "CustomResourceDefinition"] as const;

export class TemplateWatch {
  readonly skipped: SkipList;
  readonly #context: ControllerContext;
  readonly #informers = new Map<string, Informer>();
  readonly #listeners: ((change: Change<KubeObject>) => void)[] = [];
  readonly #kindListeners: ((apiVersion: string, kind: string) => void)[] = [];
  readonly #started = Promise.withResolvers<void>();
  #hasStarted = false;
  #timer: Timer | undefined;
  #stopped = false;
  #refreshing: Promise<void> | undefined;
  #again = false;
  /** How often discovery is still read again soon. */
  #hurries = 0;

  constructor(context: ControllerContext) {
    this.#context = context;
    const { skippedApis, skippedNamespaces } = context.profile;
    this.skipped = readSkipList({ skippedApis: skippedApis.join(";"), skippedNamespaces });
  }

  subscribe(listener: (change: Change<KubeObject>) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls `listener` with each kind that is watched no more; nothing is told of its objects. */
  onKindGone(listener: (apiVersion: string, kind: string) => void): void {
    this.#kindListeners.push(listener);
  }

  /** Whether objects of that kind, in that version, are looked at. */
  watches(apiVersion: string, kind: string): boolean {
    return this.#informers.has(`${apiVersion}/${kind}`);
  }

  /** The version in which a group's kind is watched; undefined when it is not. */
  watchedVersion(group: string, kind: string): string | undefined {
    for (const key of this.#informers.keys()) {
      const slash = key.lastIndexOf("/");
      const apiVersion = key.slice(0, slash);
      if (key.slice(slash + 1) === kind && parseApiVersion(apiVersion).group === group) return apiVersion;
    }
    return undefined;
  }

  async start(): Promise<void> {
    this.#context.informers.of(...DEFINITION).subscribe((change) => {
      const before = change.type === "updated" ? change.previous : undefined;
      if (
        change.type !== "updated" ||
        before?.metadata.generation !== change.object.metadata.generation ||
        !isEstablished(before)
      ) {
        this.#hurries = UNSERVED_REFRESHES;
        void this.refresh();
      }
    });
    await this.refresh();
    this.#hasStarted = true;
    this.#started.resolve();
  }

  /** Resolves when every object of the kinds that were served at the start is known. */
  async synced(): Promise<void> {
    await this.#started.promise;
    await this.#context.informers.synced();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The template with that identity, if its kind is watched. */
  find(apiVersion: string, kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#informers.get(`${apiVersion}/${kind}`)?.get(namespace, name);
  }

  /** Whether every object of a kind is known, or the kind is not watched. */
  isLoaded(apiVersion: string, kind: string): boolean {
    return this.#hasStarted && this.#informers.get(`${apiVersion}/${kind}`)?.hasSynced !== false;
  }

  /** The objects of one kind. */
  ofKind(apiVersion: string, kind: string): Iterable<KubeObject> {
    return this.#informers.get(`${apiVersion}/${kind}`)?.all() ?? [];
  }

  /** The kinds that are watched. */
  *kinds(): Generator<GroupVersionKind> {
    for (const key of this.#informers.keys()) {
      const slash = key.lastIndexOf("/");
      yield { ...parseApiVersion(key.slice(0, slash)), kind: key.slice(slash + 1) };
    }
  }

  *all(): Generator<KubeObject> {
    for (const informer of this.#informers.values()) yield* informer.all();
  }

  /** Reads discovery and adjusts what is watched. Calls during a refresh lead to one more after it. */
  refresh(): Promise<void> {
    if (this.#refreshing !== undefined) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#read().finally(() => {
      this.#refreshing = undefined;
      if (this.#again && !this.#stopped) {
        this.#again = false;
        void this.refresh();
      }
    });
    return this.#refreshing;
  }

  async #read(): Promise<void> {
    const { client, clock, logger, informers } = this.#context;
    this.#timer?.cancel();
    let isComplete = true;
    try {
      await client.mapper.refresh();
      const resources = await client.mapper.all();
      isComplete = this.#hurries === 0 || servesEvery(informers.of(...DEFINITION).all(), resources);
      const wanted = templateKinds(resources, this.skipped);
      for (const [apiVersion, kind] of wanted) {
        const key = `${apiVersion}/${kind}`;
        if (this.#stopped || this.#informers.has(key)) continue;
        const informer = informers.of(apiVersion, kind);
        this.#informers.set(key, informer);
        informer.subscribe((change) => {
          for (const listener of this.#listeners) listener(change);
        });
      }
      const served = new Set(wanted.map(([apiVersion, kind]) => `${apiVersion}/${kind}`));
      for (const key of [...this.#informers.keys()]) {
        if (served.has(key)) continue;
        this.#informers.delete(key);
        const slash = key.lastIndexOf("/");
        const [apiVersion, kind] = [key.slice(0, slash), key.slice(slash + 1)];
        await informers.drop(apiVersion, kind);
        for (const listener of this.#kindListeners) listener(apiVersion, kind);
      }
    } catch (error) {
      logger.warn("discovery failed", { error: messageOf(error) });
    }
    if (this.#stopped) return;
    this.#hurries = isComplete ? 0 : this.#hurries - 1;
    this.#timer = clock.after(isComplete ? REFRESH_MS : UNSERVED_REFRESH_MS, () => void this.refresh());
  }
}

function isEstablished(definition: KubeObject | undefined): boolean {
  const status = definition?.["status"] as { conditions?: readonly { type: string; status: string }[] } | undefined;
  return (
    status?.conditions?.some((condition) => condition.type === "Established" && condition.status === "True") === true
  );
}

/** Whether discovery has the kinds of all definitions that are established. */
function servesEvery(definitions: Iterable<KubeObject>, resources: readonly ResourceInfo[]): boolean {
  const served = new Set(resources.map(({ group, kind }) => `${group}/${kind}`));
  for (const definition of definitions) {
    if (!isEstablished(definition) || definition.metadata.deletionTimestamp !== undefined) continue;
    const { group, names } = definition["spec"] as { group: string; names: { kind: string } };
    if (!served.has(`${group}/${names.kind}`)) return false;
  }
  return true;
}

/** The kinds to watch, each in the first version in which its group serves it. */
function templateKinds(
  resources: readonly ResourceInfo[],
  skipped: SkipList,
): (readonly [apiVersion: string, kind: string])[] {
  const kinds = new Map<string, readonly [string, string]>();
  for (const { group, version, kind, verbs } of resources) {
    const key = `${group}/${kind}`;
    if (kinds.has(key) || !["list", "watch", "delete"].every((verb) => verbs.includes(verb))) continue;
    const apiVersion = formatApiVersion(group, version);
    // Our own sources and syncs stay at home.
    if (group !== "gitops.flaghoist.io" && whyNotTemplateKind(apiVersion, kind, skipped) === undefined)
      kinds.set(key, [apiVersion, kind]);
  }
  return [...kinds.values()];
}
