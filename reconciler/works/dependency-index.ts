// Which bindings follow which: who needs an object, and what follows a binding, without looking at all bindings.

import type { ResourceBinding } from "../../api/work.ts";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import type { Dependency } from "../interpreter/interpreter.ts";
import { dependedByLabel, dependsOn } from "./dependencies.ts";
import { DEPENDED_BY_LABEL_PREFIX } from "./metadata-keys.ts";

/** What each referrer needs, as last read. Referrers are keys of the caller's choice. */
export class NeedIndex {
  readonly #needs = new Map<string, readonly Dependency[]>();
  /** Referrers by the object that they name, or by kind and namespace where they select by label. */
  readonly #referrers = new Map<string, Set<string>>();

  set(referrer: string, dependencies: readonly Dependency[]): void {
    this.delete(referrer);
    if (dependencies.length === 0) return;
    this.#needs.set(referrer, dependencies);
    for (const dependency of dependencies) {
      const key = keyOfNeed(dependency);
      const referrers = this.#referrers.get(key);
      if (referrers === undefined) this.#referrers.set(key, new Set([referrer]));
      else referrers.add(referrer);
    }
  }

  delete(referrer: string): void {
    for (const dependency of this.#needs.get(referrer) ?? []) {
      const key = keyOfNeed(dependency);
      const referrers = this.#referrers.get(key);
      referrers?.delete(referrer);
      if (referrers?.size === 0) this.#referrers.delete(key);
    }
    this.#needs.delete(referrer);
  }

  /** The referrers that name the object or select it by its labels. */
  whoNeeds(object: KubeObject): string[] {
    const named = this.#referrers.get(refKey(refOf(object))) ?? [];
    const selecting = this.#referrers.get(refKey({ ...refOf(object), name: "" })) ?? [];
    const matching = [...selecting].filter((referrer) =>
      (this.#needs.get(referrer) ?? []).some((dependency) => dependsOn(dependency, object)),
    );
    return [...new Set([...named, ...matching])];
  }
}

function keyOfNeed({ apiVersion, kind, namespace, name = "" }: Dependency): string {
  return refKey({ apiVersion, kind, namespace, name });
}

/** Bindings by the labels that say whom they follow. */
export class AttachmentIndex {
  /** By label, then by key of the binding. */
  readonly #byLabel = new Map<string, Map<string, ResourceBinding>>();

  set(binding: ResourceBinding): void {
    for (const label in binding.metadata.labels) {
      if (!label.startsWith(DEPENDED_BY_LABEL_PREFIX)) continue;
      const bindings = this.#byLabel.get(label);
      if (bindings === undefined) this.#byLabel.set(label, new Map([[keyOf(binding), binding]]));
      else bindings.set(keyOf(binding), binding);
    }
  }

  /** Takes out a binding as it was when it was put in. */
  delete(binding: ResourceBinding): void {
    for (const label in binding.metadata.labels) {
      if (!label.startsWith(DEPENDED_BY_LABEL_PREFIX)) continue;
      const bindings = this.#byLabel.get(label);
      bindings?.delete(keyOf(binding));
      if (bindings?.size === 0) this.#byLabel.delete(label);
    }
  }

  /** The bindings of its namespace that follow `referrer`. */
  following(referrer: ResourceBinding): ResourceBinding[] {
    const { namespace } = referrer.metadata;
    const bindings = this.#byLabel.get(dependedByLabel(referrer))?.values() ?? [];
    return [...bindings].filter((binding) => binding.metadata.namespace === namespace);
  }
}

function keyOf({ metadata }: ResourceBinding): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
