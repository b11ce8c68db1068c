// Objects that the server itself creates.
import type { JsonObject } from "../../../kube/object.ts";
import { completeSteps } from "../../../runtime/steps.ts";
import type { WriteRequest } from "../handlers/admission.ts";
import { ownershipAfterUpdate } from "../handlers/field-ownership.ts";
import { SYSTEM_USER, storeNew } from "../handlers/write.ts";
import type { ServerContext } from "../server-context.ts";

/** Creates an object, unless it is there or its kind is not served. `json` is taken over. */
export function createServerObject(
  server: ServerContext,
  resource: { readonly group: string; readonly version: string; readonly plural: string },
  json: JsonObject,
  manager: string,
): void {
  const kind = server.registry.find(resource.group, resource.version, resource.plural);
  if (kind === undefined) return;
  const { object } = kind.decode(json, []);
  const { namespace = "", name = "" } = object.metadata;
  if (server.store.get({ resource: kind.storageKey, namespace, name }) !== undefined) return;
  kind.applyDefaults(object, undefined);
  const request: WriteRequest = {
    server,
    kind,
    user: SYSTEM_USER,
    namespace,
    subresource: "",
    dryRun: false,
    internal: true,
  };
  const ownership = { server, kind, manager, subresource: "" };
  completeSteps(storeNew(request, object, (tracked) => ownershipAfterUpdate(ownership, undefined, tracked)));
}
