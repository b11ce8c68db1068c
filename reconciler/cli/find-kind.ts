// From the words people type to kinds and objects of a server.
import type { KubeClient } from "../../kube/client/kube-client.ts";
import type { ResourceInfo } from "../../kube/client/rest-mapper.ts";
import { formatApiVersion, type ObjectRef } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { UsageError } from "./command.ts";

/** A kind by any of its names: plural, singular, kind, short name, with or without `.group`. Preferred versions first. */
export function findKind(resources: readonly ResourceInfo[], word: string): ResourceInfo | undefined {
  const wanted = word.toLowerCase();
  const matches = resources.filter((info) =>
    [info.plural, info.singular, info.kind.toLowerCase(), ...info.shortNames].some(
      (name) => name === wanted || `${name}.${info.group}` === wanted,
    ),
  );
  return matches.find((info) => info.preferred) ?? matches[0];
}

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
