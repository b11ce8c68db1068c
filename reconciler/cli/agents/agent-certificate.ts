// The certificate by which an agent is known to its control plane.
import { randomBytes, X509Certificate } from "node:crypto";
import { AGENT_GROUP, agentUser } from "../../../api/agent-identity.ts";
import { formatKubeconfig } from "../../../fleets/apiserver/http/kubeconfig.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isObject, type KubeObject, refOf } from "../../../kube/object.ts";
import { type Clock, sleep } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";

const POLL_MS = 250;

export interface CertificateOptions {
  readonly cluster: string;
  readonly seconds: number;
  /** How long to wait for an approval. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface AgentKeyPair {
  /** PEM, both. */
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes a key and has a certificate of it signed. Throws `agent-denied` with the control plane's reason, and
 * `agent-not-approved` when nobody decides in time.
 */
export async function requestAgentCertificate(client: KubeClient, options: CertificateOptions): Promise<AgentKeyPair> {
  const { cluster, seconds, timeoutMs, clock, signal } = options;
  const { makeSigningRequest } = await import("../../../fleets/apiserver/http/certificate-signing.ts");
  const { request, key } = await makeSigningRequest(agentUser(cluster), [AGENT_GROUP]);
  const csr: KubeObject = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: `${cluster}-${randomBytes(4).toString("hex")}`, labels: { "karmada.io/system": "true" } },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client",
      expirationSeconds: seconds,
      usages: ["digital signature", "key encipherment", "client auth"],
    },
  };
  const created = await client.create(csr, { fieldManager: "flaghoist-agent", signal });
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    const status = (await client.get(refOf(created), signal))["status"];
    const { certificate, conditions } = isObject(status) ? status : {};
    const decided = Array.isArray(conditions) ? conditions.filter(isObject) : [];
    const no = decided.find(({ type }) => type === "Denied" || type === "Failed");
    if (no !== undefined)
      throw new AppError("agent-denied", `the control plane lets no agent of ${cluster} in: ${String(no["message"])}`, {
        recovery: "stall",
      });
    if (typeof certificate === "string" && certificate !== "")
      return { certificate: Buffer.from(certificate, "base64").toString("utf8"), key };
    if (clock.now() >= deadline) {
      const name = created.metadata.name ?? "";
      const approved = decided.some(({ type }) => type === "Approved");
      throw new AppError(
        "agent-not-approved",
        approved
          ? `request ${name} was approved, but nobody signs it: does a signer of kubernetes.io/kube-apiserver-client run in the control plane?`
          : `nobody approved request ${name} in time: kubectl certificate approve ${name}`,
        { recovery: "retry" },
      );
    }
    await sleep(clock, POLL_MS, signal);
  }
}

/** The kubeconfig that an agent keeps. Contains its key. */
export function agentKubeconfig(cluster: string, server: string, caPem: string, credentials: AgentKeyPair): string {
  return formatKubeconfig([{ name: cluster, server, caPem, credentials }]);
}

export interface CertificateLife {
  /** For how long it was made, in seconds. */
  readonly seconds: number;
  /** The part of that which is left: 1 at its beginning, 0 and less at its end. */
  readonly left: number;
}

export function certificateLife(certificatePem: string, nowMs: number): CertificateLife {
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return { seconds: Math.round((to - from) / 1000), left: (to - nowMs) / Math.max(1, to - from) };
}
