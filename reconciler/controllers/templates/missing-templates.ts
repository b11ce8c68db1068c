// What could not be done for want of a template, and is to be done when the template is there.
import { describeRef, type ObjectRef, refOf } from "../../../kube/object.ts";
import type { TemplateWatch } from "./template-watch.ts";

type WatchedTemplates = Pick<TemplateWatch, "subscribe" | "watches" | "isLoaded">;

/**
 * Remembers keys by the template that they lack. After a start bindings are known before their templates are, and nothing else
 * would bring them back; a kind that is served again later is the same.
 */
export class MissingTemplates {
  readonly #templates: WatchedTemplates;
  readonly #keys = new Map<string, Set<string>>();

  /** `wake` is called with each key whose template has come. */
  constructor(templates: WatchedTemplates, wake: (key: string) => void) {
    this.#templates = templates;
    templates.subscribe((change) => {
      if (change.type !== "added" || this.#keys.size === 0) return;
      const name = describeRef(refOf(change.object));
      const keys = this.#keys.get(name);
      if (keys === undefined) return;
      this.#keys.delete(name);
      for (const key of keys) wake(key);
    });
  }

  /** To be called in the turn in which the template was found missing. */
  await(template: ObjectRef, key: string): void {
    const { apiVersion, kind, namespace, name } = template;
    // Where a watch has every object, one that is not among them is gone, and comes back as another one with another binding.
    if (this.#templates.watches(apiVersion, kind) && this.#templates.isLoaded(apiVersion, kind)) return;
    const id = describeRef({ apiVersion, kind, namespace, name });
    this.#keys.set(id, (this.#keys.get(id) ?? new Set()).add(key));
  }
}
