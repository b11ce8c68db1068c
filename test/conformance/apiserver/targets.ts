// The servers that cases are played on.
import { readFileSync } from "node:fs";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import type { Transport, UserInfo } from "../../../kube/client/transport.ts";
import { stringifyJson } from "../../../kube/json.ts";
import { isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import type { Target } from "./case-client.ts";

/** A target with its connection or its process. */
export interface OpenTarget extends Target {
  close(): Promise<void>;
}

const USERS: Readonly<Record<string, UserInfo>> = {
  "tok-alice": { name: "alice", uid: "3", groups: ["devs", "system:authenticated"] },
  "tok-viewer": { name: "viewer", uid: "2", groups: ["system:authenticated"] },
};

/** A new server of our own, in this process. */
export async function openEmbedded(): Promise<OpenTarget> {
  const server = await createApiServer({
    name: "conformance",
    clock: systemClock,
    logger: silentLogger,
    authorization: "rbac",
    tokens: (token) => USERS[token],
  });
  return {
    transport: server.handle,
    anonymousTransport: server.handle,
    compact: () => Promise.resolve(server.compact()),
    host: "conformance:443",
    anonymous: { name: "system:anonymous", groups: ["system:unauthenticated"] },
    administrator: {
      name: "admin",
      groups: ["system:masters", "system:authenticated"],
      extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=0"] },
    },
    close: () => server.close(),
  };
}

/** A server by kubeconfig; `etcd` is the URL of its storage, for compactions. */
export async function openRemote(kubeconfig: string, etcd: string | undefined): Promise<OpenTarget> {
  const text = readFileSync(kubeconfig, "utf8");
  const admin = await openHttpTransport({ kubeconfig: text });
  const anonymous = await openHttpTransport({ kubeconfig: withoutCredentials(text) });
  return {
    transport: admin.send,
    anonymousTransport: anonymous.send,
    compact: () => (etcd === undefined ? Promise.resolve() : compactEtcd(etcd)),
    host: new URL(admin.server).host,
    anonymous: undefined,
    administrator: undefined,
    async close() {
      await Promise.all([admin.close(), anonymous.close()]);
    },
  };
}

/** The same clusters and contexts, with users that present nothing. */
function withoutCredentials(kubeconfig: string): string {
  const config = parseYaml(kubeconfig);
  if (!isObject(config) || !Array.isArray(config["users"])) return kubeconfig;
  const users = config["users"].map((entry) => (isObject(entry) ? { name: entry["name"], user: {} } : entry));
  return stringifyJson({ ...config, users });
}

/** Makes an etcd forget every revision before its present one. */
async function compactEtcd(url: string): Promise<void> {
  async function ask(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(new URL(path, url), { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${path} with ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }
  const range = await ask("/v3/kv/range", { key: "AA==" });
  const revision = isObject(range) && isObject(range["header"]) ? range["header"]["revision"] : undefined;
  await ask("/v3/kv/compaction", { revision, physical: true });
}

/** Creates an object that may be there already. */
export async function post(transport: Transport, path: string, body: unknown): Promise<void> {
  const answer = await transport({
    method: "POST",
    path,
    headers: { "content-type": "application/json", "user-agent": "unknown" },
    body: JSON.stringify(body),
  });
  if (answer.status >= 300 && answer.status !== 409) throw new Error(`POST ${path} was answered with ${answer.status}`);
}

/** Creates the definitions that every case may use, and waits for them. */
export async function prepare(target: Target, fixtures: readonly Record<string, unknown>[]): Promise<void> {
  for (const fixture of fixtures) {
    await post(target.transport, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", fixture);
  }
}
