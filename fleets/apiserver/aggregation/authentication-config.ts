// Tells extension API servers how this server authenticates, in the ConfigMap from which they read it.
import { cloneJson, equalJson, type JsonObject } from "../../../kube/object.ts";
import { createServerObject } from "../controllers/server-objects.ts";
import { FRONT_PROXY_NAME } from "../http/certificates.ts";
import type { ServerContext } from "../server-context.ts";

const NAMESPACE = "kube-system";
const NAME = "extension-apiserver-authentication";
const MANAGER = "kube-apiserver";
const CONFIG_MAPS = { group: "", version: "v1", plural: "configmaps" };
const ROLES = { group: "rbac.authorization.k8s.io", version: "v1", plural: "roles" };

/** Writes the ConfigMap and the Role that may read it; does nothing before there are certificates. */
export function publishAuthentication(server: ServerContext): void {
  const { caPem, frontProxy } = server;
  if (caPem === "" || frontProxy === undefined) return;
  const data: JsonObject = {
    "client-ca-file": caPem,
    "requestheader-allowed-names": JSON.stringify([FRONT_PROXY_NAME]),
    "requestheader-client-ca-file": frontProxy.caPem,
    "requestheader-extra-headers-prefix": JSON.stringify(["X-Remote-Extra-"]),
    "requestheader-group-headers": JSON.stringify(["X-Remote-Group"]),
    "requestheader-uid-headers": JSON.stringify(["X-Remote-Uid"]),
    "requestheader-username-headers": JSON.stringify(["X-Remote-User"]),
  };
  const metadata = { name: NAME, namespace: NAMESPACE };
  const stored = server.store.get({ resource: "configmaps", ...metadata });
  if (stored === undefined) {
    createServerObject(server, CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata, data }, MANAGER);
  } else if (!equalJson(stored.object["data"], data)) server.store.put(stored, { ...cloneJson(stored.object), data });
  if (server.rbac !== undefined) publishRole(server);
}

function publishRole(server: ServerContext): void {
  const json = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: {
      name: `${NAME}-reader`,
      namespace: NAMESPACE,
      labels: { "kubernetes.io/bootstrapping": "rbac-defaults" },
      annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
    },
    rules: [{ apiGroups: [""], resourceNames: [NAME], resources: ["configmaps"], verbs: ["get", "list", "watch"] }],
  };
  createServerObject(server, ROLES, json, MANAGER);
}
