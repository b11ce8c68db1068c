// API servers that decide by RBAC, to be joined as members: an embedded one, and a real kube-apiserver where there is one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { runCli } from "../../../reconciler/cli/main.ts";
import { type EngineName, type Plane, startPlane } from "./plane.ts";
import { findKubeAssets, startRealApiServer } from "./real-api-server.ts";

export interface JoinableMember {
  /** An administrator's. */
  readonly client: KubeClient;
  readonly kubeconfig: string;
  /** A kubeconfig of an account that is allowed `rules` in the whole cluster. */
  kubeconfigOf(account: string, rules: readonly Record<string, unknown>[]): Promise<string>;
  close(): Promise<void>;
}

export async function startJoinableMember(engine: EngineName): Promise<JoinableMember> {
  // A control plane without members is an API server with RBAC.
  const server =
    engine === "embedded"
      ? await startPlane({ engine: "embedded", members: {} })
      : await startRealApiServer(findKubeAssets() ?? "");
  const transport = await openHttpTransportFile(server.kubeconfig);
  const client = new KubeClient(transport.send);
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-joiner-"));
  return {
    client,
    kubeconfig: server.kubeconfig,
    async kubeconfigOf(account, rules) {
      const rbac = "rbac.authorization.k8s.io/v1";
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: account };
      const subjects = [{ kind: "ServiceAccount", name: account, namespace: "default" }];
      const parts: KubeObject[] = [
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account, namespace: "default" } },
        { apiVersion: rbac, kind: "ClusterRole", metadata: { name: account }, rules },
        { apiVersion: rbac, kind: "ClusterRoleBinding", metadata: { name: account }, roleRef, subjects },
      ];
      for (const part of parts) await client.apply(part, { fieldManager: "test", force: true });
      const path = `/api/v1/namespaces/default/serviceaccounts/${account}/token`;
      const request = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: 3600 },
      };
      const { status } = (await client.raw("POST", path, request)) as { status: { token: string } };
      const config = parseYaml(readFileSync(server.kubeconfig, "utf8")) as { users: { user: unknown }[] };
      for (const user of config.users) user.user = { token: status.token };
      const file = join(folder, `${account}.kubeconfig`);
      writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
      return file;
    },
    async close() {
      await transport.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line of Flaghoist against a control plane. */
export async function flaghoist(plane: Plane, ...args: readonly string[]): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    env: {},
    cwd: tmpdir(),
    isTerminal: false,
  };
  const code = await runCli([...args, "--kubeconfig", plane.kubeconfig], io, new AbortController().signal);
  return { code, out: out.join(""), err: err.join("") };
}
