// Short requests to an API server over the wire, for tests that look at what clients leave behind.
import type { LooseObject } from "../../../fleets/apiserver/test-server.ts";
import { type HttpTransport, openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { eventually } from "../support/eventually.ts";

export interface SessionAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: LooseObject;
  readonly text: string;
}

export interface ApiSession {
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<SessionAnswer>;
  /** The object or list at a path; throws unless the answer is a success. */
  get(path: string): Promise<LooseObject>;
  /** Creates an object in its collection; throws unless it was. */
  create(collection: string, object: object): Promise<LooseObject>;
  merge(path: string, patch: object): Promise<LooseObject>;
  remove(path: string, options?: object): Promise<SessionAnswer>;
  /** Waits until `check` holds of what is at the path. */
  until(path: string, check: (body: LooseObject) => boolean): Promise<LooseObject>;
  untilGone(path: string): Promise<void>;
  close(): Promise<void>;
}

const PATIENCE_MS = 30_000;
const NO_OBJECT = {} as LooseObject;

/** Opens a session as the user of a kubeconfig file. */
export async function openSession(kubeconfig: string): Promise<ApiSession> {
  const transport: HttpTransport = await openHttpTransportFile(kubeconfig);

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<SessionAnswer> {
    const answer = await transport.send({
      method,
      path,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    if (!(answer.body instanceof Uint8Array)) throw new Error(`${method} ${path} answered with a stream`);
    const text = Buffer.from(answer.body).toString();
    const isJson = String(answer.headers["content-type"] ?? "").startsWith("application/json");
    // See LooseObject.
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : NO_OBJECT, text };
  }

  async function succeed(method: string, path: string, body?: unknown, type?: string): Promise<LooseObject> {
    const answer = await call(method, path, body, type === undefined ? {} : { "content-type": type });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  const waiting = { withinMs: PATIENCE_MS };
  return {
    call,
    get: (path) => succeed("GET", path),
    create: (collection, object) => succeed("POST", collection, object),
    merge: (path, patch) => succeed("PATCH", path, patch, "application/merge-patch+json"),
    remove: (path, options) => call("DELETE", path, options),
    until: (path, check) =>
      eventually(
        async () => {
          const { status, body, text } = await call("GET", path);
          if (status !== 200 || !check(body)) throw new Error(`${path} is not as awaited: ${status} ${text}`);
          return body;
        },
        { ...waiting, what: path },
      ),
    async untilGone(path) {
      await eventually(
        async () => {
          const { status, text } = await call("GET", path);
          if (status !== 404) throw new Error(`${path} is still there: ${text}`);
        },
        { ...waiting, what: `the end of ${path}` },
      );
    },
    close: () => transport.close(),
  };
}
