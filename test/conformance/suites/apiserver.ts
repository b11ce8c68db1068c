// Every verb and kind of the API server, as a real one answered.
//
// With `--server` the cases are played against any other server, such as the one they were recorded from: kube-apiserver
// started with `--disable-admission-plugins=ServiceAccount --allow-privileged=true --service-cluster-ip-range=10.0.0.0/16
// --service-account-issuer=https://kubernetes.default.svc --token-auth-file=FILE`, FILE holding the lines
// `tok-alice,alice,3,devs` and `tok-viewer,viewer,2`; with the garbage-collector, namespace, serviceaccount and
// clusterrole-aggregation controllers of kube-controller-manager; and a kubeconfig of CN=admin, O=system:masters.
// The topic `gone` needs `--etcd URL` and a server with `--watch-cache=false`, where a compaction takes effect at once.
import { randomBytes } from "node:crypto";
import { decodeKind } from "../../../fleets/apiserver/kinds/builtin-kind.ts";
import { decodeProtobuf } from "../../../fleets/apiserver/kinds/protobuf.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Target } from "../apiserver/case-client.ts";
import { playCase } from "../apiserver/case-runner.ts";
import { type RecordedCase, readRecorded } from "../apiserver/recorded.ts";
import { openEmbedded, openRemote, post, prepare } from "../apiserver/targets.ts";
import { differences } from "../compare.ts";
import { type CaseResult, isChosen, type Suite, type SuiteOptions } from "../suite.ts";

/** Servers that play cases side by side; one case at a time on each, so that its revisions are its own. */
const SERVERS = 6;

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
