// The token subresource of ServiceAccounts.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { runSteps } from "../../../runtime/steps.ts";
import { decodeKind } from "../kinds/builtin-kind.ts";
import type { FieldError } from "../registry/kind.ts";
import { badRequest, conflict, invalid, notFound } from "../registry/status-error.ts";
import { parseBody, undecodable } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { readWriteOptions } from "../request/options.ts";
import { type BoundObject, TOKEN_ISSUER } from "../tokens/service-account-tokens.ts";
import { admitSubresource } from "./admission.ts";
import { answerValue } from "./answers.ts";
import { writeRequestOf } from "./create-update.ts";
import { requireObject } from "./read.ts";

const GROUP = "authentication.k8s.io";
const KIND = "TokenRequest";
const SHORTEST_S = 600;
const LONGEST_S = 2 ** 32;
const BINDABLE: Readonly<Record<string, { readonly kind: BoundObject["kind"]; readonly resource: string }>> = {
  Pod: { kind: "Pod", resource: "pods" },
  Secret: { kind: "Secret", resource: "secrets" },
  Node: { kind: "Node", resource: "nodes" },
};

interface TokenSpec {
  readonly audiences: readonly string[] | null;
  readonly expirationSeconds?: number;
  readonly boundObjectRef?: {
    readonly kind?: string;
    readonly apiVersion?: string;
    readonly name?: string;
    uid?: string;
  } | null;
}

/** Answers a TokenRequest with a token. A dry run gets one as well, as from the reference. */
export async function createToken(exchange: Exchange): Promise<ApiResponse> {
  const { server, query } = exchange;
  const options = readWriteOptions(query, "CreateOptions");
  const asked = readRequest(exchange);
  const { name } = requireObject(exchange);
  const gvk = { group: GROUP, version: "v1", kind: KIND };
  // A KubeObject of decoded JSON.
  const json = asked as unknown as JsonObject;
  const object = await runSteps(admitSubresource(writeRequestOf(exchange, options), "CREATE", gvk, name, json));
  const { metadata } = object;
  // Decoded, and changed by admission at most.
  const spec = object["spec"] as TokenSpec;
  const account = requireObject(exchange);
  const given = spec.audiences ?? [];
  const audiences = given.length === 0 ? [TOKEN_ISSUER] : given;
  const expirationSeconds = spec.expirationSeconds ?? 3600;
  if (metadata.namespace !== undefined && metadata.namespace !== "" && metadata.namespace !== account.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const errors = [...checkName(metadata.name ?? "", account.name), ...checkExpiration(expirationSeconds)];
  if (errors.length > 0) throw invalid({ group: GROUP, kind: KIND }, metadata.name ?? "", errors);
  const { boundObjectRef = null } = spec;
  const bound = boundObjectRef === null ? undefined : findBound(exchange, account.namespace, boundObjectRef);
  const { token, expiresMs } = server.tokens.issue(account, audiences, expirationSeconds, bound);
  return answerValue(exchange, 201, {
    kind: KIND,
    apiVersion: `${GROUP}/v1`,
    metadata: {
      name: account.name,
      namespace: account.namespace,
      creationTimestamp: rfc3339(server.clock.now()),
    },
    spec: { audiences, expirationSeconds, boundObjectRef },
    status: { token, expirationTimestamp: rfc3339(expiresMs) },
  });
}

function readRequest({ request }: Exchange): KubeObject {
  const { json } = parseBody(request, false, KIND);
  const apiVersion = json["apiVersion"] ?? `${GROUP}/v1`;
  const kind = json["kind"] ?? KIND;
  if (apiVersion !== `${GROUP}/v1` || kind !== KIND) {
    const version = String(apiVersion).split("/").pop();
    const why = `converting (${version}.${String(kind)}) to (authentication.${KIND}): unknown conversion`;
    throw undecodable({ apiVersion: String(apiVersion), kind: String(kind) }, KIND, why);
  }
  return decodeKind(`${GROUP}/v1`, KIND, json).object;
}

function checkName(given: string, name: string): FieldError[] {
  if (given === "" || given === name) return [];
  const message = `Invalid value: ${JSON.stringify(given)}: must match the service account name if specified`;
  return [{ reason: "FieldValueInvalid", field: "metadata.name", message }];
}

function checkExpiration(seconds: number): FieldError[] {
  const tooShort = seconds < SHORTEST_S;
  if (!tooShort && seconds <= LONGEST_S) return [];
  const why = tooShort
    ? "may not specify a duration less than 10 minutes"
    : "may not specify a duration larger than 2^32 seconds";
  return [
    { reason: "FieldValueInvalid", field: "spec.expirationSeconds", message: `Invalid value: ${seconds}: ${why}` },
  ];
}

/** What the token is to be bound to. It must be there, and be the one that the request means. */
function findBound(exchange: Exchange, namespace: string, ref: NonNullable<TokenSpec["boundObjectRef"]>): BoundObject {
  const { server } = exchange;
  const { kind = "", name = "", uid = "", apiVersion = "" } = ref;
  const target = Object.hasOwn(BINDABLE, kind) ? BINDABLE[kind] : undefined;
  if (target === undefined || apiVersion.includes("/")) {
    const version = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
    throw badRequest(`cannot bind token to object of type ${version}, Kind=${kind}`);
  }
  const bound = server.tokens.findBound(target.kind, namespace, name);
  if (bound === undefined) throw notFound({ group: "", resource: target.resource }, name);
  if (uid !== "" && uid !== bound.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: "", resource: kind }, name, why);
  }
  if (target.kind === "Pod") checkPodAccount(exchange, namespace, name);
  return bound;
}

/** A Pod's token is for the account that it runs as. */
function checkPodAccount({ server, target }: Exchange, namespace: string, pod: string): void {
  const spec = server.store.get({ resource: "pods", namespace, name: pod })?.object["spec"];
  const runsAs = isObject(spec) ? spec["serviceAccountName"] : undefined;
  if (runsAs === target.name) return;
  throw badRequest(
    `cannot bind token for serviceaccount ${JSON.stringify(target.name)} to pod running with different serviceaccount name.`,
  );
}
