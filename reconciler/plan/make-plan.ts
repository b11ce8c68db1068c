// From a folder and a control plane to the report of what the change would do. Writes nothing.
import { createHash } from "node:crypto";
import type { Cluster } from "../../api/cluster.ts";
import type { PlanReport, ReportedDrift } from "../../api/plan-report.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { sortKeys, stringifyJson } from "../../kube/json.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import { type Clock, rfc3339 } from "../../runtime/clock.ts";
import { mapLimit } from "../../runtime/parallel.ts";
import { Turn } from "../../runtime/turn.ts";
import { DEFAULT_DELETION_LIMITS } from "../works/mass-deletion.ts";
import { executionNamespace } from "../works/naming.ts";
import { changeKey, type Plan } from "./changes.ts";
import {
  type Comparison,
  type ComparisonOptions,
  compareWorlds,
  type DecidedWorld,
  type Interpretations,
} from "./compare-worlds.ts";
import { copyIn } from "./copy.ts";
import { withCleanMessages } from "./diff/clean-messages.ts";
import { RUN_MASK } from "./diff/mask.ts";
import { ReportDiffs } from "./diff/report-diffs.ts";
import { FieldPlaces } from "./field-places.ts";
import { testChange, testedSelectors } from "./fleet-tests/test-change.ts";
import type { FleetTestFile, FoundTestFiles } from "./fleet-tests/test-files.ts";
import { formerTests } from "./fleet-tests/weakened-tests.ts";
import { type FolderChange, hasErrors } from "./folder-change.ts";
import type { CopyState } from "./live-drift.ts";
import { makeReportInTurns, type ReportInput, refusedReport } from "./make-report.ts";
import { PlacementReasons } from "./placement-reasons.ts";
import { plannedRollouts } from "./planned-rollout.ts";
import { heldClusters, presentCopies } from "./prunes.ts";
import type { RepositoryChange } from "./repository-change.ts";
import { missingImages } from "./safety/missing-image.ts";
import type { CheckImage } from "./safety/registry-check.ts";
import { bySeverity, reviewChange, reviewedChange } from "./safety/review-change.ts";
import type { ReviewedChange } from "./safety/reviewed-change.ts";
import { sourceChanges } from "./source-changes.ts";
import { type CopyFinder, threeWayDrift } from "./three-way-drift.ts";
import { unappliedObjects } from "./unapplied-objects.ts";
import type { World } from "./world.ts";
import { loadConcernedWorld } from "./world-scope.ts";
import { withWriters } from "./written-fields.ts";

export interface PlanRequest {
  /** Reads what changes in the control plane. */
  readonly readChange: () => Promise<RepositoryChange>;
  readonly subject: Omit<PlanReport["subject"], "fleet" | "syncs"> & {
    readonly fleet: Omit<PlanReport["subject"]["fleet"], "clusters">;
  };
  readonly interpretations: Interpretations;
  readonly originOf: ComparisonOptions["originOf"];
  /** The fleet tests of the head; absent: none are run. */
  readonly tests?: FoundTestFiles | undefined;
  /** Files of fleet tests that the change alters or takes away, as the base has them. */
  readonly baseTests?: readonly FleetTestFile[] | undefined;
  /** Compares the copies of these objects in these clusters with what they should be; undefined: drift is not asked for. */
  readonly compareCopies: CompareCopies | undefined;
  /** Asks registries for new images; undefined: they are not asked. */
  readonly checkImage?: CheckImage | undefined;
  readonly clock: Clock;
  readonly version: string;
  readonly signal: AbortSignal;
}

export type CompareCopies = (
  clusters: readonly Cluster[],
  wants: (object: ObjectRef) => boolean,
  world: World,
  /** Those that are wanted. */
  objects: readonly ObjectRef[],
) => Promise<{
  readonly copies: readonly CopyState[];
  readonly unreachable: readonly { readonly cluster: string; readonly reason: string }[];
}>;

