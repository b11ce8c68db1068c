// From a registered Cluster and its Secret to a connection.
import type { Cluster } from "../api/cluster.ts";
import { type HttpTransport, openHttpTransport } from "../kube/client/http-transport.ts";
import type { KubeObject } from "../kube/object.ts";
import { AppError } from "../runtime/errors.ts";

/** Data of a v1 Secret, decoded. Never printed. */
export type SecretData = Readonly<Record<string, Buffer>>;

export function decodeSecret(secret: KubeObject): SecretData {
  const decoded: Record<string, Buffer> = {};
  for (const [key, value] of Object.entries((secret["data"] as Record<string, string> | undefined) ?? {})) {
    decoded[key] = Buffer.from(value, "base64");
  }
  return decoded;
}

/**
 * The kubeconfig by which a cluster is reached. The Secret holds `token` and `caBundle` as Karmada's does, a client
 * certificate (`tls.crt`, `tls.key`), or a whole `kubeconfig`. Throws `cluster-not-configured` when something is missing.
 */
export function memberKubeconfig(cluster: Cluster, secret: SecretData): string {
  const name = cluster.metadata.name ?? "";
  if (secret["kubeconfig"] !== undefined) return secret["kubeconfig"].toString("utf8");
  const server = cluster.spec.apiEndpoint;
  if (server === undefined || server === "") {
    throw new AppError("cluster-not-configured", unknownAddress(cluster), { recovery: "stall" });
  }
  const certificate = secret["tls.crt"];
  const key = secret["tls.key"];
  const token = secret["token"];
  if (token === undefined && (certificate === undefined || key === undefined)) {
    throw new AppError(
      "cluster-not-configured",
      `the Secret of cluster ${name} holds neither token nor tls.crt and tls.key nor kubeconfig`,
      { recovery: "stall" },
    );
  }
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [
      {
        name,
        cluster: {
          server,
          "insecure-skip-tls-verify": cluster.spec.insecureSkipTLSVerification === true ? true : undefined,
          "certificate-authority-data": secret["caBundle"]?.toString("base64"),
          "proxy-url": cluster.spec.proxyURL,
        },
      },
    ],
    users: [
      {
        name,
        user: {
          token: token?.toString("utf8").trim(),
          "client-certificate-data": certificate?.toString("base64"),
          "client-key-data": key?.toString("base64"),
        },
      },
    ],
  };
  // JSON is YAML.
  return JSON.stringify(config);
}

/** Why a cluster without an address is not reached, and what to do. */
export function unknownAddress({ metadata, spec }: Cluster): string {
  const name = metadata.name ?? "";
  if (spec.syncMode !== "Pull") return `cluster ${name} has no spec.apiEndpoint`;
  return `cluster ${name} is in Pull mode: its agent asks the control plane, which has no way to the cluster. Ask it on its side; or, where it can be reached from here, give it spec.apiEndpoint and spec.impersonatorSecretRef`;
}

/** Connects to a registered cluster over HTTP. */
export async function connectCluster(cluster: Cluster, secret: SecretData): Promise<HttpTransport> {
  // Whoever may write the Secret must not come to run commands or read files here.
  return openHttpTransport({ kubeconfig: memberKubeconfig(cluster, secret), timeoutMs: 15_000, selfContained: true });
}
