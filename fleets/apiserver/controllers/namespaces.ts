// The life of namespaces.
import type { KubeObject } from "../../../kube/object.ts";
import { ownershipAfterUpdate } from "../handlers/field-ownership.ts";
import { NAMESPACES, SYSTEM_USER, storeNew, type WriteRequest } from "../handlers/write.ts";
import type { ServerContext } from "../server-context.ts";

/** Creates a namespace unless it is there, or Namespaces are not served. */
export function createNamespace(server: ServerContext, name: string): void {
  const kind = server.registry.find("", "v1", "namespaces");
  if (kind === undefined || server.store.get({ resource: NAMESPACES, namespace: "", name }) !== undefined) return;
  const { object } = kind.decode({ apiVersion: "v1", kind: "Namespace", metadata: { name } }, []);
  createInternally(
    { server, kind, user: SYSTEM_USER, namespace: "", subresource: "", dryRun: false },
    object,
    "kube-apiserver",
  );
}

/** Creates an object on the server's own behalf. `object` is decoded, and taken over. */
export function createInternally(request: WriteRequest, object: KubeObject, manager: string): void {
  request.kind.applyDefaults(object, undefined);
  const ownership = { server: request.server, kind: request.kind, manager, subresource: "" };
  storeNew(request, object, (tracked) => ownershipAfterUpdate(ownership, undefined, tracked));
}