export async function makePlan(client: KubeClient, request: PlanRequest): Promise<PlanReport> {
  const { clock, interpretations, originOf, signal, version } = request;
  const started = clock.now();
  const turn = new Turn();
  const made = (): PlanReport["made"] => ({ at: rfc3339(started), tookMs: clock.now() - started, version });
  const { change, syncs, renderUntouched } = await request.readChange();
  const subject = (clusters: number): PlanReport["subject"] => ({
    ...request.subject,
    ...(syncs.length === 0 ? {} : { syncs: [...syncs] }),
    fleet: { ...request.subject.fleet, clusters },
  });
  let known: World | undefined;
  const clean = (report: PlanReport): PlanReport => withCleanMessages(report, () => objectsOf(change, known), RUN_MASK);
  if (hasErrors(change.problems)) return clean(refusedReport(change.problems, { subject: subject(0), made: made() }));
  const tests = request.tests ?? NO_TESTS;
  const former = formerTests(request.baseTests ?? [], tests.files);
  const testFiles = [...tests.files, ...former];
  const now = await loadConcernedWorld(
    client,
    change,
    (rules) => interpretations.of(rules),
    signal,
    await testedSelectors(client, testFiles),
  );
  const unapplied = await unappliedObjects(client, change, now, testFiles, { signal, renderUntouched });
  const compared = await compareWorlds(
    now,
    unapplied.length === 0 ? change : { ...change, base: [...(change.base ?? []), ...unapplied] },
    { interpretations, signal, nowMs: started, originOf },
  );
  known = compared.after.world;
  const { plan, source } = withSources(compared.plan, change);
  const { drift, unreachable } = await driftOf(now, compared, request.compareCopies);
  const losses = await lossesOf(client, compared, interpretations.compatibility);
  const reviewed = reviewedChange({ change, compared, plan, source, losses, originOf });
  const images = request.checkImage === undefined ? [] : await missingImages(reviewed, request.checkImage);
  const findings = await reviewChange(reviewed, turn);
  const tested = await testChange(tests.files, former, compared, { change, originOf, clock, nowMs: started });
  const places = new FieldPlaces(change, plan.changes);
  const input: ReportInput = {
    subject: subject(compared.after.world.clusters.length),
    made: made(),
    renderHash: hashOf(change.rendered.map(({ object }) => object)),
    clusters: compared.after.world.clusters,
    plan,
    source,
    warnings: change.problems,
    drift,
    driftUnknown: unreachable,
    held: change.held,
    kept: change.kept,
    heldClusters: losses.held,
    hooks: compared.hooks,
    deletionsUnknown: change.deletionsUnknown,
    whatIf: compared.whatIf,
    rollouts: plannedRollouts(compared.before, compared.after, plan.changes),
    findings: bySeverity([...findings, ...images, ...tested.findings]).map((finding) => places.place(finding)),
    diffs: new ReportDiffs(compared, change, RUN_MASK),
    reasons: new PlacementReasons(compared, reviewed.placeOf),
    tests: tested.results,
    notes: tests.leftOut === undefined ? [] : [tests.leftOut],
  };
  return clean(await makeReportInTurns(input, turn));
}

/** Whose values messages may quote. */
function objectsOf({ rendered, desired, base = [] }: FolderChange, world: World | undefined): unknown[] {
  return [
    ...(world?.templates.filter(({ kind }) => kind === "Secret") ?? []),
    ...(world?.overridePolicies ?? []),
    ...(world?.clusterOverridePolicies ?? []),
    ...rendered.map(({ object }) => object),
    ...[...desired, ...base].flatMap(({ object, before }) => (before === undefined ? [object] : [object, before])),
  ];
}

const NO_TESTS: FoundTestFiles = { files: [], leftOut: undefined };

/** Clusters that lose much. Only where something might be held is it counted what there is. */
async function lossesOf(
  client: KubeClient,
  { before, plan }: Comparison,
  compatibility: Interpretations["compatibility"],
): Promise<ReviewedChange["losses"]> {
  if (compatibility === "karmada") return { held: [], near: [] };
  const limits = DEFAULT_DELETION_LIMITS;
  const warned = { ...limits, sharePercent: limits.sharePercent / 2, count: limits.count / 2 };
  const split = (present: ReadonlyMap<string, number>): ReviewedChange["losses"] => {
    const held = heldClusters(plan.changes, present, limits);
    const names = new Set(held.map(({ cluster }) => cluster));
    return { held, near: heldClusters(plan.changes, present, warned).filter(({ cluster }) => !names.has(cluster)) };
  };
  if (before.world.partial !== true) return split(presentCopies(before.outcomes));
  const candidates = heldClusters(plan.changes, new Map(), warned);
  const counted = await mapLimit(candidates, 8, async ({ cluster }) => {
    const { items } = await client.list("work.karmada.io/v1alpha1", "Work", {
      namespace: executionNamespace(cluster),
      keep: ({ apiVersion, kind, metadata: { name = "" } }) => ({ apiVersion, kind, metadata: { name } }),
    });
    return [cluster, items.length] as const;
  });
  return split(new Map(counted));
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
  { before, after, plan }: Comparison,
  compareCopies: CompareCopies | undefined,
): Promise<{
  readonly drift: readonly ReportedDrift[];
  readonly unreachable: readonly { readonly cluster: string; readonly reason: string }[];
}> {
  const touched = new Map(plan.changes.map((change) => [changeKey(change), change.object]));
  const names = new Set(plan.changes.map((change) => change.cluster));
  const clusters = world.clusters.filter((cluster) => names.has(cluster.metadata.name ?? ""));
  if (clusters.length === 0 || compareCopies === undefined) return { drift: [], unreachable: [] };
  const { copies, unreachable } = await compareCopies(clusters, (object) => touched.has(refKey(object)), world, [
    ...touched.values(),
  ]);
  const finderIn =
    ({ outcomes }: DecidedWorld): CopyFinder =>
    (object, cluster) =>
      copyIn(outcomes.get(refKey(object))?.copies, cluster)?.manifest;
  return { drift: threeWayDrift(copies, { base: finderIn(before), head: finderIn(after) }), unreachable };
}

/** `sha256:…` of everything that a head renders to, in whatever order it comes. */
export function hashOf(rendered: readonly KubeObject[]): string {
  const hash = createHash("sha256");
  const texts = rendered.map((object) => `${refKey(refOf(object))}\n${stringifyJson(sortKeys(object))}\n`).sort();
  for (const text of texts) hash.update(text);
  return `sha256:${hash.digest("hex")}`;
}
