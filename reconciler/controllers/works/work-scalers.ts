// Autoscalers among the Works of each cluster, known before the member has them.
import type { Work } from "../../../api/work.ts";
import { type ScaleTarget, scaleTargetKey, targetOfScaler } from "../../../fleets/scaler-watch.ts";
import type { ControllerContext } from "../context.ts";
import { manifestsOf } from "./work-status.ts";

export class WorkScalers {
  /** Descriptions of scalers by cluster's execution namespace and what they scale. */
  readonly #scalers = new Map<string, Map<string, string>>();

  constructor(context: ControllerContext) {
    context.informers.of<Work>("work.karmada.io/v1alpha1", "Work").subscribe((change) => {
      if (change.type === "updated") this.#note(change.previous, false);
      this.#note(change.object, change.type !== "deleted");
    });
  }

  /** What scales a workload in the cluster of an execution namespace: `ScaledObject shop/web`. */
  scalerOf(namespace: string, target: ScaleTarget): string | undefined {
    return this.#scalers.get(namespace)?.get(scaleTargetKey(target));
  }

  #note(work: Work, exists: boolean): void {
    const namespace = work.metadata.namespace ?? "";
    for (const manifest of manifestsOf(work)) {
      const target = targetOfScaler(manifest);
      if (target === undefined) continue;
      const inCluster = this.#scalers.get(namespace) ?? new Map<string, string>();
      this.#scalers.set(namespace, inCluster);
      if (exists)
        inCluster.set(scaleTargetKey(target), `${manifest.kind} ${target.namespace}/${manifest.metadata.name ?? ""}`);
      else inCluster.delete(scaleTargetKey(target));
    }
  }
}
