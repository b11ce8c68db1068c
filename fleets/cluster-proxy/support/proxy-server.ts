// A control plane for tests: an API server with Clusters on a listener, and nothing else.
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { Transport, UserInfo } from "../../../kube/client/transport.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type Listener, listen } from "../../apiserver/http/listener.ts";
import { builtinKinds } from "../../apiserver/kinds/builtin.ts";
import { createApiServer } from "../../apiserver/server.ts";
import { CLUSTER_PROXY, clusterKind } from "../../cluster-kind.ts";
import { ClusterProxy, clusterConnector } from "../cluster-proxy.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

export interface ProxyServer {
  readonly client: KubeClient;
  readonly listener: Listener;
  /** Registers a cluster with the tokens that the proxy uses. */
  join(name: string, spec: Readonly<Record<string, unknown>>, secrets?: Secrets): Promise<void>;
  /** One request over HTTP/1.1, by `token` (default: the one of `admin`, a member of system:masters). */
  ask(path: string, options?: AskOptions): Promise<Reply>;
  /** The same over HTTP/2. */
  askHttp2(path: string, options?: AskOptions): Promise<Reply>;
  /** The options of a request of one's own. */
  requestOptions(path: string, token?: string): RequestOptions;
  close(): Promise<void>;
}

export interface Secrets {
  readonly caPem?: string;
  readonly impersonator?: Readonly<Record<string, string>>;
}

export interface ProxyServerOptions {
  readonly users?: Readonly<Record<string, UserInfo>>;
  readonly local?: (name: string) => Transport | undefined;
  readonly answerTimeoutMs?: number;
}

const ADMIN: UserInfo = { name: "admin", groups: ["system:masters"] };
export const NAMESPACE = "karmada-cluster";

/** The path through the proxy. */
export function throughProxy(cluster: string, path: string): string {
  return `/apis/cluster.karmada.io/v1alpha1/clusters/${cluster}/proxy${path}`;
}

export async function startProxyServer(options: ProxyServerOptions = {}): Promise<ProxyServer> {
  const folder = mkdtempSync(join(tmpdir(), "cluster-proxy-"));
  const users: Readonly<Record<string, UserInfo>> = { admin: ADMIN, ...options.users };
  const { local, answerTimeoutMs } = options;
  const proxy = new ClusterProxy({
    readSecret: (reference) => client.find({ apiVersion: "v1", kind: "Secret", ...reference }),
    logger: silentLogger,
    ...(local === undefined ? {} : { local }),
    ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
  });
  const server = await createApiServer({
    name: "control-plane",
    clock: systemClock,
    logger: silentLogger,
    authorization: "rbac",
    kinds: [...builtinKinds(), clusterKind()],
    connectors: { [CLUSTER_PROXY]: clusterConnector(proxy) },
    tokens: (token) => users[token],
  });
  const client = new KubeClient(server.handle);
  const listener = await listen(server, {
    host: "127.0.0.1",
    port: 0,
    directory: join(folder, "pki"),
    clock: systemClock,
    logger: silentLogger,
  });
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });

  function requestOptions(path: string, token = "admin"): RequestOptions {
    const { hostname, port } = new URL(listener.url);
    const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
    return { hostname, port, path, ca: listener.caPem, agent: false, headers: authorization };
  }

  return {
    client,
    listener,
    requestOptions,
    join: async (name, spec, secrets = {}) => {
      const data = { token: "impersonator-token", ...(secrets.impersonator ?? {}) };
      const { caPem } = secrets;
      const own = secretOf(name, { token: "own-token", ...(caPem === undefined ? {} : { caBundle: caPem }) });
      await client.create(own);
      await client.create(secretOf(`${name}-impersonator`, data));
      await client.create({
        apiVersion: "cluster.karmada.io/v1alpha1",
        kind: "Cluster",
        metadata: { name },
        spec: {
          syncMode: "Push",
          secretRef: { namespace: NAMESPACE, name },
          impersonatorSecretRef: { namespace: NAMESPACE, name: `${name}-impersonator` },
          ...spec,
        },
      });
    },
    ask: (path, { method = "GET", token, headers, body } = {}) =>
      new Promise((resolve, reject) => {
        const base = requestOptions(path, token);
        const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
        const all = { ...base.headers, ...length, ...headers } as Record<string, string>;
        const sent = httpsRequest({ ...base, method, headers: all }, (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
          response.on("error", reject);
        });
        sent.on("error", reject);
        sent.end(body);
      }),
    askHttp2: (path, { method = "GET", token = "admin", headers, body } = {}) =>
      new Promise((resolve, reject) => {
        const session = connectHttp2(listener.url, { ca: listener.caPem });
        session.on("error", reject);
        const authorization = `Bearer ${token}`;
        const stream = session.request({ ":method": method, ":path": path, authorization, ...headers });
        let text = "";
        let answered: Readonly<Record<string, unknown>> = {};
        stream.on("response", (received) => {
          answered = { ...received };
        });
        stream.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.on("end", () => {
          session.close();
          resolve({ status: Number(answered[":status"]), headers: answered, text });
        });
        stream.on("error", reject);
        stream.end(body);
      }),
    close: async () => {
      await listener.close();
      proxy.close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function secretOf(name: string, data: Readonly<Record<string, string>>): KubeObject {
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: NAMESPACE }, type: "Opaque", data: encoded };
}
