// Every verb and kind of the API server, as a real one answered.
//
// With `--server` the cases are played against any other server, such as the one they were recorded from: kube-apiserver
// started with `--disable-admission-plugins=ServiceAccount --allow-privileged=true --service-cluster-ip-range=10.0.0.0/16
// --service-account-issuer=https://kubernetes.default.svc --token-auth-file=FILE`, FILE holding the lines
// `tok-alice,alice,3,devs` and `tok-viewer,viewer,2`; with the garbage-collector, namespace, serviceaccount and
// clusterrole-aggregation controllers of kube-controller-manager; and a kubeconfig of CN=admin, O=system:masters.
// The topic `gone` needs `--etcd URL` and a server with `--watch-cache=false`, where a compaction takes effect at once.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { decodeKind } from "../../../fleets/apiserver/kinds/builtin-kind.ts";
import { decodeProtobuf } from "../../../fleets/apiserver/kinds/protobuf.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import type { Transport, UserInfo } from "../../../kube/client/transport.ts";
import { stringifyJson } from "../../../kube/json.ts";
import { isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { playCase, type Target } from "../apiserver/case-runner.ts";
import { type RecordedCase, readRecorded } from "../apiserver/recorded.ts";
import { differences } from "../compare.ts";
import { type CaseResult, isChosen, type Suite, type SuiteOptions } from "../suite.ts";

/** Servers that play cases side by side; one case at a time on each, so that its revisions are its own. */
const SERVERS = 6;

interface OpenTarget extends Target {
  close(): Promise<void>;
}

const USERS: Readonly<Record<string, UserInfo>> = {
  "tok-alice": { name: "alice", uid: "3", groups: ["devs", "system:authenticated"] },
  "tok-viewer": { name: "viewer", uid: "2", groups: ["system:authenticated"] },
};

async function openEmbedded(): Promise<OpenTarget> {
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

async function openRemote(kubeconfig: string, etcd: string | undefined): Promise<OpenTarget> {
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

async function post(transport: Transport, path: string, body: unknown): Promise<void> {
  const answer = await transport({
    method: "POST",
    path,
    headers: { "content-type": "application/json", "user-agent": "unknown" },
    body: JSON.stringify(body),
  });
  if (answer.status >= 300 && answer.status !== 409) throw new Error(`POST ${path} was answered with ${answer.status}`);
}

async function prepare(target: Target, fixtures: readonly Record<string, unknown>[]): Promise<void> {
  for (const fixture of fixtures) {
    await post(target.transport, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", fixture);
  }
}

async function playInNamespace(
  target: Target,
  recorded: RecordedCase,
  run: string,
  index: number,
): Promise<CaseResult> {
  const namespace = `c${run}-${index}`;
  const { id } = recorded;
  const level = levelOf(recorded.topic);
  try {
    await post(target.transport, "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
    // The recordings were made in namespaces without them.
    await new Promise((resolve) => setImmediate(resolve));
    for (const added of ["configmaps/kube-root-ca.crt", "serviceaccounts/default"]) {
      await target.transport({ method: "DELETE", path: `/api/v1/namespaces/${namespace}/${added}` });
    }
    const found = await playCase(target, recorded, namespace, `${run}${index}`);
    return found.length === 0 ? { id, level, passed: true } : { id, level, passed: false, details: found.join("\n") };
  } catch (error) {
    return { id, level, passed: false, details: messageOf(error) };
  }
}

/** Exact texts, tables, defaults and the reasons of reviews are for people; programs read the rest. */
const SHOULD: ReadonlySet<string> = new Set(["table", "defaults", "auth"]);

function levelOf(topic: string): "must" | "should" {
  return SHOULD.has(topic) ? "should" : "must";
}

async function* run(options: SuiteOptions): AsyncIterable<CaseResult> {
  const recorded = readRecorded(options.vectors);
  const asked = recorded.cases.filter(({ id }) => isChosen(id, options.only));
  const hasHistory = options.server === undefined || options.etcd !== undefined;
  const chosen = asked.filter(({ topic }) => topic !== "gone" || hasHistory);
  for (const { id, json, bytes } of recorded.protobuf) {
    if (isChosen(id, options.only)) yield decodeCase(id, json, bytes);
  }
  if (!hasHistory) {
    const skipped = "needs --etcd URL, to compact the history of the server";
    for (const { id, topic } of asked) if (topic === "gone") yield { id, passed: false, skipped };
  }
  const count = options.server === undefined ? Math.min(SERVERS, chosen.length) : 1;
  const token = randomBytes(3).toString("hex");
  const results = new Array<Promise<CaseResult>>(chosen.length);
  const settle = chosen.map(() => Promise.withResolvers<CaseResult>());
  for (const [index, { promise }] of settle.entries()) results[index] = promise;
  let next = 0;
  async function worker(): Promise<void> {
    const target = options.server === undefined ? await openEmbedded() : await openRemote(options.server, options.etcd);
    try {
      await prepare(target, recorded.fixtures);
      while (next < chosen.length) {
        const index = next++;
        settle[index]!.resolve(await playInNamespace(target, chosen[index]!, token, index));
      }
    } finally {
      await target.close();
    }
  }
  const workers = Promise.all(Array.from({ length: count }, worker));
  workers.catch((error: unknown) => {
    for (const { reject } of settle) reject(error);
  });
  for (const result of results) yield await result;
  await workers;
}

function decodeCase(id: string, json: Record<string, unknown>, bytes: Uint8Array): CaseResult {
  try {
    const decoded = decodeProtobuf(bytes);
    const { object } = decodeKind(String(decoded["apiVersion"]), String(decoded["kind"]), decoded);
    const found = differences(json, object);
    return found.length === 0
      ? { id, level: "must", passed: true }
      : { id, level: "must", passed: false, details: found.join("\n") };
  } catch (error) {
    return { id, level: "must", passed: false, details: messageOf(error) };
  }
}

export const suite: Suite = { run };
