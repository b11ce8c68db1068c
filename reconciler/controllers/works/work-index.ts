import type { Work } from "../../../api/work.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { AnyBinding } from "../../works/binding.ts";
import { BINDING_ID_LABEL, CLUSTER_BINDING_ID_LABEL } from "../../works/metadata-keys.ts";
import { collectStatus } from "../../works/status.ts";
import { bindingId } from "../../works/targets.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";

/** Finds the Works of a binding by its permanent id. */
export class WorkIndex {
  readonly #byBinding = new Map<string, Map<string, Work>>();

  constructor(context: ControllerContext) {
    context.informers.of<Work>(WORK_API_VERSION, "Work").subscribe((change) => {
      const labels = change.object.metadata.labels ?? {};
      const id = labels[BINDING_ID_LABEL] ?? labels[CLUSTER_BINDING_ID_LABEL];
      if (id === undefined) return;
      const works = this.#byBinding.get(id) ?? new Map<string, Work>();
      this.#byBinding.set(id, works);
      const key = `${change.object.metadata.namespace}/${change.object.metadata.name}`;
      if (change.type === "deleted") works.delete(key);
      else works.set(key, change.object);
      if (works.size === 0) this.#byBinding.delete(id);
    });
  }

  of(binding: AnyBinding): Work[] {
    return [...(this.#byBinding.get(bindingId(binding) ?? "")?.values() ?? [])];
  }

  /**
   * The binding with what its Works say at this moment. Its own status may still have the word of a copy that is being
   * removed, which would pass for that of a successor in the same cluster. Of Works that cannot be read nothing is known.
   */
  withPresentReports(binding: AnyBinding): AnyBinding {
    // The same kind with another status.
    return { ...binding, status: { ...binding.status, aggregatedStatus: this.#reportsOf(binding) } } as AnyBinding;
  }

  #reportsOf(binding: AnyBinding): ReturnType<typeof collectStatus> {
    try {
      return collectStatus(binding, this.of(binding));
    } catch (error) {
      if (error instanceof AppError) return [];
      throw error;
    }
  }
}
