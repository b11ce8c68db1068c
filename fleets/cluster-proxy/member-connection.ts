// From a registered Cluster and its Secrets to a connection that acts for other users.
import type { Cluster, LocalSecretReference } from "../../api/cluster.ts";
import { type KubeconfigConnection, readKubeconfig } from "../../kube/client/kubeconfig-connection.ts";
import type { ApiResponse } from "../../kube/client/transport.ts";
import { equalJson, isObject, type KubeObject } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import type { HeaderMap } from "../apiserver/http/forwarded-headers.ts";
import { Upstream } from "../apiserver/http/upstream.ts";
import { decodeSecret, memberKubeconfig, type SecretData, unknownAddress } from "../connect.ts";

/** Reads a Secret of the control plane; undefined when there is none. */
export type SecretReader = (reference: LocalSecretReference) => Promise<KubeObject | undefined>;

const REVIEW_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const REVIEW_TIMEOUT_MS = 10_000;
const MAX_REVIEW_BYTES = 65_536;

/** A member, reached with the account that may impersonate. */
export class MemberConnection {
  readonly upstream: Upstream;
  /** Path that precedes those of the member's API; empty, or starting with `/`. */
  readonly prefix: string;
  readonly origin: string;
  readonly authorization: HeaderMap;
  readonly #madeFrom: unknown;
  #whole: Promise<boolean> | undefined;

  constructor(config: KubeconfigConnection, options: ConnectionOptions) {
    const { url } = config;
    const { proxyUrl } = config;
    this.prefix = url.pathname.replace(/\/$/, "");
    this.origin = url.origin;
    this.authorization = options.headers;
    this.#madeFrom = options.madeFrom;
    this.upstream = new Upstream({
      origin: url,
      tls: options.tls,
      ...(proxyUrl === undefined ? {} : { proxy: { url: parseProxy(proxyUrl), headers: options.proxyHeaders } }),
    });
  }

  wasMadeFrom(other: unknown): boolean {
    return equalJson(this.#madeFrom, other);
  }

  /** Whether the account may impersonate UIDs and extras beside names and groups. Asked once a connection. */
  mayImpersonateWhole(): Promise<boolean> {
    this.#whole ??= this.#ask().catch(() => {
      this.#whole = undefined;
      return false;
    });
    return this.#whole;
  }

  async #ask(): Promise<boolean> {
    const resourceAttributes = { group: "authentication.k8s.io", resource: "uids", verb: "impersonate" };
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const answer = await this.upstream.send({
      method: "POST",
      path: `${this.prefix}${REVIEW_PATH}`,
      headers: { ...this.authorization, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(review),
      answerTimeoutMs: REVIEW_TIMEOUT_MS,
    });
    const parsed: unknown = JSON.parse(await readText(answer, MAX_REVIEW_BYTES));
    return isObject(parsed) && isObject(parsed["status"]) && parsed["status"]["allowed"] === true;
  }
}

interface ConnectionOptions {
  readonly headers: HeaderMap;
  readonly tls: Awaited<ReturnType<KubeconfigConnection["credentials"]>>["tls"];
  readonly proxyHeaders: HeaderMap;
  readonly madeFrom: unknown;
}

async function readText(answer: ApiResponse, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (answer.body instanceof Uint8Array) return Buffer.from(answer.body).toString("utf8");
  for await (const chunk of answer.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new AppError("answer-too-large", "the answer is too large", { recovery: "retry" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseProxy(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw notConfigured("its spec.proxyURL is no URL");
}

function notConfigured(why: string): AppError {
  return new AppError("cluster-not-configured", why, { recovery: "stall" });
}

/** What a connection is made from, read anew: two readings that are equal mean the same connection. */
export interface ConnectionSource {
  readonly secret: SecretData;
  readonly madeFrom: unknown;
}

/** Reads the Secrets of a cluster. Throws `cluster-not-configured`, telling what is missing and what to do. */
export async function readConnectionSource(cluster: Cluster, readSecret: SecretReader): Promise<ConnectionSource> {
  const { spec } = cluster;
  const { impersonatorSecretRef, secretRef } = spec;
  const name = cluster.metadata.name ?? "";
  if (impersonatorSecretRef === undefined) {
    if (spec.syncMode === "Pull") throw notConfigured(unknownAddress(cluster));
    throw notConfigured(
      `it names no account that may act for others (spec.impersonatorSecretRef); 'flaghoist unjoin ${name}' and 'flaghoist join ${name}' make one`,
    );
  }
  const impersonator = await requireSecret(name, impersonatorSecretRef, readSecret);
  // As Karmada keeps it: the authority stands in the Secret of the control plane's own account.
  const own =
    impersonator["caBundle"] !== undefined || secretRef === undefined
      ? {}
      : await requireSecret(name, secretRef, readSecret);
  const caBundle = impersonator["caBundle"] ?? own["caBundle"];
  const secret = { ...impersonator, ...(caBundle === undefined ? {} : { caBundle }) };
  const texts = Object.entries(secret).map(([key, value]) => [key, value.toString("base64")]);
  const { apiEndpoint, insecureSkipTLSVerification, proxyURL, proxyHeader } = spec;
  const madeFrom = [cluster.metadata.uid, apiEndpoint, insecureSkipTLSVerification, proxyURL, proxyHeader, texts];
  return { secret, madeFrom };
}

async function requireSecret(cluster: string, reference: LocalSecretReference, readSecret: SecretReader) {
  const found = await readSecret(reference);
  if (found !== undefined) return decodeSecret(found);
  throw notConfigured(
    `its Secret ${reference.namespace}/${reference.name} does not exist; 'flaghoist unjoin ${cluster}' and 'flaghoist join ${cluster}' make it anew`,
  );
}

/** Opens the connection. Throws `cluster-not-configured` and `kubeconfig-invalid`. */
export async function openMemberConnection(cluster: Cluster, source: ConnectionSource): Promise<MemberConnection> {
  // Whoever may write the Secret must not come to run commands or read files here.
  const config = await readKubeconfig({ kubeconfig: memberKubeconfig(cluster, source.secret), selfContained: true });
  const { headers, tls } = await config.credentials();
  const proxyHeaders = Object.fromEntries(
    Object.entries(cluster.spec.proxyHeader ?? {}).map(([name, values]) => [name.toLowerCase(), values.split(",")]),
  );
  return new MemberConnection(config, { headers, tls, proxyHeaders, madeFrom: source.madeFrom });
}
