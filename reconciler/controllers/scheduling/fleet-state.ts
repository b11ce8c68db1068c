// The scheduler's view of the clusters, kept current, and who must be told when it changes.
import type { Cluster } from "../../../api/cluster.ts";
import { DecisionHistory } from "../../scheduler/explanation/decision-history.ts";
import { FleetIndex } from "../../scheduler/fleet/fleet-index.ts";
import { type ClusterChange, FLEET_TRIGGERS } from "../../scheduler/fleet-triggers.ts";
import type { ControllerContext } from "../context.ts";

export class FleetState {
  readonly index = new FleetIndex();
  /** The last decisions over this fleet, with what was seen then. */
  readonly decisions = new DecisionHistory(this.index);
  readonly #listeners: ((change: ClusterChange) => void)[] = [];
  #triggering = 0;

  constructor(context: ControllerContext) {
    context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster").subscribe((change) => {
      const before = change.type === "added" ? undefined : change.type === "updated" ? change.previous : change.object;
      const after = change.type === "deleted" ? undefined : change.object;
      if (after === undefined) this.index.delete(change.object.metadata.name ?? "");
      else this.index.set(after);
      this.decisions.changed(change.object.metadata.name ?? "", before);
      const told = { before, after };
      if (FLEET_TRIGGERS.some((trigger) => trigger.matters(told))) this.#triggering++;
      for (const listener of this.#listeners) listener(told);
    });
  }

  /** Counts the changes for which bindings may have to be looked at again. */
  get triggering(): number {
    return this.#triggering;
  }

  subscribe(listener: (change: ClusterChange) => void): void {
    this.#listeners.push(listener);
  }
}
