// What is measured of one server, row by row.
import { sleep, systemClock } from "../../runtime/clock.ts";
import { LoadClient, loop } from "./support-apiserver-client.ts";
import type { Side } from "./support-apiserver-sides.ts";
import { cpuMicros, type Memory, memoryOf } from "./support-processes.ts";

export const NAMESPACE = "bench";
export const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const APPLY = "application/apply-patch+yaml";
const PARALLEL = 20;

/** What some requests cost. */
export interface Cost {
  readonly count: number;
  readonly wallMs: number;
  /** Processor time of the server's processes, user and system. */
  readonly cpuMicros: number;
}

/** An object of the usual size: 1.3 KB as the server stores it. */
export function configMap(index: number, revision = 0, namespace = NAMESPACE): Record<string, unknown> {
  const lines = Array.from(
    { length: 14 },
    (_, line) =>
      `setting.${line}.of.application-${index}=value-${(index * 7919 + line * 104_729 + revision) % 1_000_003}`,
  );
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: `config-${String(index).padStart(6, "0")}`,
      namespace,
      labels: { app: `application-${index % 100}`, "app.kubernetes.io/part-of": "bench" },
    },
    data: { "application.properties": lines.join("\n") },
  };
}

/** Requests of one kind against one server, measured. */
export class Load {
  readonly side: Side;
  readonly #client: LoadClient;

  constructor(side: Side, version: "1.1" | "2") {
    this.side = side;
    this.#client = new LoadClient(side, { version, connections: version === "2" ? 4 : PARALLEL });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async createNamespace(name = NAMESPACE): Promise<void> {
    await this.#expect("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }

  create(count: number, namespace = NAMESPACE, from = 0): Promise<Cost> {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    return this.#measure(count, (index) => this.#expect("POST", path, configMap(from + index, 0, namespace)));
  }

  get(count: number, objects: number): Promise<Cost> {
    return this.#measure(count, (index) => this.#expect("GET", `${CONFIG_MAPS}/${nameOf((index * 7919) % objects)}`));
  }

  update(count: number, objects: number, revision = 1): Promise<Cost> {
    return this.#measure(count, (index) => {
      const at = index % objects;
      return this.#expect("PUT", `${CONFIG_MAPS}/${nameOf(at)}`, configMap(at, revision + Math.floor(index / objects)));
    });
  }

  delete(count: number): Promise<Cost> {
    return this.#measure(count, (index) => this.#expect("DELETE", `${CONFIG_MAPS}/${nameOf(index)}`));
  }

  /** Applies each object as it is: by then its fields are the manager's, and the applies change nothing. */
  async applyUnchanged(count: number, revision: number): Promise<Cost> {
    const apply = (index: number): Promise<void> => {
      const query = "fieldManager=bench-apply&force=true";
      return this.#expect("PATCH", `${CONFIG_MAPS}/${nameOf(index)}?${query}`, configMap(index, revision), APPLY);
    };
    await loop(count, PARALLEL, apply);
    return this.#measure(count, apply);
  }

  /** Lists everything, one list at a time. */
  async list(count: number, objects: number, query = ""): Promise<Cost> {
    return this.#measure(
      count,
      async () => {
        const { status, bytes } = await this.#client.send("GET", `${CONFIG_MAPS}${query}`);
        if (status !== 200 || bytes < objects * 500)
          throw new Error(`a list was answered with ${status}, ${bytes} bytes`);
      },
      1,
    );
  }

  /** Lists everything page by page. */
  async pages(count: number, objects: number, limit: number): Promise<Cost> {
    return this.#measure(
      count,
      async () => {
        let token: string | undefined;
        let pages = 0;
        do {
          const query = token === undefined ? "" : `&continue=${token}`;
          const { status, text } = await this.#client.send(
            "GET",
            `${CONFIG_MAPS}?limit=${limit}${query}`,
            undefined,
            undefined,
            true,
          );
          if (status !== 200) throw new Error(`a page was answered with ${status}`);
          token = /"continue":"([^"]+)"/.exec(text.slice(0, 1000))?.[1];
          pages += 1;
        } while (token !== undefined);
        if (pages < objects / limit) throw new Error(`the list ended after ${pages} pages`);
      },
      1,
    );
  }

  /** Memory of the server after it has had time to clean up. */
  async settledMemory(seconds: number): Promise<Memory> {
    await sleep(systemClock, seconds * 1000);
    return memoryOf(this.side.pids());
  }

  async #measure(count: number, request: (index: number) => Promise<void>, parallel = PARALLEL): Promise<Cost> {
    const pids = this.side.pids();
    const cpuBefore = cpuMicros(pids);
    const start = performance.now();
    await loop(count, parallel, request);
    const wallMs = performance.now() - start;
    return { count, wallMs, cpuMicros: cpuMicros(pids) - cpuBefore };
  }

  async #expect(method: string, path: string, body?: unknown, type?: string): Promise<void> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const { status } = await this.#client.send(method, path, text, type);
    if (status < 200 || status > 299)
      throw new Error(`${this.side.name}: ${method} ${path} was answered with ${status}`);
  }
}

function nameOf(index: number): string {
  return `config-${String(index).padStart(6, "0")}`;
}

/** Starts the server again and measures until it answers. */
export async function measureStart(side: Side): Promise<Cost> {
  await side.stop();
  const start = performance.now();
  await side.start();
  return { count: 1, wallMs: performance.now() - start, cpuMicros: cpuMicros(side.pids()) };
}
