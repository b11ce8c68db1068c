// Turns CustomResourceDefinitions into served kinds, and takes them down again.
import { cloneJson, equalJson, formatApiVersion, isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { WebhookClientConfig } from "../admission/webhooks/client-config.ts";
import { ConversionWebhook } from "../crd/conversion.ts";
import { strategyForCrd } from "../crd/custom-kind.ts";
import { ruleCompiler } from "../crd/rule-evaluation.ts";
import { DEFINITION_FINALIZER } from "../handlers/definition-deletion.ts";
import { deleteAdmitted } from "../handlers/delete.ts";
import { ownershipAfterUpdate } from "../handlers/field-ownership.ts";
import { SYSTEM_USER, setManagedFields } from "../handlers/write.ts";
import type { KindStrategy, VersionConverter } from "../registry/kind.ts";
import { compareVersions } from "../registry/registry.ts";
import type { ServerContext } from "../server-context.ts";
import type { Change } from "../storage/change-ring.ts";
import type { StoredObject } from "../storage/stored-object.ts";

const GROUP = "apiextensions.k8s.io";
const RESOURCE = "customresourcedefinitions";
const FINALIZER = DEFINITION_FINALIZER;

interface Names {
  readonly plural: string;
  readonly singular?: string;
  readonly kind: string;
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface Definition {
  readonly group: string;
  readonly names: Names;
  readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[];
  readonly conversion?: {
    readonly strategy: string;
    readonly webhook?: {
      readonly clientConfig?: WebhookClientConfig;
      readonly conversionReviewVersions?: readonly string[];
    };
  };
}

interface Condition {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** Keeps the registry in step with the stored definitions. */
export class CustomResources {
  readonly #server: ServerContext;
  readonly #crdKind: KindStrategy;
  /** The kinds of each definition, by its name. */
  readonly #served = new Map<string, readonly KindStrategy[]>();
  /** What they were built from. */
  readonly #specs = new Map<string, unknown>();
  readonly #dying = new Map<string, () => void>();
  /** `group/plural` of the kinds that the server serves without a definition. */
  readonly #own: ReadonlySet<string>;

  constructor(server: ServerContext, crdKind: KindStrategy) {
    this.#server = server;
    this.#crdKind = crdKind;
    this.#own = new Set(server.registry.all().map(({ group, plural }) => `${group}/${plural}`));
  }

  /** Serves the stored definitions and follows their changes. */
  start(): void {
    const { store } = this.#server;
    for (const stored of store.list(this.#crdKind.storageKey)) this.#onDefinition(stored);
    store.subscribe(this.#crdKind.storageKey, (change) => this.#onChange(change));
  }

  #onChange(change: Change): void {
    try {
      if (change.type === "DELETED") this.#withdraw(change.object.name);
      else {
        // Another write may have followed in the same batch; the newest state decides.
        const present = this.#server.store.get(change.object);
        if (present !== undefined) this.#onDefinition(present);
      }
    } catch (error) {
      this.#server.logger.error("failed to serve a custom resource", {
        object: change.object.name,
        error: messageOf(error),
      });
    }
  }

  #onDefinition(stored: StoredObject): void {
    const crd = stored.object;
    if (crd.metadata.deletionTimestamp !== undefined) {
      this.#serve(stored);
      this.#cleanUp(stored);
      return;
    }
    // The event of this write comes back here and finds nothing to do.
    const updated = this.#withStatus(crd);
    if (!equalJson(updated, crd)) this.#write(stored, updated);
    if (isEstablished(updated)) this.#serve(stored);
    else this.#withdraw(stored.name);
  }

  #serve(stored: StoredObject): void {
    const crd = stored.object;
    if (!isEstablished(crd) && !this.#served.has(stored.name) && crd.metadata.deletionTimestamp !== undefined) return;
    if (equalJson(this.#specs.get(stored.name), crd["spec"])) return;
    const definition = definitionOf(crd);
    if (this.#isOwnKind(definition)) return;
    const versions = definition.versions.filter((version) => version.served).map((version) => version.name);
    const converter = this.#converterOf(crd);
    const options = converter === undefined ? KIND_OPTIONS : { ...KIND_OPTIONS, converter };
    const kinds = versions.sort(compareVersions).map((version) => strategyForCrd(crd, version, options));
    this.#withdraw(stored.name);
    for (const kind of kinds) this.#server.registry.add(kind);
    this.#served.set(stored.name, kinds);
    this.#specs.set(stored.name, crd["spec"]);
  }

  /** The converter of a definition whose versions a webhook converts. */
  #converterOf(crd: KubeObject): VersionConverter | undefined {
    const { conversion, versions, group } = definitionOf(crd);
    if (conversion?.strategy !== "Webhook") return undefined;
    const { clientConfig = {}, conversionReviewVersions = [] } = conversion.webhook ?? {};
    const { store, caller } = this.#server;
    // Not those of the registry: the storage version need not be served.
    const kinds = new Map<string, KindStrategy>();
    for (const { name } of versions) kinds.set(formatApiVersion(group, name), strategyForCrd(crd, name));
    return new ConversionWebhook({
      client: clientConfig,
      reviewVersions: conversionReviewVersions,
      store,
      caller,
      strategyOf: (apiVersion) => kinds.get(apiVersion),
    });
  }

  #withdraw(name: string): void {
    for (const kind of this.#served.get(name) ?? []) this.#server.registry.remove(kind);
    this.#served.delete(name);
    this.#specs.delete(name);
    this.#dying.get(name)?.();
    this.#dying.delete(name);
  }

  #write(stored: StoredObject, updated: KubeObject): void {
    const { server } = { server: this.#server };
    const request = { server, kind: this.#crdKind, manager: "kube-apiserver", subresource: "status" };
    setManagedFields(updated, ownershipAfterUpdate(request, stored.object, updated));
    server.store.put(stored, updated);
  }

  #withStatus(crd: KubeObject): KubeObject {
    const updated = cloneJson(crd);
    const definition = definitionOf(crd);
    const status = isObject(updated["status"]) ? { ...updated["status"] } : {};
    const accepted = isObject(status["acceptedNames"]) ? status["acceptedNames"] : {};
    const conflict = this.#nameConflict(crd.metadata.name ?? "", definition);
    const now = rfc3339(this.#server.clock.now());
    const before = Array.isArray(status["conditions"]) ? (status["conditions"] as Condition[]) : [];
    const wasEstablished = before.some((each) => each.type === "Established" && each.status === "True");
    const { names } = definition;
    if (conflict === undefined) status["acceptedNames"] = { ...names };
    else {
      const { shortNames: _short, ...rest } = names;
      status["acceptedNames"] =
        conflict.reason === "ShortNamesConflict" && accepted["kind"] !== names.kind ? rest : accepted;
    }
    status["conditions"] = [
      ...before.filter((each) => each.type !== "NamesAccepted" && each.type !== "Established"),
      ...[
        conflict === undefined
          ? condition("NamesAccepted", "True", "NoConflicts", "no conflicts found", now)
          : condition("NamesAccepted", "False", conflict.reason, conflict.message, now),
        conflict === undefined || wasEstablished
          ? condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now)
          : condition("Established", "False", "NotAccepted", "not all names are accepted", now),
      ].map((each) => unchangedOr(before, each)),
    ];
    const storage = definition.versions.find((version) => version.storage)?.name;
    const storedVersions = Array.isArray(status["storedVersions"]) ? status["storedVersions"].map(String) : [];
    if (storage !== undefined && !storedVersions.includes(storage))
      status["storedVersions"] = [...storedVersions, storage];
    updated["status"] = status;
    return updated;
  }

  /** True when the server serves the kind itself: what is stored of it does not come and go with a definition. */
  #isOwnKind({ group, names }: Definition): boolean {
    return this.#own.has(`${group}/${names.plural}`);
  }

  /** A name that another kind of the group has already. */
  #nameConflict(crdName: string, { group, names }: Definition): { reason: string; message: string } | undefined {
    const own = new Set(this.#served.get(crdName) ?? []);
    const taken = new Set<string>();
    const kinds = new Set<string>();
    for (const kind of this.#server.registry.all()) {
      if (kind.group !== group || own.has(kind)) continue;
      for (const name of [kind.plural, kind.singular, ...kind.shortNames]) taken.add(name);
      kinds.add(kind.kind).add(kind.listKind);
    }
    const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
    if (taken.has(names.plural)) return { reason: "PluralConflict", message: inUse(names.plural) };
    if (names.singular !== undefined && taken.has(names.singular)) {
      return { reason: "SingularConflict", message: inUse(names.singular) };
    }
    const short = (names.shortNames ?? []).filter((name) => taken.has(name));
    if (short.length > 0) return { reason: "ShortNamesConflict", message: short.map(inUse).join(", ") };
    if (kinds.has(names.kind)) return { reason: "KindConflict", message: inUse(names.kind) };
    if (names.listKind !== undefined && kinds.has(names.listKind)) {
      return { reason: "ListKindConflict", message: inUse(names.listKind) };
    }
    return undefined;
  }

  /** Deletes all instances; the last one gone, the definition goes. */
  #cleanUp(stored: StoredObject): void {
    if (stored.object.metadata.finalizers?.includes(FINALIZER) !== true) return;
    const { store } = this.#server;
    const kind = this.#served.get(stored.name)?.[0];
    if (kind !== undefined) {
      for (const instance of store.list(kind.storageKey)) {
        if (instance.object.metadata.deletionTimestamp !== undefined) continue;
        // As the reference: instances go with their definition, whatever admission would say.
        deleteAdmitted(this.#internalDelete(kind, instance.namespace), instance, NO_OPTIONS);
      }
      if (store.list(kind.storageKey).length > 0) {
        if (this.#dying.has(stored.name)) return;
        const stop = store.subscribe(kind.storageKey, (change) => {
          if (change.type !== "DELETED" || store.list(kind.storageKey).length > 0) return;
          const present = store.get(stored);
          if (present !== undefined) this.#finish(present);
        });
        this.#dying.set(stored.name, stop);
        return;
      }
    }
    this.#finish(stored);
  }

  #finish(stored: StoredObject): void {
    const finalizers = (stored.object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    this.#withdraw(stored.name);
    if (finalizers.length === 0) this.#server.store.remove(stored);
    else {
      const updated = cloneJson(stored.object);
      updated.metadata.finalizers = finalizers;
      this.#server.store.put(stored, updated);
    }
  }

  #internalDelete(kind: KindStrategy, namespace: string) {
    return { server: this.#server, kind, user: SYSTEM_USER, namespace, subresource: "", dryRun: false };
  }
}

/** Rules are evaluated within limits of time, by a clock that only moves forward. */
const KIND_OPTIONS = { compileRules: ruleCompiler(() => performance.now()) };

const NO_OPTIONS = {
  dryRun: false,
  gracePeriodSeconds: undefined,
  propagation: undefined,
  uid: undefined,
  resourceVersion: undefined,
};

function definitionOf(crd: KubeObject): Definition {
  // Validated at registration.
  return crd["spec"] as Definition;
}

function isEstablished(crd: KubeObject): boolean {
  const status = isObject(crd["status"]) ? crd["status"] : {};
  const conditions = Array.isArray(status["conditions"]) ? (status["conditions"] as Condition[]) : [];
  return conditions.some((each) => each.type === "Established" && each.status === "True");
}

function condition(
  type: string,
  status: Condition["status"],
  reason: string,
  message: string,
  lastTransitionTime: string,
): Condition {
  return { lastTransitionTime, message, reason, status, type };
}

/** The old condition when nothing but the time would change. */
function unchangedOr(before: readonly Condition[], next: Condition): Condition {
  const old = before.find((each) => each.type === next.type);
  if (old === undefined || old.status !== next.status) return next;
  return { ...next, lastTransitionTime: old.lastTransitionTime };
}

/** Starts serving custom resources, when definitions are among the server's kinds. */
export function startCustomResources(server: ServerContext): void {
  const kind = server.registry.find(GROUP, "v1", RESOURCE);
  if (kind !== undefined) new CustomResources(server, kind).start();
}
