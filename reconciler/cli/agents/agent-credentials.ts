// Where an agent keeps the kubeconfig of its control plane: a file, or a Secret of its own cluster.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { AGENT_KUBECONFIG_SECRET, AGENT_NAMESPACE } from "../../../api/agent-identity.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isAlreadyExists } from "../../../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";

export interface CredentialPlace {
  /** For people: `file agent.kubeconfig`. */
  readonly description: string;
  /** The kubeconfig; undefined when there is none. */
  read(): Promise<string | undefined>;
  /** All or nothing. */
  write(kubeconfig: string): Promise<void>;
  remove(): Promise<void>;
}

/** Readable by its owner only. */
export function credentialFile(path: string): CredentialPlace {
  return {
    description: `file ${path}`,
    read: () => {
      try {
        return Promise.resolve(readFileSync(path, "utf8"));
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return Promise.resolve(undefined);
        throw new AppError("agent-credentials", `cannot read ${path}: ${messageOf(error)}`, { recovery: "retry" });
      }
    },
    write: (kubeconfig) => {
      try {
        writeFileSync(`${path}.new`, kubeconfig, { mode: 0o600 });
        renameSync(`${path}.new`, path);
      } catch (error) {
        throw new AppError("agent-credentials", `cannot write ${path}: ${messageOf(error)}`, { recovery: "retry" });
      }
      return Promise.resolve();
    },
    remove: async () => {
      const { rm } = await import("node:fs/promises");
      await rm(path, { force: true });
    },
  };
}

/** The Secret in which Karmada's agent has it. */
export function credentialSecret(member: KubeClient): CredentialPlace {
  const ref: ObjectRef = {
    apiVersion: "v1",
    kind: "Secret",
    namespace: AGENT_NAMESPACE,
    name: AGENT_KUBECONFIG_SECRET,
  };
  return {
    description: `Secret ${AGENT_NAMESPACE}/${AGENT_KUBECONFIG_SECRET} of the cluster`,
    async read() {
      const data = (await member.find(ref))?.["data"];
      const text = isObject(data) ? data[AGENT_KUBECONFIG_SECRET] : undefined;
      return typeof text === "string" ? Buffer.from(text, "base64").toString("utf8") : undefined;
    },
    async write(kubeconfig) {
      const labels = { "karmada.io/system": "true" };
      const namespace: KubeObject = {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: AGENT_NAMESPACE, labels },
      };
      try {
        await member.create(namespace, { fieldManager: "flaghoist-agent" });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      const secret: KubeObject = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: ref.name, namespace: AGENT_NAMESPACE, labels },
        type: "Opaque",
        data: { [AGENT_KUBECONFIG_SECRET]: Buffer.from(kubeconfig).toString("base64") },
      };
      await member.apply(secret, { fieldManager: "flaghoist-agent", force: true });
    },
    async remove() {
      await member.delete(ref);
    },
  };
}
