// Kubeconfig files for clients of a listener.
import { stringifyYaml } from "../../../kube/yaml.ts";
import type { KeyPair } from "./certificate-signing.ts";

export interface KubeconfigEntry {
  /** Names cluster, user and context. */
  readonly name: string;
  /** URL, with the path prefix of a cluster if it has one. */
  readonly server: string;
  readonly caPem: string;
  readonly credentials: KeyPair | { readonly token: string };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** The text of a kubeconfig; the first entry is the current context. Contains secrets: write it with mode 0600. */
export function formatKubeconfig(entries: readonly KubeconfigEntry[]): string {
  return stringifyYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: entries.map(({ name, server, caPem }) => ({
      name,
      cluster: { server, "certificate-authority-data": base64(caPem) },
    })),
    users: entries.map(({ name, credentials }) => ({
      name,
      user:
        "token" in credentials
          ? { token: credentials.token }
          : {
              "client-certificate-data": base64(credentials.certificate),
              "client-key-data": base64(credentials.key),
            },
    })),
    contexts: entries.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    "current-context": entries[0]?.name ?? "",
  });
}
