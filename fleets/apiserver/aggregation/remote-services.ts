// Group-versions that other servers serve: whether they can be reached, what they offer, and their requests.
import type { ApiRequest, ApiResponse, UserInfo } from "../../../kube/client/transport.ts";
import { cloneJson, isObject, type JsonObject } from "../../../kube/object.ts";
import { rfc3339, type Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { ownershipAfterUpdate } from "../handlers/field-ownership.ts";
import { setManagedFields } from "../handlers/write.ts";
import { statusError } from "../registry/status-error.ts";
import type { ServerContext } from "../server-context.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { API_REGISTRATION, API_SERVICES, availability, readApiService } from "./api-service.ts";
import { type Backend, openBackend } from "./backend.ts";
import { readDocuments } from "./backend-documents.ts";
import type { RemoteDocuments, RemoteService, Remotes } from "./remotes.ts";
import { checkService, type Finding } from "./service-check.ts";

interface Entry extends RemoteService {
  readonly backend: Backend;
  readonly uid: string;
  available: boolean;
  resources: readonly JsonObject[] | undefined;
  documents: RemoteDocuments;
  timer: Timer | undefined;
  failures: number;
  checking: boolean;
  /** Something changed while a check ran. */
  again: boolean;
  /** When the documents were last read. */
  documentsAt: number;
}

const MANAGER = "kube-apiserver";
const RECHECK_MS = 30_000;
const FIRST_RETRY_MS = 250;
const DOCUMENTS_EVERY_MS = 60_000;
const SERVICES = "services";
const SLICES = "discovery.k8s.io/endpointslices";
const SERVICE_LABEL = "kubernetes.io/service-name";
const NO_DOCUMENTS: RemoteDocuments = { v2: undefined, v3: undefined };

/** Follows the APIServices that name a Service, once started. */
export class RemoteServices implements Remotes {
  #context: ServerContext | undefined;
  readonly #entries = new Map<string, Entry>();
  #generation = 0;
  #stopped = false;

  get #server(): ServerContext {
    if (this.#context === undefined) throw new Error("not started");
    return this.#context;
  }

  get generation(): number {
    return this.#generation;
  }

  start(server: ServerContext): void {
    this.#context = server;
    const { store } = server;
    for (const stored of store.list(API_SERVICES)) this.#onService(stored);
    store.subscribe(API_SERVICES, (change) => {
      if (change.type === "DELETED") this.#forget(change.object.name);
      else {
        const present = store.get(change.object);
        if (present !== undefined) this.#onService(present);
      }
    });
    store.subscribe(SERVICES, ({ object }) => this.#onBackend(object.namespace, object.name));
    store.subscribe(SLICES, ({ object }) => {
      if (this.#entries.size === 0) return;
      this.#onBackend(object.namespace, object.object.metadata.labels?.[SERVICE_LABEL] ?? "");
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const name of [...this.#entries.keys()]) this.#forget(name);
  }

  all(): readonly RemoteService[] {
    return [...this.#entries.values()];
  }

  ofPath(path: string): RemoteService | undefined {
    if (this.#entries.size === 0) return undefined;
    const match = /^\/apis\/([^/?]+)\/([^/?]+)/.exec(path);
    return match === null ? undefined : this.#entries.get(`${match[2]}.${match[1]}`);
  }

  answer(service: RemoteService, request: ApiRequest, user: UserInfo): Promise<ApiResponse> {
    const entry = this.#entries.get(service.name);
    if (entry === undefined) throw statusError(503, "ServiceUnavailable", `${service.name} is no longer registered`);
    return entry.backend.answer(request, user, entry.available);
  }

  #onService(stored: StoredObject): void {
    const spec = readApiService(stored.object);
    const { name } = stored;
    const uid = stored.object.metadata.uid ?? "";
    if (spec.service === undefined) {
      this.#forget(name);
      return;
    }
    const known = this.#entries.get(name);
    if (known?.uid === uid && JSON.stringify(known.spec) === JSON.stringify(spec)) return;
    this.#forget(name);
    const entry: Entry = {
      name,
      spec,
      uid,
      backend: openBackend(this.#server, spec, spec.service),
      available: availability(stored.object)?.status === "True",
      resources: known?.uid === uid ? known.resources : undefined,
      documents: known?.uid === uid ? known.documents : NO_DOCUMENTS,
      timer: undefined,
      failures: 0,
      checking: false,
      again: false,
      documentsAt: Number.NEGATIVE_INFINITY,
    };
    this.#entries.set(name, entry);
    this.#generation += 1;
    this.#soon(entry);
  }

  #forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#generation += 1;
    entry.timer?.cancel();
    entry.backend.close();
  }

  #onBackend(namespace: string, name: string): void {
    for (const entry of this.#entries.values()) {
      const { service } = entry.spec;
      if (service?.namespace === namespace && service.name === name) this.#soon(entry);
    }
  }

  #soon(entry: Entry): void {
    if (entry.checking) {
      entry.again = true;
      return;
    }
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.checking = true;
    setImmediate(() => void this.#check(entry));
  }

  async #check(entry: Entry): Promise<void> {
    try {
      const finding = await checkService(this.#server.store, entry.spec, entry.backend);
      if (!this.#isCurrent(entry)) return;
      this.#learn(entry, finding);
      if (finding.status === "True") await this.#readDocuments(entry);
    } catch (error) {
      this.#server.logger.warn("failed to check an APIService", { object: entry.name, error: messageOf(error) });
    }
    entry.checking = false;
    if (!this.#isCurrent(entry)) return;
    if (entry.again) {
      entry.again = false;
      this.#soon(entry);
      return;
    }
    const wait = entry.available ? RECHECK_MS : Math.min(RECHECK_MS, FIRST_RETRY_MS * 2 ** entry.failures);
    entry.timer = this.#server.clock.after(wait, () => this.#soon(entry));
  }

  #isCurrent(entry: Entry): boolean {
    return !this.#stopped && this.#entries.get(entry.name) === entry;
  }

  #learn(entry: Entry, finding: Finding): void {
    const available = finding.status === "True";
    entry.failures = available ? 0 : entry.failures + 1;
    const changed =
      available !== entry.available ||
      (finding.resources !== undefined && JSON.stringify(finding.resources) !== JSON.stringify(entry.resources));
    entry.available = available;
    if (finding.resources !== undefined) entry.resources = finding.resources;
    if (changed) this.#generation += 1;
    this.#writeCondition(entry.name, finding);
  }

  async #readDocuments(entry: Entry): Promise<void> {
    const now = this.#server.clock.now();
    if (now - entry.documentsAt < DOCUMENTS_EVERY_MS) return;
    entry.documentsAt = now;
    const documents = await readDocuments(entry.spec, entry.backend, entry.documents);
    if (documents === entry.documents || !this.#isCurrent(entry)) return;
    entry.documents = documents;
    this.#generation += 1;
  }

  #writeCondition(name: string, { status, reason, message }: Finding): void {
    const server = this.#server;
    const kind = server.registry.find(API_REGISTRATION.group, API_REGISTRATION.version, API_REGISTRATION.plural);
    const stored = server.store.get({ resource: API_SERVICES, namespace: "", name });
    if (kind === undefined || stored === undefined) return;
    const before = availability(stored.object);
    if (before?.status === status && before.reason === reason && before.message === message) return;
    const updated = cloneJson(stored.object);
    const old = isObject(updated["status"]) ? updated["status"] : {};
    const others = (Array.isArray(old["conditions"]) ? old["conditions"] : []).filter(
      (each) => isObject(each) && each["type"] !== "Available",
    );
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : rfc3339(server.clock.now());
    updated["status"] = {
      ...old,
      conditions: [...others, { type: "Available", status, lastTransitionTime, reason, message }],
    };
    const ownership = { server, kind, manager: MANAGER, subresource: "status" };
    setManagedFields(updated, ownershipAfterUpdate(ownership, stored.object, updated));
    server.store.put(stored, updated);
  }
}
