// Prints objects as `kustomize build` prints them.

import { emitYamlDocument } from "../../../kube/yaml-emit.ts";

/** The documents in order, separated by `---`, keys sorted; empty text for no objects. */
export function emitYaml(objects: readonly unknown[]): string {
  return objects.map((object) => emitYamlDocument(object, { sortKeys: true })).join("---\n");
}
