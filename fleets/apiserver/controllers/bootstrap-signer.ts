// What those read who have a bootstrap token and nothing else: address and authority of this server, signed by each token.
// Tokens that have expired are removed.
import { cloneJson, equalJson, isObject, type JsonObject } from "../../../kube/object.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { ServerContext } from "../server-context.ts";
import {
  BOOTSTRAP_TOKEN_NAMESPACE,
  BOOTSTRAP_TOKEN_TYPE,
  type BootstrapToken,
  isExpired,
  readBootstrapToken,
  signDetached,
} from "../tokens/bootstrap-tokens.ts";
import { createServerObject } from "./server-objects.ts";

const NAMESPACE = "kube-public";
const NAME = "cluster-info";
/** As Karmada's: whoever asks may read it. */
const ROLE = "system:karmada:bootstrap-signer-clusterinfo";
const MANAGER = "bootstrapsigner";
const SIGNATURE = "jws-kubeconfig-";
const RBAC = { group: "rbac.authorization.k8s.io", version: "v1" };

export interface BootstrapSigner {
  /** Publishes where the server is reached, and by which authority it is known. */
  publish(url: string, caPem: string): void;
  stop(): void;
}

/** Follows the tokens from now on. */
export function startBootstrapSigner(server: ServerContext): BootstrapSigner {
  const { store, clock } = server;
  let timer: Timer | undefined;
  let isDue = false;
  let kubeconfig: string | undefined;

  function later(): void {
    if (isDue || server.closing.aborted) return;
    isDue = true;
    // Not within a write: its answer is what the client sent.
    setImmediate(() => {
      isDue = false;
      if (!server.closing.aborted) guarded();
    });
  }
  function guarded(): void {
    try {
      removeExpired();
      sign();
    } catch (error) {
      server.logger.warn("failed to sign for bootstrap tokens", { error: messageOf(error) });
    }
  }
  function tokens(): BootstrapToken[] {
    return [...store.list("secrets", BOOTSTRAP_TOKEN_NAMESPACE)].flatMap(
      ({ object }) => readBootstrapToken(object) ?? [],
    );
  }
  function removeExpired(): void {
    timer?.cancel();
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const stored of [...store.list("secrets", BOOTSTRAP_TOKEN_NAMESPACE)]) {
      const token = readBootstrapToken(stored.object);
      if (token?.expiresAt === undefined) continue;
      if (!isExpired(token, now)) next = Math.min(next, token.expiresAt);
      else if ((stored.object.metadata.finalizers ?? []).length === 0) store.remove(stored);
    }
    if (next !== Number.POSITIVE_INFINITY) timer = clock.after(next - now, later);
  }
  function sign(): void {
    const stored = store.get({ resource: "configmaps", namespace: NAMESPACE, name: NAME });
    if (stored === undefined) return;
    const old = isObject(stored.object["data"]) ? (stored.object["data"] as JsonObject) : {};
    const content = kubeconfig ?? old["kubeconfig"];
    if (typeof content !== "string") return;
    const data: JsonObject = { ...old, kubeconfig: content };
    for (const key of Object.keys(data)) if (key.startsWith(SIGNATURE)) delete data[key];
    for (const token of tokens())
      if (token.usages.includes("signing")) data[`${SIGNATURE}${token.id}`] = signDetached(content, token);
    if (!equalJson(data, old)) store.put(stored, { ...cloneJson(stored.object), data });
  }

  store.subscribe("secrets", ({ object }) => {
    if (object.namespace === BOOTSTRAP_TOKEN_NAMESPACE && object.object["type"] === BOOTSTRAP_TOKEN_TYPE) later();
  });
  store.subscribe("configmaps", ({ object }) => {
    if (object.namespace === NAMESPACE && object.name === NAME) later();
  });
  later();
  return {
    publish(url, caPem) {
      kubeconfig = stringifyYaml({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          { name: "", cluster: { server: url, "certificate-authority-data": Buffer.from(caPem).toString("base64") } },
        ],
        contexts: null,
        "current-context": "",
        users: null,
      });
      createObjects(server, kubeconfig);
      later();
    },
    stop: () => timer?.cancel(),
  };
}

function createObjects(server: ServerContext, kubeconfig: string): void {
  const metadata = { name: NAME, namespace: NAMESPACE };
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { kubeconfig } };
  createServerObject(server, { group: "", version: "v1", plural: "configmaps" }, configMap, MANAGER);
  if (server.rbac === undefined) return;
  const labels = { "karmada.io/bootstrapping": "rbac-defaults" };
  const common = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: ROLE, namespace: NAMESPACE, labels } };
  const rules = [{ apiGroups: [""], resources: ["configmaps"], resourceNames: [NAME], verbs: ["get"] }];
  createServerObject(
    server,
    { ...RBAC, plural: "roles" },
    { ...structuredClone(common), kind: "Role", rules },
    MANAGER,
  );
  const apiGroup = RBAC.group;
  const binding = {
    ...structuredClone(common),
    kind: "RoleBinding",
    roleRef: { apiGroup, kind: "Role", name: ROLE },
    subjects: [{ apiGroup, kind: "User", name: "system:anonymous" }],
  };
  createServerObject(server, { ...RBAC, plural: "rolebindings" }, binding, MANAGER);
}
