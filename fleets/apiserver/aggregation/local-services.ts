// Keeps an APIService for each group-version that the server serves itself.
import { cloneJson, equalJson, type JsonObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { createServerObject } from "../controllers/server-objects.ts";
import type { ServerContext } from "../server-context.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { API_REGISTRATION, API_SERVICES, AUTOMANAGED, apiServiceName } from "./api-service.ts";
import { isBuiltinGroup, localPriority } from "./priorities.ts";

const MANAGER = "kube-apiserver";

interface Wanted {
  readonly spec: JsonObject;
  readonly automanaged: "onstart" | "true";
}

/**
 * Brings the stored APIServices in step with what the registry serves, now and with each change. Those without the label
 * are somebody's own and left alone. As the reference: one of a built-in group that is deleted comes back at the next
 * start, one of a definition at once.
 */
export class LocalServices {
  readonly #server: ServerContext;
  #scheduled = false;
  #stopped = false;

  constructor(server: ServerContext) {
    this.#server = server;
  }

  start(): void {
    if (
      this.#server.registry.find(API_REGISTRATION.group, API_REGISTRATION.version, API_REGISTRATION.plural) ===
      undefined
    ) {
      return;
    }
    this.#sync(true);
    this.#server.registry.onChange(() => this.#schedule());
    this.#server.store.subscribe(API_SERVICES, (change) => {
      if (change.type === "DELETED") this.#schedule();
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#stopped) return;
      try {
        this.#sync(false);
      } catch (error) {
        this.#server.logger.warn("failed to keep an APIService", { error: messageOf(error) });
      }
    });
  }

  #sync(starting: boolean): void {
    const { store } = this.#server;
    const wanted = this.#wanted();
    for (const stored of store.list(API_SERVICES)) {
      const label = stored.object.metadata.labels?.[AUTOMANAGED];
      const want = wanted.get(stored.name);
      wanted.delete(stored.name);
      if (label === undefined) continue;
      if (want === undefined) store.remove(stored);
      else if (label === "true" || starting) this.#correct(stored, want);
    }
    for (const [name, { spec, automanaged }] of wanted) {
      if (automanaged === "onstart" && !starting) continue;
      const metadata = { name, labels: { [AUTOMANAGED]: automanaged } };
      const json = { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata, spec };
      createServerObject(this.#server, API_REGISTRATION, json, MANAGER);
    }
  }

  #correct(stored: StoredObject, { spec }: Wanted): void {
    if (equalJson(stored.object["spec"], spec)) return;
    this.#server.store.put(stored, { ...cloneJson(stored.object), spec });
  }

  #wanted(): Map<string, Wanted> {
    const wanted = new Map<string, Wanted>();
    for (const { group, version } of this.#server.registry.all()) {
      const name = apiServiceName(group, version);
      // The reference has none for the group of APIServices itself.
      if (group === API_REGISTRATION.group || wanted.has(name)) continue;
      const priority = localPriority(group, version);
      const spec = {
        ...(group === "" ? {} : { group }),
        groupPriorityMinimum: priority.group,
        version,
        versionPriority: priority.version,
      };
      wanted.set(name, { spec, automanaged: isBuiltinGroup(group) ? "onstart" : "true" });
    }
    return wanted;
  }
}
