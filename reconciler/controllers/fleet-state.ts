// The scheduler's view of the clusters, kept current, and who must be told when it changes.
import type { Cluster } from "../../api/cluster.ts";
import { FleetIndex } from "../scheduler/fleet-index.ts";
import type { ControllerContext } from "./context.ts";

export interface ClusterChange {
  readonly before: Cluster | undefined;
  readonly after: Cluster | undefined;
}

export class FleetState {
  readonly index = new FleetIndex();
  readonly #listeners: ((change: ClusterChange) => void)[] = [];

  constructor(context: ControllerContext) {
    context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster").subscribe((change) => {
      const before = change.type === "added" ? undefined : change.type === "updated" ? change.previous : change.object;
      const after = change.type === "deleted" ? undefined : change.object;
      if (after === undefined) this.index.delete(change.object.metadata.name ?? "");
      else this.index.set(after);
      for (const listener of this.#listeners) listener({ before, after });
    });
  }

  subscribe(listener: (change: ClusterChange) => void): void {
    this.#listeners.push(listener);
  }
}
