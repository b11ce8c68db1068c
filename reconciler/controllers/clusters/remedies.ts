// Writes on each cluster what its remedies ask for at present.
import type { Cluster } from "../../../api/cluster.ts";
import type { Remedy } from "../../../api/remedy.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, refOf } from "../../../kube/object.ts";
import { WorkQueue } from "../../../runtime/work-queue.ts";
import { concerns, remedyActions } from "../../failover/remedy-actions.ts";
import type { Controller, ControllerContext } from "../context.ts";

export const REMEDY_KIND = ["remedy.karmada.io/v1alpha1", "Remedy"] as const;

export function startRemedyController(context: ControllerContext): Controller {
  const { client, clock, logger, informers } = context;
  const clusters = informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const remedies = informers.of<Remedy>(...REMEDY_KIND);
  const queue = new WorkQueue({ name: "remedies", clock, logger, workers: 4, minBackoffMs: 200 }, step);

  clusters.subscribe((change) => {
    const { object } = change;
    const before = change.type === "updated" ? change.previous.status : undefined;
    const isNews =
      change.type === "added" ||
      !equalJson(before?.conditions ?? [], object.status?.conditions ?? []) ||
      !equalJson(before?.remedyActions ?? [], object.status?.remedyActions ?? []);
    if (change.type !== "deleted" && isNews) queue.add(object.metadata.name ?? "");
  });
  remedies.subscribe((change) => {
    const both = change.type === "updated" ? [change.object, change.previous] : [change.object];
    if (change.type === "updated" && equalJson(change.object.spec, change.previous.spec)) return;
    for (const { metadata } of clusters.all()) {
      const name = metadata.name ?? "";
      if (both.some((remedy) => concerns(remedy, name))) queue.add(name);
    }
  });

  async function step(name: string): Promise<undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return undefined;
    const actions = remedyActions(cluster, remedies.all());
    const present = cluster.status?.remedyActions ?? [];
    if (equalJson(present, actions)) return undefined;
    try {
      const patch = { status: { remedyActions: actions.length === 0 ? null : actions } };
      clusters.adopt(await client.patch<Cluster>(refOf(cluster), patch, "merge", { subresource: "status" }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    logger.info("changed remedy actions", { cluster: name, actions });
    return undefined;
  }

  return { stop: () => queue.stop() };
}
