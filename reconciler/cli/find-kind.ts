// From the words people type to kinds and objects of a server.
import { findKind } from "../../kube/client/find-kind.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { formatApiVersion, type ObjectRef } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { UsageError } from "./command.ts";

/**
 * The object that `KIND/NAME`, or `KIND NAME`, means on this server. Throws `UsageError` when the words are incomplete
 * and `api-kind-unknown` when the server has no such kind. The object itself is not looked up.
 */
export async function findObject(
  client: KubeClient,
  words: readonly string[],
  namespace: string | undefined,
): Promise<ObjectRef> {
  const [first = "", second] = words;
  const slash = first.indexOf("/");
  const kind = slash < 0 ? first : first.slice(0, slash);
  const name = slash < 0 ? second : first.slice(slash + 1);
  if (kind === "" || name === undefined || name === "")
    throw new UsageError("which object? KIND/NAME, such as deployment/web");
  const info = findKind(await client.mapper.all(), kind);
  if (info === undefined)
    throw new AppError("api-kind-unknown", `the server doesn't have a resource type "${kind}"`, { recovery: "stall" });
  return {
    apiVersion: formatApiVersion(info.group, info.version),
    kind: info.kind,
    namespace: info.namespaced ? (namespace ?? "default") : undefined,
    name,
  };
}
