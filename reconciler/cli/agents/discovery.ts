// From an address and a token to a control plane that can be trusted: the token proves that whoever answers knows it, the
// hash of the authority that nobody stands between.
import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import { signDetached } from "../../../fleets/apiserver/tokens/bootstrap-tokens.ts";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import { isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { type Clock, sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";

const INFO = { apiVersion: "v1", kind: "ConfigMap", namespace: "kube-public", name: "cluster-info" };
const RETRY_MS = 1_000;
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const HASH = /^sha256:([0-9a-f]{64})$/i;

export interface DiscoveryOptions {
  /** `HOST:PORT`, as the administrator gave it. */
  readonly endpoint: string;
  readonly token: string;
  /** `sha256:HEX` of authorities, one of which must be the control plane's; none: any is believed. */
  readonly caHashes: readonly string[];
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface DiscoveredPlane {
  readonly server: string;
  readonly caPem: string;
}

/** The two parts of a bootstrap token. Throws `token-invalid`. */
export function parseBootstrapToken(token: string): { readonly id: string; readonly secret: string } {
  const [, id, secret] = TOKEN.exec(token) ?? [];
  if (id === undefined || secret === undefined)
    throw new AppError("token-invalid", "a bootstrap token has the form abcdef.0123456789abcdef", {
      recovery: "stall",
    });
  return { id, secret };
}

/** How authorities are pinned: of the public key, as kubeadm's. Throws for a text that holds no certificate. */
export function caHash(certificatePem: string): string {
  const key = new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/** The certificates of a bundle. */
export function certificatesOf(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/**
 * Asks until the control plane answers and has signed for the token. Throws `control-plane-untrusted` when what it says
 * does not hold, `control-plane-unreachable` when the time is up.
 */
export async function discoverControlPlane(options: DiscoveryOptions): Promise<DiscoveredPlane> {
  const { endpoint, token, caHashes } = options;
  const { id, secret } = parseBootstrapToken(token);
  for (const hash of caHashes)
    if (!HASH.test(hash))
      throw new AppError("ca-hash-invalid", `"${hash}" is no hash of an authority: sha256: and 64 hexadecimal digits`, {
        recovery: "stall",
      });
  const server = `https://${endpoint}`;
  if (!URL.canParse(server) || new URL(server).host === "")
    throw new AppError("endpoint-invalid", `"${endpoint}" is no address: it has the form HOST:PORT`, {
      recovery: "stall",
    });

  const first = await readInfo(options, server, undefined);
  const content = first["kubeconfig"];
  const signature = first[`jws-kubeconfig-${id}`];
  if (content === undefined)
    throw untrusted(endpoint, "its cluster-info holds no kubeconfig; it is not set up for tokens");
  if (signature === undefined)
    throw untrusted(
      endpoint,
      `token ${id} is not valid there, or has expired; make another by 'flaghoist token create --print-register-command'`,
    );
  if (!isEqual(signature, signDetached(content, { id, secret })))
    throw untrusted(endpoint, "who answers does not know the token; is the address right?");
  const caPem = authorityOf(content, endpoint);
  if (caHashes.length === 0) return { server, caPem };
  const wanted = new Set(caHashes.map((hash) => hash.toLowerCase()));
  if (!certificatesOf(caPem).some((certificate) => wanted.has(caHash(certificate))))
    throw untrusted(
      endpoint,
      `its authority has another hash (${certificatesOf(caPem).map(caHash).join(", ")}) than --discovery-token-ca-cert-hash says`,
    );
  // Now over a connection that this authority vouches for.
  const second = await readInfo(options, server, caPem);
  if (second["kubeconfig"] !== content) throw untrusted(endpoint, "it tells something else over a verified connection");
  return { server, caPem };
}

async function readInfo(
  { endpoint, timeoutMs, clock, signal }: DiscoveryOptions,
  server: string,
  caPem: string | undefined,
): Promise<Readonly<Record<string, string | undefined>>> {
  const trust =
    caPem === undefined
      ? { "insecure-skip-tls-verify": true }
      : { "certificate-authority-data": Buffer.from(caPem).toString("base64") };
  const transport = await openHttpTransport({
    kubeconfig: JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "a",
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      clusters: [{ name: "a", cluster: { server, ...trust } }],
      users: [{ name: "a", user: {} }],
    }),
    timeoutMs: 10_000,
  });
  const deadline = clock.now() + timeoutMs;
  try {
    const client = new KubeClient(transport.send);
    for (;;) {
      let problem: unknown;
      try {
        const found = await client.raw("GET", `/api/v1/namespaces/${INFO.namespace}/configmaps/${INFO.name}`);
        const data = isObject(found) && isObject(found["data"]) ? found["data"] : {};
        return data as Readonly<Record<string, string>>;
      } catch (error) {
        if (isNotFound(error))
          problem = new Error("it has no ConfigMap kube-public/cluster-info: it is not set up for tokens");
        else problem = error;
      }
      if (clock.now() + RETRY_MS > deadline)
        throw new AppError(
          "control-plane-unreachable",
          `the control plane at ${endpoint} gives no answer: ${messageOf(problem)}`,
          {
            recovery: "retry",
            cause: problem,
          },
        );
      await sleep(clock, RETRY_MS, signal);
    }
  } finally {
    await transport.close();
  }
}

function authorityOf(kubeconfig: string, endpoint: string): string {
  const config: unknown = parseYaml(kubeconfig);
  const clusters = isObject(config) && Array.isArray(config["clusters"]) ? config["clusters"].filter(isObject) : [];
  const [only] = clusters;
  const cluster = only !== undefined && clusters.length === 1 && isObject(only["cluster"]) ? only["cluster"] : {};
  const data = cluster["certificate-authority-data"];
  const pem = typeof data === "string" ? Buffer.from(data, "base64").toString("utf8") : "";
  if (certificatesOf(pem).length === 0) throw untrusted(endpoint, "its cluster-info names no authority");
  return pem;
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function untrusted(endpoint: string, why: string): AppError {
  return new AppError("control-plane-untrusted", `the control plane at ${endpoint} cannot be trusted: ${why}`, {
    recovery: "stall",
  });
}
