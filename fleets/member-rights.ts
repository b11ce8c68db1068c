// Requests that a member refuses because the account lacks a right: asked for, tried again, and told of.
import type { KubeClient } from "../kube/client/kube-client.ts";
import { failureStatus } from "../kube/client/status-error.ts";
import type { ApiRequest, ApiResponse, Transport } from "../kube/client/transport.ts";
import type { Condition } from "../kube/object.ts";
import { type Clock, rfc3339, sleep } from "../runtime/clock.ts";
import { parseResourcePath } from "./apiserver/request/request-info.ts";
import { accountName } from "./member-account-names.ts";

/** What an account was not allowed to do. */
export interface DeniedRequest {
  readonly verb: string;
  readonly group: string;
  /** Plural, with the subresource: `pods/log`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** The right is there, but not those that the request would hand out. */
  readonly handsOut: boolean;
}

/** Answers whether the account may have got the right meanwhile. */
export type RightsKeeper = (cluster: string, denied: DeniedRequest, signal?: AbortSignal) => Promise<boolean>;

/** An API server takes a changed role up by its own watch: this long after the change, in all. */
const RETRY_AFTER_MS = [20, 50, 100, 200, 400, 800, 1600];
/** How long a refusal is believed before the right is asked for again. */
const BELIEVED_MS = 10_000;
/** Works are tried again more often than this. */
const UNTRIED_MS = 60_000;
const REVIEW_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const MOST_TOLD = 5;
export const RIGHTS_CONDITION = "SufficientRights";

interface Missing {
  readonly denied: DeniedRequest;
  readonly until: number;
}

/** What members refuse to the accounts by which this process works in them. */
export class MemberRights {
  readonly #clock: Clock;
  readonly #missing = new Map<string, Map<string, Missing>>();
  readonly #listeners: ((cluster: string) => void)[] = [];
  #keeper: RightsKeeper = () => Promise.resolve(false);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whom to ask for a right that is missing. */
  keepBy(keeper: RightsKeeper): void {
    this.#keeper = keeper;
  }

  /** Tells of a cluster whenever what it refuses has changed. */
  subscribe(listener: (cluster: string) => void): void {
    this.#listeners.push(listener);
  }

