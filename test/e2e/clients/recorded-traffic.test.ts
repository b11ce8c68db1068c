// Every request that Argo CD and Flux were recorded to send a real API server, sent to the embedded one in the same order:
// the answers have the same status and type. The recordings are not part of this repository; without them this skips.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpTransport, openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { type Endpoint, startEndpoint } from "./endpoint.ts";

interface RecordedCall {
  readonly phase: string;
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly ua?: string;
  readonly impersonate?: string;
  readonly reqLen?: number;
  readonly req?: string;
  readonly status: number;
  readonly respType?: string;
}

interface Replayed {
  readonly status: number;
  readonly type: string;
  readonly json: Record<string, unknown> | undefined;
}

const FOLDER = process.env["GITOPS_PEERS_DATA"] ?? join(import.meta.dirname, "../../../../shared/data/gitops-peers");
/** Kinds of the reference that the embedded server may do without; a client that finds them missing does, too. */
const OPTIONAL = /\/(flowcontrol\.apiserver|resource)\.k8s\.io\/|\/(ipaddresses|servicecidrs)\b/;

function readCalls(client: string): RecordedCall[] {
  const path = join(FOLDER, `${client}-calls.jsonl`);
  if (!existsSync(path)) {
    console.warn(`skipped: no recorded calls at ${path} (set GITOPS_PEERS_DATA)`);
    return [];
  }
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RecordedCall);
}

/** Sends recorded calls, with what a client would have from earlier answers in place of what it had then. */
class Replay {
  readonly #transport: HttpTransport;
  readonly #etags = new Map<string, string>();

  constructor(transport: HttpTransport) {
    this.#transport = transport;
  }

  async send(call: RecordedCall): Promise<Replayed> {
    const headers: Record<string, string> = { "user-agent": call.ua ?? "recorded" };
    if (call.accept !== undefined) headers["accept"] = call.accept;
    if (call.contentType !== undefined) headers["content-type"] = call.contentType;
    if (call.impersonate !== undefined) headers["impersonate-user"] = call.impersonate;
    const etag = this.#etags.get(`${call.path} ${call.accept}`);
    if (call.status === 304 && etag !== undefined) headers["if-none-match"] = etag;
    const body = await this.#bodyOf(call);
    const abort = new AbortController();
    const answer = await this.#transport.send({
      method: call.method,
      path: await this.#pathOf(call),
      headers,
      signal: abort.signal,
      ...(body === undefined ? {} : { body }),
    });
    const type = String(answer.headers["content-type"] ?? "");
    if (!(answer.body instanceof Uint8Array)) {
      abort.abort();
      return { status: answer.status, type, json: undefined };
    }
    if (answer.headers["etag"] !== undefined) {
      this.#etags.set(`${call.path} ${call.accept}`, String(answer.headers["etag"]));
    }
    const json = type.startsWith("application/json") ? JSON.parse(Buffer.from(answer.body).toString()) : undefined;
    return { status: answer.status, type, json };
  }

  /** The query's revision and hash are those of this server. */
  async #pathOf(call: RecordedCall): Promise<string> {
    const query = new URLSearchParams(call.query ?? "");
    if (query.has("resourceVersion") && !OPTIONAL.test(call.path))
      query.set("resourceVersion", await this.#revisionOf(call.path));
    if (query.has("hash")) {
      const { paths } = (await this.#get("/openapi/v3")) as { paths: Record<string, { serverRelativeURL: string }> };
      const url = paths[call.path.slice("/openapi/v3/".length)]?.serverRelativeURL ?? "";
      query.set("hash", new URLSearchParams(url.split("?")[1]).get("hash") ?? "");
    }
    const text = query.toString();
    return text === "" ? call.path : `${call.path}?${text}`;
  }

  async #bodyOf(call: RecordedCall): Promise<string | Uint8Array | undefined> {
    if (call.req === undefined || call.req === "") return undefined;
    if (call.contentType === "application/vnd.kubernetes.protobuf") return Buffer.from(call.req, "latin1");
    const revision = /("resourceVersion":|"path":"\/metadata\/resourceVersion","value":)"\d+"/g;
    if (!revision.test(call.req)) return call.req;
    return call.req.replace(revision, `$1"${await this.#revisionOf(call.path)}"`);
  }

  async #revisionOf(path: string): Promise<string> {
    const { metadata } = (await this.#get(path)) as { metadata: { resourceVersion: string } };
    return metadata.resourceVersion;
  }

  async #get(path: string): Promise<unknown> {
    const { body } = await this.#transport.send({ method: "GET", path });
    return JSON.parse(Buffer.from(body as Uint8Array).toString());
  }
}

/** Clients that prefer protobuf take JSON as well, and the embedded server answers with it. */
function typeOf(type: string): string {
  return type.replace("application/vnd.kubernetes.protobuf", "application/json");
}

function checkContract(call: RecordedCall, answer: Replayed): void {
  const metadata = answer.json?.["metadata"] as { resourceVersion?: string; managedFields?: unknown } | undefined;
  const query = new URLSearchParams(call.query ?? "");
  if (query.has("limit")) {
    // Watches start from it, and refuse to from nothing and from zero.
    expect(metadata?.resourceVersion).toMatch(/^[1-9]\d*$/);
  }
  if (query.get("dryRun") === "All" && answer.status < 300) {
    // By the missing revision, Flux knows that the object would be created; Argo CD reads the owners.
    if (call.status === 201) expect(metadata?.resourceVersion).toBeUndefined();
    else expect(metadata?.resourceVersion).toMatch(/^[1-9]\d*$/);
    expect(metadata?.managedFields).toBeDefined();
  }
}

const recorded = ["argocd", "flux"].map((client) => ({ client, calls: readCalls(client) }));
const isComplete = recorded.every(({ calls }) => calls.length > 0);

describe.runIf(isComplete).each(recorded)("recorded traffic of $client", ({ calls }) => {
  const phases = [...new Set(calls.map((call) => call.phase))];
  let endpoint: Endpoint;
  let transport: HttpTransport;
  let replay: Replay;

  beforeAll(async () => {
    endpoint = await startEndpoint();
    transport = await openHttpTransportFile(endpoint.kubeconfig);
    replay = new Replay(transport);
  });

  afterAll(async () => {
    await transport?.close();
    await endpoint?.close();
  });

  /** What happened in the cluster between two phases, beside the client. */
  async function happenBefore(phase: string): Promise<void> {
    if (phase !== "flux-4-apply-drift") return;
    const path = "/api/v1/namespaces/flux1/configmaps/cm";
    const headers = { "content-type": "application/merge-patch+json" };
    await transport.send({ method: "PATCH", path, headers, body: '{"data":{"a":"drifted"}}' });
  }

  it.each(isComplete ? phases : ["nothing"])("%s is answered as it was", async (phase) => {
    await happenBefore(phase);
    for (const call of calls.filter((each) => each.phase === phase)) {
      const what = `${call.method} ${call.path}?${call.query ?? ""}`;
      const answer = await replay.send(call);
      if (OPTIONAL.test(call.path) && answer.status === 404) continue;
      expect({ what, status: answer.status, type: typeOf(answer.type) }).toEqual({
        what,
        status: call.status,
        type: call.status === 304 ? "" : typeOf(call.respType ?? ""),
      });
      checkContract(call, answer);
    }
  });
});
