// Which Works belong to which FederatedResourceQuota.
import type { Work } from "../../../api/work.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";

export const QUOTA_NAMESPACE_LABEL = "federatedresourcequota.karmada.io/namespace";
export const QUOTA_NAME_LABEL = "federatedresourcequota.karmada.io/name";

/** `namespace/name` of the quota that a Work belongs to. */
export function quotaKeyOf(work: Work): string | undefined {
  const { [QUOTA_NAMESPACE_LABEL]: namespace, [QUOTA_NAME_LABEL]: name } = work.metadata.labels ?? {};
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
}

/** The Works of every quota, found without looking at the others. */
export class QuotaWorks {
  readonly #byQuota = new Map<string, Map<string, Work>>();
  readonly #listeners: ((quotaKey: string) => void)[] = [];

  constructor(context: ControllerContext) {
    context.informers.of<Work>(WORK_API_VERSION, "Work").subscribe((change) => {
      const key = quotaKeyOf(change.object);
      const before = change.type === "updated" ? quotaKeyOf(change.previous) : undefined;
      const id = `${change.object.metadata.namespace}/${change.object.metadata.name}`;
      if (before !== undefined && before !== key) this.#take(before, id);
      if (key === undefined) return;
      if (change.type === "deleted") this.#take(key, id);
      else {
        const works = this.#byQuota.get(key) ?? new Map<string, Work>();
        works.set(id, change.object);
        this.#byQuota.set(key, works);
      }
      for (const listener of this.#listeners) listener(key);
    });
  }

  /** Tells of every change of a quota's Works. */
  subscribe(listener: (quotaKey: string) => void): void {
    this.#listeners.push(listener);
  }

  of(quotaKey: string): readonly Work[] {
    return [...(this.#byQuota.get(quotaKey)?.values() ?? [])];
  }

  #take(key: string, id: string): void {
    const works = this.#byQuota.get(key);
    works?.delete(id);
    if (works?.size === 0) this.#byQuota.delete(key);
  }
}
