// Every verb and kind of the API server, as a real one answered.
import { randomBytes } from "node:crypto";
import { decodeKind } from "../../../fleets/apiserver/kinds/builtin-kind.ts";
import { decodeProtobuf } from "../../../fleets/apiserver/kinds/protobuf.ts";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import type { Transport, UserInfo } from "../../../kube/client/transport.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { playCase, type Target } from "../apiserver/case-runner.ts";
import { type RecordedCase, readRecorded } from "../apiserver/recorded.ts";
import { differences } from "../compare.ts";
import type { CaseResult, Suite, SuiteOptions } from "../suite.ts";

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
    compact: () => server.compact(),
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

async function openRemote(kubeconfig: string): Promise<OpenTarget> {
  const { send: transport, server, close } = await openHttpTransportFile(kubeconfig);
  return {
    transport,
    compact: () => {},
    host: new URL(server).host,
    anonymous: undefined,
    administrator: undefined,
    close,
  };
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
    return found.length === 0 ? { id, passed: true } : { id, passed: false, details: found.join("\n") };
  } catch (error) {
    return { id, passed: false, details: messageOf(error) };
  }
}

async function* run(options: SuiteOptions): AsyncIterable<CaseResult> {
  const recorded = readRecorded(options.vectors);
  const chosen = recorded.cases.filter(({ id }) => options.only === undefined || id === options.only);
  for (const { id, json, bytes } of recorded.protobuf) {
    if (options.only !== undefined && options.only !== id) continue;
    yield decodeCase(id, json, bytes);
  }
  const count = options.server === undefined ? Math.min(SERVERS, chosen.length) : 1;
  const token = randomBytes(3).toString("hex");
  const results = new Array<Promise<CaseResult>>(chosen.length);
  const settle = chosen.map(() => Promise.withResolvers<CaseResult>());
  for (const [index, { promise }] of settle.entries()) results[index] = promise;
  let next = 0;
  async function worker(): Promise<void> {
    const target = options.server === undefined ? await openEmbedded() : await openRemote(options.server);
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
    return found.length === 0 ? { id, passed: true } : { id, passed: false, details: found.join("\n") };
  } catch (error) {
    return { id, passed: false, details: messageOf(error) };
  }
}

export const suite: Suite = { run };
