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

export interface TestServer extends ServerCaller {
  readonly clock: FakeClock;
}

/** Short requests to a server. */
export interface ServerCaller {
  readonly server: ApiServer;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

/** Opens a server; close it with `server.close()`. */
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "test", clock, logger: silentLogger, ...options });
  return { ...testServerOver(server), clock };
}

/** The same for a server that is there already. */
export function testServerOver(server: ApiServer): ServerCaller {
  return {
    server,
    async call(method, path, body, headers = {}) {
      const answer = await server.handle({
        method,
        path,
        headers,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await textOf(answer.body);
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

async function textOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Lets the controllers, which work at the end of a turn of the event loop, finish. */
export async function settleControllers(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function configMap(name: string, data: Readonly<Record<string, string>> = {}, metadata: object = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}

export const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
