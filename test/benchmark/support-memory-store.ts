// An API server that is a map: lists, takes writes of bindings and drops events. Discovery comes from a real one.
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { ApiRequest, ApiResponse } from "../../kube/client/transport.ts";
import { equalJson, type KubeObject } from "../../kube/object.ts";
import { installDefinitions } from "../../reconciler/cli/install.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";

const COLLECTION =
  /^\/apis\/[^/]+\/[^/]+\/(?:namespaces\/[^/]+\/)?(clusters|resourcebindings|clusterresourcebindings)(?:\/([^/?]+))?/;

export class MemoryStore {
  readonly client: KubeClient;
  /** Paths of the writes since it was last emptied. */
  readonly writes: string[] = [];
  onWrite: ((path: string) => void) | undefined;
  readonly #server: ApiServer;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  #revision = 0;

  private constructor(server: ApiServer) {
    this.#server = server;
    this.client = new KubeClient(async (request) => this.#answer(request) ?? server.handle(request));
  }

  static async open(): Promise<MemoryStore> {
    const server = await createApiServer({ name: "discovery", clock: systemClock, logger: silentLogger });
    await installDefinitions(new KubeClient(server.handle), systemClock);
    return new MemoryStore(server);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  /** How many writes went to bindings themselves. */
  bindingWrites(): number {
    return this.writes.filter((path) => !path.includes("/status")).length;
  }

  /** Stores an object as a server does: its generation follows its spec. */
  put(object: KubeObject): KubeObject {
    const objects = this.#collection(`${object.kind.toLowerCase()}s`);
    const name = object.metadata.name ?? "";
    const before = objects.get(name);
    const { generation = 1 } = before?.metadata ?? {};
    const isOther = before !== undefined && !equalJson(before["spec"], object["spec"]);
    const metadata = {
      ...object.metadata,
      generation: isOther ? generation + 1 : generation,
      resourceVersion: String(++this.#revision),
    };
    const stored = { ...object, metadata };
    objects.set(name, stored);
    return stored;
  }

  #collection(plural: string): Map<string, KubeObject> {
    let objects = this.#objects.get(plural);
    if (objects === undefined) {
      objects = new Map();
      this.#objects.set(plural, objects);
    }
    return objects;
  }

  #answer(request: ApiRequest): ApiResponse | undefined {
    if (request.method === "POST" && request.path.includes("/events")) return answer(request.object);
    const [, plural = "", name] = COLLECTION.exec(request.path) ?? [];
    if (plural === "") return undefined;
    const objects = this.#collection(plural);
    if (name === undefined) {
      if (request.path.includes("watch=true")) return { status: 200, headers: {}, body: nothing(request.signal) };
      return answer({ items: [...objects.values()], metadata: { resourceVersion: String(this.#revision) } });
    }
    const present = objects.get(decodeURIComponent(name));
    if (request.method === "GET") return present === undefined ? undefined : answer(present);
    this.writes.push(request.path);
    this.onWrite?.(request.path);
    // What the loop sends: whole bindings, and merge patches of a status without nulls.
    const sent = request.object as KubeObject & { status?: object };
    if (request.method === "PUT") return answer(this.put(sent));
    if (present === undefined) return undefined;
    return answer(this.put({ ...present, status: { ...(present["status"] as object | undefined), ...sent.status } }));
  }
}

function answer(parsed: unknown): ApiResponse {
  return { status: 200, headers: {}, body: new Uint8Array(), parsed };
}

async function* nothing(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}
