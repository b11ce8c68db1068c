// Which objects beside them the kinds of Flux name in their specs.

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

/** The ConfigMap that a reference at this path of the spec names. */
export function configMapAt(...path: readonly string[]): Rule {
  return (object, references) => references.add("ConfigMap", textAtPath(object, "spec", ...path, "name"));
}

/** The account in whose name Flux acts for the object. */
export function serviceAccount(object: KubeObject, references: References): void {
  references.add("ServiceAccount", textAtPath(object, "spec", "serviceAccountName"));
}

/** The Secrets and ConfigMaps that a list of the spec takes values from, those that may be missing included. */
export function valuesFrom(...path: readonly string[]): Rule {
  return (object, references) => {
    for (const source of objectsAtPath(object, "spec", ...path)) {
      const kind = textAtPath(source, "kind");
      if (kind === "Secret" || kind === "ConfigMap") references.add(kind, textAtPath(source, "name"));
    }
  };
}

/**
 * The object that a reference with kind, name and perhaps namespace and apiVersion names. `apiVersion` gives the version
 * of kinds that stand without one, `kind` is that of references that name none.
 */
export function objectAt(apiVersion: (kind: string) => string, path: readonly string[], kind = ""): Rule {
  return (object, references) => {
    const said = textAtPath(object, "spec", ...path, "kind") || kind;
    const name = textAtPath(object, "spec", ...path, "name");
    if (said === "" || name === "") return;
    const version = textAtPath(object, "spec", ...path, "apiVersion") || apiVersion(said);
    references.add(said, name, version, textAtPath(object, "spec", ...path, "namespace"));
  };
}

/** The repositories whose content a GitRepository includes. */
export function includedRepositories(object: KubeObject, references: References): void {
  for (const include of objectsAtPath(object, "spec", "include")) {
    references.add("GitRepository", textAtPath(include, "repository", "name"), object.apiVersion);
  }
}
