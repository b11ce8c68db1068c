// From a folder and a control plane to the report of what the change would do. Writes nothing.
import { createHash } from "node:crypto";
import type { Cluster } from "../../api/cluster.ts";
import type { PlanReport } from "../../api/plan-report.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { sortKeys, stringifyJson } from "../../kube/json.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { type Clock, rfc3339 } from "../../runtime/clock.ts";
import type { Plan } from "./changes.ts";
import { type ComparisonOptions, compareWorlds, type Interpretations } from "./compare-worlds.ts";
import type { FolderRendering } from "./desired-objects.ts";
import { type ComparedFolder, type FolderChange, hasErrors, readFolderChange } from "./folder-change.ts";
import { type CopyState, type DriftGroup, groupDrift } from "./live-drift.ts";
import { makeReport, refusedReport } from "./make-report.ts";
import { plannedRollouts } from "./planned-rollout.ts";
import { sourceChanges } from "./source-changes.ts";
import { loadWorld, type World } from "./world.ts";
import { withWriters } from "./written-fields.ts";

export interface PlanRequest {
  readonly folder: ComparedFolder;
  readonly rendering: FolderRendering;
  readonly subject: Omit<PlanReport["subject"], "fleet"> & {
    readonly fleet: Omit<PlanReport["subject"]["fleet"], "clusters">;
  };
  readonly interpretations: Interpretations;
  readonly originOf: ComparisonOptions["originOf"];
  /** Compares the copies of these objects in these clusters with what they should be; undefined: drift is not asked for. */
  readonly compareCopies: CompareCopies | undefined;
  readonly clock: Clock;
  readonly version: string;
  readonly signal: AbortSignal;
}

export type CompareCopies = (
  clusters: readonly Cluster[],
  wants: (object: ObjectRef) => boolean,
  world: World,
) => Promise<{
  readonly copies: readonly CopyState[];
  readonly unreachable: readonly { readonly cluster: string; readonly reason: string }[];
}>;

export async function makePlan(client: KubeClient, request: PlanRequest): Promise<PlanReport> {
  const { clock, interpretations, originOf, signal, version } = request;
  const started = clock.now();
  const made = (): PlanReport["made"] => ({ at: rfc3339(started), tookMs: clock.now() - started, version });
  const subject = (clusters: number): PlanReport["subject"] => ({
    ...request.subject,
    fleet: { ...request.subject.fleet, clusters },
  });
  const change = await readFolderChange(client, request.folder, request.rendering);
  if (hasErrors(change.problems)) return refusedReport(change.problems, { subject: subject(0), made: made() });
  const now = await loadWorld(client);
  const compared = await compareWorlds(now, change, { interpretations, signal, nowMs: started, originOf });
  const { plan, source } = withSources(compared.plan, change);
  const { groups, unreachable } = await driftOf(now, plan, request.compareCopies);
  return makeReport({
    subject: subject(compared.after.world.clusters.length),
    made: made(),
    renderHash: hashOf(change.rendered),
    clusters: compared.after.world.clusters,
    plan,
    source,
    warnings: change.problems,
    drift: groups,
    driftUnknown: unreachable,
    held: change.held,
    kept: change.kept,
    heldClusters: compared.heldClusters,
    hooks: compared.hooks,
    deletionsUnknown: change.deletionsUnknown,
    whatIf: compared.whatIf,
    rollouts: plannedRollouts(compared.before, compared.after, plan.changes),
    overrideFindings: compared.findings,
  });
}

/** What changes in the control plane, and both with who wrote it. */
function withSources(plan: Plan, change: FolderChange): { plan: Plan; source: ReturnType<typeof sourceChanges> } {
  const written = new Map(change.desired.map((one) => [refKey(refOf(one.object)), one.written ?? new Map()]));
  return {
    plan: { ...plan, changes: withWriters(plan.changes, written, ({ overrides }) => overrides) },
    source: withWriters(sourceChanges(change.desired, change.removed), written),
  };
}

/** Drift of what would change. Clusters that do not answer are passed over: a plan is about what is wanted. */
async function driftOf(
  world: World,
  plan: Plan,
  compareCopies: CompareCopies | undefined,
): Promise<{
  readonly groups: readonly DriftGroup[];
  readonly unreachable: readonly { readonly cluster: string; readonly reason: string }[];
}> {
  const touched = new Set(plan.changes.map((change) => refKey(change.object)));
  const names = new Set(plan.changes.map((change) => change.cluster));
  const clusters = world.clusters.filter((cluster) => names.has(cluster.metadata.name ?? ""));
  if (clusters.length === 0 || compareCopies === undefined) return { groups: [], unreachable: [] };
  const { copies, unreachable } = await compareCopies(clusters, (object) => touched.has(refKey(object)), world);
  return { groups: groupDrift(copies), unreachable };
}

/** `sha256:…` of everything that a head renders to, in whatever order it comes. */
export function hashOf(rendered: readonly KubeObject[]): string {
  const hash = createHash("sha256");
  const texts = rendered.map((object) => `${refKey(refOf(object))}\n${stringifyJson(sortKeys(object))}\n`).sort();
  for (const text of texts) hash.update(text);
  return `sha256:${hash.digest("hex")}`;
}
