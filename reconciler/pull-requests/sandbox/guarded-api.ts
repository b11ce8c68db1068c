// The control plane and its members as the process of a plan may ask them.
import { randomBytes } from "node:crypto";
import type { Cluster } from "../../../api/cluster.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { ApiResponse, Transport } from "../../../kube/client/transport.ts";
import { parseJson, stringifyJson } from "../../../kube/json.ts";
import { isObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { Turn } from "../../../runtime/turn.ts";
import { connectMember, type MemberConnection } from "../../cli/member-client.ts";
import { Mask } from "../../plan/diff/mask.ts";
import { planTooLarge } from "./errors.ts";
import type { AskedRequest } from "./messages.ts";
import { type AskedResource, type GatedRequest, gateRequest } from "./request-gate.ts";
import { AnswerSeal } from "./sealed-answers.ts";

/** Of one plan. More than a fleet of a hundred thousand objects takes. */
const MOST_REQUESTS = 200_000;
const AT_ONCE = 16;
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
/** Dry runs tell whether a value is the one that is there. Two sides of a few Syncs need no more of one Secret. */
const MOST_TRIES_OF_A_SECRET = 8;
const MEMBER_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
const FORBIDDEN = 403;

export interface GuardedAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

export interface GuardedApiOptions {
  /** Of the control plane, with whatever rights. */
  readonly transport: Transport;
  /** Reaches a member; by default with the credentials that the control plane holds of it. */
  readonly connect?: ((cluster: string) => Promise<MemberConnection>) | undefined;
}

/** Answers the requests of one plan; `close` ends its connections. */
export class GuardedApi {
  readonly #options: GuardedApiOptions;
  readonly #client: KubeClient;
  /** One key for all servers, so that what Works hold and what members have can be compared. */
  readonly #seal = new AnswerSeal(new Mask(randomBytes(32)));
  readonly #members = new Map<string, Promise<MemberConnection>>();
  readonly #tries = new Map<string, number>();
  readonly #turn = new Turn();
  #requests = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: GuardedApiOptions) {
    this.#options = options;
    this.#client = new KubeClient(options.transport);
  }

  /** Throws `AppError`s where no answer came; a refusal is an answer. `plan-too-large` when too much is asked. */
  async answer(
    member: string | undefined,
    asked: AskedRequest,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<GuardedAnswer> {
    if (++this.#requests > MOST_REQUESTS) throw planTooLarge(`the plan asks more than ${MOST_REQUESTS} times`);
    const gated = gateRequest(asked);
    if (gated.kind === "refused") return refusal(`plans may not ask for this: ${gated.why}`);
    // Of members a plan wants to know what there is.
    if (member !== undefined && gated.kind !== "read") return refusal("members are only read");
    if (this.#isTriedTooOften(gated)) return refusal("this Secret was tried too often in one plan");
    await this.#slot();
    try {
      // A server in this process answers without leaving the turn.
      if (this.#turn.isOver) await this.#turn.next();
      signal.throwIfAborted();
      const transport = member === undefined ? this.#options.transport : await this.#member(member);
      return await this.#send(transport, gated, body, signal);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    const members = await Promise.allSettled(this.#members.values());
    this.#members.clear();
    for (const member of members) if (member.status === "fulfilled") await member.value.close();
  }

  async #send(
    transport: Transport,
    { kind, path, resource }: Exclude<GatedRequest, { kind: "refused" }>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<GuardedAnswer> {
    const wanted = kind === "dry-run" ? readObject(body) : undefined;
    if (kind === "dry-run" && wanted === undefined) return refusal("what is tried is no object");
    const answer = await transport({
      method: kind === "dry-run" ? "PATCH" : "GET",
      path,
      headers:
        kind === "dry-run"
          ? { accept: "application/json", "content-type": "application/apply-patch+yaml" }
          : { accept: resource === undefined ? AGGREGATED : "application/json" },
      ...(wanted === undefined ? {} : { object: wanted }),
      signal,
    });
    const told = await bodyOf(answer);
    if (resource === undefined && answer.status === 200) return { status: 200, body: encoded(told) };
    if (answer.status >= 200 && answer.status < 300 && resource !== undefined)
      return { status: answer.status, body: encoded(this.#seal.answer(told, resource)) };
    const quoted = await this.#quoted(transport, resource, signal);
    return {
      status: answer.status < 400 ? 502 : answer.status,
      body: encoded(this.#seal.refusal(told, answer.status, [...quoted, ...(wanted === undefined ? [] : [wanted])])),
    };
  }

  /** What a refusal about a Secret may quote: the Secret as it is. */
  async #quoted(transport: Transport, resource: AskedResource | undefined, signal: AbortSignal): Promise<unknown[]> {
    if (resource?.name === undefined || !isSecret(resource)) return [];
    const path = `/api/v1/namespaces/${encodeURIComponent(resource.namespace ?? "")}/secrets/${encodeURIComponent(resource.name)}`;
    const answer = await transport({ method: "GET", path, headers: { accept: "application/json" }, signal });
    const live = answer.status === 200 ? await bodyOf(answer) : undefined;
    return isObject(live) ? [{ ...live, kind: "Secret" }] : [];
  }

  #isTriedTooOften({ kind, ...gated }: GatedRequest): boolean {
    if (kind !== "dry-run" || !("resource" in gated) || gated.resource === undefined) return false;
    if (!isSecret(gated.resource)) return false;
    const key = `${gated.resource.namespace}/${gated.resource.name}`;
    const tries = (this.#tries.get(key) ?? 0) + 1;
    this.#tries.set(key, tries);
    return tries > MOST_TRIES_OF_A_SECRET;
  }

  async #slot(): Promise<void> {
    while (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
  }

  async #member(name: string): Promise<Transport> {
    if (!MEMBER_NAME.test(name))
      throw new AppError("cluster-unknown", "there is no such cluster", { recovery: "stall" });
    let connection = this.#members.get(name);
    if (connection === undefined) {
      connection = this.#connect(name);
      this.#members.set(name, connection);
    }
    return (await connection).client.transport;
  }

  /** By the cluster as the control plane has it, whatever the change makes of it. */
  async #connect(name: string): Promise<MemberConnection> {
    const { connect } = this.#options;
    if (connect !== undefined) return connect(name);
    const cluster = await this.#client.get<Cluster>({
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      name,
    });
    return connectMember(this.#client, cluster);
  }
}

function isSecret({ group, plural }: AskedResource): boolean {
  return group === "" && plural === "secrets";
}

function readObject(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const object = parseJson(Buffer.from(body).toString("utf8"));
    return isObject(object) && isObject(object["metadata"]) ? object : undefined;
  } catch {
    return undefined;
  }
}

/** The parsed body; undefined where it is no JSON. */
async function bodyOf(answer: ApiResponse): Promise<unknown> {
  if (answer.parsed !== undefined) return answer.parsed;
  const bytes = answer.body instanceof Uint8Array ? answer.body : await collected(answer.body);
  try {
    return parseJson(Buffer.from(bytes).toString("utf8"));
  } catch {
    if (answer.status >= 300) return undefined;
    // What made it none would quote it.
    throw new AppError("api-unreachable", "an answer is no JSON, or not all of it came", { recovery: "retry" });
  }
}

async function collected(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MOST_ANSWER_BYTES) throw planTooLarge(`an answer of the control plane is larger than ${size} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function encoded(body: unknown): Uint8Array {
  return Buffer.from(stringifyJson(body));
}

function refusal(message: string): GuardedAnswer {
  return {
    status: FORBIDDEN,
    body: encoded({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      code: FORBIDDEN,
      reason: "Forbidden",
      message,
    }),
  };
}
