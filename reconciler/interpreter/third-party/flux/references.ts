// Which objects beside them the kinds of Flux name in their specs, as far as these lie in their own namespace.

import type { KubeObject } from "../../../../kube/object.ts";
import type { Dependency } from "../../interpreter.ts";
import { objectsAtPath, textAtPath } from "../rules/field-paths.ts";
import { References } from "../rules/references.ts";

type Rule = (object: KubeObject, references: References) => void;

/** A rule that names what all of `rules` find. */
export function dependenciesOf(...rules: readonly Rule[]): (object: KubeObject) => readonly Dependency[] {
  return (object) => {
    const references = new References(object);
    for (const rule of rules) rule(object, references);
    return references.list();
  };
}

/** The Secret that a reference at this path of the spec names. */
export function secretAt(...path: readonly string[]): Rule {
  return (object, references) => references.add("Secret", textAtPath(object, "spec", ...path, "name"));
}

/** The account in whose name Flux acts for the object. */
export function serviceAccount(object: KubeObject, references: References): void {
  references.add("ServiceAccount", textAtPath(object, "spec", "serviceAccountName"));
}

/** The Secrets and ConfigMaps that a list of the spec takes values from. */
export function valuesFrom(...path: readonly string[]): Rule {
  return (object, references) => {
    for (const source of objectsAtPath(object, "spec", ...path)) {
      const kind = textAtPath(source, "kind");
      if (kind === "Secret" || kind === "ConfigMap") references.add(kind, textAtPath(source, "name"));
    }
  };
}