  missing(cluster: string): readonly DeniedRequest[] {
    return [...(this.#missing.get(cluster)?.values() ?? [])].map(({ denied }) => denied);
  }

  /** Lets go of refusals that no longer matter. */
  forget(cluster: string, isOver: (denied: DeniedRequest) => boolean = () => true): void {
    const known = this.#missing.get(cluster);
    if (known === undefined) return;
    let changed = false;
    for (const [key, { denied }] of known) if (isOver(denied)) changed = known.delete(key) || changed;
    if (known.size === 0) this.#missing.delete(cluster);
    if (changed) this.#tell(cluster);
  }

  /** Asks a member whether what it refused is allowed by now, also where nobody tries it again. */
  async review(cluster: string, client: KubeClient): Promise<void> {
    const now = this.#clock.now();
    const known = [...(this.#missing.get(cluster) ?? [])];
    for (const [key, { denied, until }] of known) {
      // What a request would hand out can only be tried.
      const isOver = denied.handsOut ? until + UNTRIED_MS < now : until <= now && (await isAllowed(client, denied));
      if (isOver) this.forget(cluster, (other) => keyOf(other) === key);
    }
  }

  /** `transport`, by which refused requests are sent again once the right was granted. */
  guard(cluster: string, transport: Transport): Transport {
    return async (request) => {
      const answer = await transport(request);
      if (answer.status !== 403) {
        if (answer.status < 300 && this.#missing.has(cluster)) this.#granted(cluster, request);
        return answer;
      }
      const { message, whole } = readFailure(answer);
      const denied = readDenied(request, message);
      if (denied === undefined) return whole;
      const key = keyOf(denied);
      const believed = this.#missing.get(cluster)?.get(key);
      if (believed !== undefined && believed.until > this.#clock.now()) return advise(whole, cluster, message);
      if (request.stream === undefined && (await this.#keeper(cluster, denied, request.signal))) {
        for (const afterMs of RETRY_AFTER_MS) {
          await sleep(this.#clock, afterMs, request.signal);
          const again = await transport(request);
          if (again.status !== 403) {
            this.#granted(cluster, request);
            return again;
          }
        }
      }
      const known = this.#missing.get(cluster) ?? new Map<string, Missing>();
      this.#missing.set(cluster, known);
      const isNew = !known.has(key);
      known.set(key, { denied, until: this.#clock.now() + BELIEVED_MS });
      if (isNew) this.#tell(cluster);
      return advise(whole, cluster, message);
    };
  }

  #granted(cluster: string, request: ApiRequest): void {
    const asked = readRequest(request);
    if (asked === undefined) return;
    this.forget(
      cluster,
      ({ verb, group, resource, name }) =>
        group === asked.group &&
        resource === asked.resource &&
        (name === undefined || name === asked.name) &&
        // Who may patch what is not there may create it, too.
        (verb === asked.verb || (verb === "create" && asked.verb === "patch")),
    );
  }

  #tell(cluster: string): void {
    for (const listener of this.#listeners) listener(cluster);
  }
}

/** Something that an account may be allowed or not. */
export type Right = Pick<DeniedRequest, "verb" | "group" | "resource"> & Partial<DeniedRequest>;

/** Asks a member whether its account is allowed something, wherever no namespace is named. */
export async function mayDo(client: KubeClient, { verb, group, resource, namespace, name }: Right): Promise<boolean> {
  const [plural, subresource] = resource.split("/");
  const resourceAttributes = { verb, group, resource: plural, subresource, namespace, name };
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes },
  };
  const answer = (await client.raw("POST", REVIEW_PATH, review)) as {
    readonly status?: { readonly allowed?: boolean };
  };
  return answer.status?.allowed === true;
}

async function isAllowed(client: KubeClient, denied: DeniedRequest): Promise<boolean> {
  try {
    return await mayDo(client, denied);
  } catch {
    // The next review tells.
    return false;
  }
}

function keyOf({ verb, group, resource, name, handsOut }: DeniedRequest): string {
  return [verb, group, resource, handsOut ? name : ""].join(" ");
}

/** The command by which a person gives an account what it needs. */
export function grantCommand(cluster: string): string {
  return `flaghoist grant ${cluster} --cluster-kubeconfig FILE`;
}

/** Says what a cluster refuses; undefined when it refuses nothing. */
export function rightsCondition(
  cluster: string,
  missing: readonly DeniedRequest[],
  nowMs: number,
): Condition | undefined {
  if (missing.length === 0) return undefined;
  const byResource = new Map<string, Set<string>>();
  for (const { verb, group, resource, handsOut } of missing) {
    const what = `${group === "" ? resource : `${resource}.${group}`}${handsOut ? " with rights that it has not itself" : ""}`;
    byResource.set(what, (byResource.get(what) ?? new Set()).add(verb));
  }
  const all = [...byResource].map(([what, verbs]) => `${[...verbs].sort().join(", ")} ${what}`).sort();
  const told =
    all.slice(0, MOST_TOLD).join("; ") + (all.length > MOST_TOLD ? `; and ${all.length - MOST_TOLD} more` : "");
  return {
    type: RIGHTS_CONDITION,
    status: "False",
    reason: "RightsMissing",
    message: `account ${accountName(cluster)} may not ${told}. Grant it: ${grantCommand(cluster)}`,
    lastTransitionTime: rfc3339(nowMs),
  };
}

function readFailure(answer: ApiResponse): { readonly message: string; readonly whole: ApiResponse } {
  const { parsed, body } = answer;
  if (typeof parsed === "object" && parsed !== null && "message" in parsed)
    return { message: String(parsed.message), whole: answer };
  if (!(body instanceof Uint8Array)) return { message: "", whole: answer };
  return { message: failureStatus(answer.status, body).message, whole: answer };
}

const CANNOT = /\bcannot ([a-z]+) resource "/;
/** The words of Kubernetes' check that nobody hands out more than he has. */
const ESCALATION = /attempting to grant RBAC permissions not currently held/;

/** What is refused for want of a right; undefined where webhooks, policies or quotas refuse. */
function readDenied(request: ApiRequest, message: string): DeniedRequest | undefined {
  const asked = readRequest(request);
  if (asked === undefined) return undefined;
  const verb = CANNOT.exec(message)?.[1];
  if (verb !== undefined) return { ...asked, verb, handsOut: false };
  return ESCALATION.test(message) ? { ...asked, handsOut: true } : undefined;
}

function readRequest(request: ApiRequest): Omit<DeniedRequest, "handsOut"> | undefined {
  const [path = "", query = ""] = request.path.split("?");
  const target = parseResourcePath(path);
  if (target === undefined) return undefined;
  const { group, namespace, name, subresource } = target;
  return {
    verb: verbOf(request.method, name, query),
    group,
    resource: subresource === undefined ? target.resource : `${target.resource}/${subresource}`,
    namespace,
    name,
  };
}

function verbOf(method: string, name: string | undefined, query: string): string {
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === undefined ? "deletecollection" : "delete";
    default:
      if (name !== undefined) return "get";
      return new URLSearchParams(query).get("watch") === "true" || query.includes("watch=1") ? "watch" : "list";
  }
}

/** The refusal with what to do about it. */
function advise(answer: ApiResponse, cluster: string, message: string): ApiResponse {
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    reason: "Forbidden",
    code: 403,
    message: `${message}. Grant it: ${grantCommand(cluster)}`,
  };
  return { status: 403, headers: answer.headers, body: Buffer.from(JSON.stringify(status)), parsed: status };
}
