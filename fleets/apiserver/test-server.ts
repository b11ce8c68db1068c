// What the tests of this folder share: a server on a clock that stands still, and short requests to it.
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { type ApiServer, type ApiServerOptions, createApiServer } from "./server.ts";

/** JSON of an answer, loosely typed so that tests can reach into it: a wrong step is undefined, and the test fails. */
export type LooseObject = { readonly [field: string]: LooseObject } & {
  map<T>(fn: (item: LooseObject) => T): T[];
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: LooseObject;
}

export interface TestServer {
  readonly server: ApiServer;
  readonly clock: FakeClock;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

/** Opens a server; close it with `server.close()`. */
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "test", clock, logger: silentLogger, ...options });
  return {
    server,
    clock,
    async call(method, path, body, headers = {}) {
      const answer = await server.handle({
        method,
        path,
        headers,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = answer.body instanceof Uint8Array ? Buffer.from(answer.body).toString() : "";
      const isJson = String(answer.headers["content-type"] ?? "").startsWith("application/json");
      // See LooseObject.
      return {
        status: answer.status,
        headers: answer.headers,
        body: (isJson ? JSON.parse(text) : text) as LooseObject,
      };
    },
  };
}

/** Lets the controllers, which work at the end of a turn of the event loop, finish. */
export async function settleControllers(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function configMap(name: string, data: Readonly<Record<string, string>> = {}, metadata: object = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}

export const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
