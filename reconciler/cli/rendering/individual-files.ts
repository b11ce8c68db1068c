// One file per object, with the names that `kustomize build -o FOLDER` gives them.
import { parseApiVersion } from "../../../kube/object.ts";
import { emitYaml } from "../../../renderers/kustomize/resources/emit.ts";
import { effectiveScope } from "../../../renderers/kustomize/resources/identity.ts";
import type { RenderedObject } from "../../../renderers/rendered.ts";
import { AppError } from "../../../runtime/errors.ts";

/**
 * Texts by file name: `group_version_kind_name.yaml` in lower case, after the namespace when there are several. As
 * kustomize: of objects with one file name the last one stays. Throws `render-output-name` for an object whose name would
 * lead into another folder.
 */
export function individualFiles(objects: readonly RenderedObject[]): ReadonlyMap<string, string> {
  const namespaces = new Set(objects.map(namespaceOf));
  namespaces.delete(undefined);
  const files = new Map<string, string>();
  for (const rendered of objects) {
    const { apiVersion = "", kind, metadata } = rendered.object as Partial<RenderedObject["object"]>;
    const { group, version } = parseApiVersion(apiVersion);
    const namespace = namespaces.size > 1 ? namespaceOf(rendered) : undefined;
    const parts = [namespace, group, version, kind].filter((part) => part !== undefined && part !== "");
    const name = `${[...parts, metadata?.name ?? ""].join("_").toLowerCase()}.yaml`;
    if (/[/\\\0]/.test(name)) {
      const what = `${kind} ${metadata?.name} cannot have a file of its own: no file can be called ${JSON.stringify(name)}; write all objects into one file`;
      throw new AppError("render-output-name", what, { recovery: "stall" });
    }
    files.set(name, emitYaml([rendered.object]));
  }
  return files;
}

function namespaceOf({ object }: RenderedObject): string | undefined {
  if (effectiveScope(object.apiVersion ?? "", object.kind) === "cluster") return undefined;
  return object.metadata?.namespace || "default";
}
