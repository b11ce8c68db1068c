// Joins what is known of a change into the one report that every form of output is made from.

import type { Cluster } from "../../api/cluster.ts";
import {
  type ClusterRow,
  type CopyGroup,
  type FieldReport,
  type ObjectReport,
  PLAN_REPORT_VERSION,
  type Place,
  type PlacementChange,
  type PlanReport,
  type ReportedDrift,
  type ReportedHook,
  type ReportedLoss,
  type ReportFinding,
  type RolloutPlan,
  type TestResult,
} from "../../api/plan-report.ts";
import { onceEach } from "../../runtime/once-each.ts";
import { completeSteps, runSteps, type Steps } from "../../runtime/steps.ts";
import type { Turn } from "../../runtime/turn.ts";
import type { KeptObject } from "../controllers/sync/sync-removals.ts";
import { changeKey, type FieldChange, type ObjectChange, type Plan } from "./changes.ts";
import type { InputProblem } from "./desired-objects.ts";
import type { ReportDiffs } from "./diff/report-diffs.ts";
import type { PlannedHook, PlannedHooks } from "./hooks.ts";
import type { OverriddenField } from "./overridden-fields.ts";
import type { PlacementReasons } from "./placement-reasons.ts";
import { type HeldCluster, heldClusterText } from "./prunes.ts";
import { overrideWriter, placeOf, rendererWriter, reportedObject } from "./report-words.ts";
import type { SourceChange } from "./source-changes.ts";
import { verdictLine } from "./verdict.ts";

export interface ReportInput {
  readonly subject: PlanReport["subject"];
  readonly made: PlanReport["made"];
  readonly renderHash: string;
  readonly clusters: readonly Cluster[];
  readonly plan: Plan;
  /** What changes in the control plane. */
  readonly source: readonly SourceChange[];
  readonly warnings: readonly InputProblem[];
  /** Drift that stands now in copies that the plan touches. */
  readonly drift: readonly ReportedDrift[];
  readonly driftUnknown: readonly { readonly cluster: string; readonly reason: string }[];
  readonly held: string | undefined;
  readonly kept: readonly KeptObject[];
  readonly heldClusters: readonly HeldCluster[];
  readonly hooks: PlannedHooks;
  readonly deletionsUnknown: string | undefined;
  readonly whatIf: readonly ReportedLoss[];
  /** By key of the object. */
  readonly rollouts?: ReadonlyMap<string, RolloutPlan>;
  /** The severest first. */
  readonly findings: readonly ReportFinding[];
  /** Absent: no lines are asked for. */
  readonly diffs?: Pick<ReportDiffs, "ofCopies" | "ofObject" | "cut">;
  /** Absent: no reasons of placements are asked for. */
  readonly reasons?: Pick<PlacementReasons, "of" | "ofProblem" | "cut">;
  readonly tests?: readonly TestResult[];
  /** What else is to be known of the whole. */
  readonly notes?: readonly string[];
}

export function makeReport(input: ReportInput): PlanReport {
  return completeSteps(report(input, undefined));
}

/** As `makeReport`, resting now and then. */
export async function makeReportInTurns(input: ReportInput, turn: Turn): Promise<PlanReport> {
  return runSteps(report(input, turn));
}

/** Without a turn it never rests. */
function* report(input: ReportInput, turn: Turn | undefined): Steps<PlanReport> {
  const { subject, made, plan, source, held, heldClusters, deletionsUnknown, driftUnknown } = input;
  const isHeld = held !== undefined || heldClusters.length > 0;
  const changes = plan.changes.length > 0 || source.length > 0;
  const objects = yield* objectReports(plan.changes, source, input, turn);
  const problems = plan.problems.map(({ object, problem }) => {
    const { message = problem, reasons = [] } = input.reasons?.ofProblem(object, problem) ?? {};
    return {
      severity: "error" as const,
      message,
      ...(reasons.length === 0 ? {} : { reasons: [...reasons] }),
      object: reportedObject(object),
    };
  });
  const cut = [input.diffs?.cut, input.reasons?.cut].filter((one) => one !== undefined);
  return {
    schema: PLAN_REPORT_VERSION,
    valid: true,
    changes,
    state: isHeld ? "held" : changes ? "changes" : "unchanged",
    verdict: verdictLine(plan, source, isHeld),
    subject,
    renderHash: input.renderHash,
    movedReplicas: plan.movedReplicas,
    clusters: clusterRows(input),
    objects,
    problems: [...input.warnings.map(problemOf), ...problems],
    unknown: plan.unknown.map(({ object, reason }) => ({ object: reportedObject(object), reason })),
    drift: [...input.drift],
    ...(driftUnknown.length === 0 ? {} : { driftUnknown: [...driftUnknown] }),
    findings: [...input.findings],
    whatIf: [...input.whatIf],
    ...(input.tests === undefined || input.tests.length === 0 ? {} : { tests: [...input.tests] }),
    ...(held === undefined ? {} : { held }),
    ...syncReport(input),
    ...(deletionsUnknown === undefined ? {} : { deletionsUnknown }),
    ...(cut.length === 0 ? {} : { cut }),
    made,
  };
}

/** What the Sync does beside applying. */
function syncReport({
  kept,
  hooks,
  heldClusters,
  notes = [],
}: ReportInput): Pick<PlanReport, "kept" | "hooks" | "notes"> {
  const { runs, onFailure, onDeletion, idle } = hooks;
  const reported = (some: readonly PlannedHook[]): ReportedHook[] =>
    some.map(({ object, clusters, ...hook }) => ({
      ...hook,
      object: reportedObject(object),
      ...(clusters === undefined ? {} : { clusters: [...clusters] }),
    }));
  return {
    ...(kept.length === 0 ? {} : { kept: kept.map(({ ref, why }) => ({ object: reportedObject(ref), reason: why })) }),
    ...(runs.length + onFailure.length + onDeletion.length === 0
      ? {}
      : {
          hooks: {
            runs: reported(runs),
            onFailure: reported(onFailure),
            onDeletion: reported(onDeletion),
            ...(idle === undefined ? {} : { idle }),
          },
        }),
    ...(heldClusters.length + notes.length === 0 ? {} : { notes: [...heldClusters.map(heldClusterText), ...notes] }),
  };
}

/** A head that cannot be applied. */
export function refusedReport(
  problems: readonly InputProblem[],
  { subject, made }: Pick<ReportInput, "subject" | "made">,
): PlanReport {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return {
    schema: PLAN_REPORT_VERSION,
    valid: false,
    changes: false,
    state: "refused",
    verdict: `This cannot be applied: ${errors} ${errors === 1 ? "problem" : "problems"}.`,
    subject,
    movedReplicas: 0,
    clusters: [],
    objects: [],
    problems: problems.map(problemOf),
    unknown: [],
    drift: [],
    findings: [],
    whatIf: [],
    made,
  };
}

function problemOf({ origin, message, severity }: InputProblem): PlanReport["problems"][number] {
  return { severity, message, place: placeOf(origin) };
}

function clusterRows({ plan, drift, clusters, heldClusters }: ReportInput): ClusterRow[] {
  const byName = new Map(clusters.map((cluster) => [cluster.metadata.name ?? "", cluster.spec]));
  const held = new Map(heldClusters.map(({ cluster, deleted }) => [cluster, deleted]));
  const drifted = new Map<string, number>();
  for (const group of drift) for (const name of group.clusters) drifted.set(name, (drifted.get(name) ?? 0) + 1);
  return plan.clusters.map((row): ClusterRow => {
    const { provider, region, zone } = byName.get(row.cluster) ?? {};
    return {
      ...row,
      ...(provider === undefined ? {} : { provider }),
      ...(region === undefined ? {} : { region }),
      ...(zone === undefined ? {} : { zone }),
      ...(held.has(row.cluster) ? { held: held.get(row.cluster) ?? 0 } : {}),
      drift: drifted.get(row.cluster) ?? 0,
    };
  });
}

/** In the order of the files, then what only clusters have. */
function* objectReports(
  changes: readonly ObjectChange[],
  source: readonly SourceChange[],
  { rollouts = new Map(), diffs, reasons, subject }: Pick<ReportInput, "rollouts" | "diffs" | "reasons" | "subject">,
  turn: Turn | undefined,
): Steps<ObjectReport[]> {
  const base = subject.base?.commit;
  const copies = new Map<string, ObjectChange[]>();
  for (const change of changes) {
    const key = changeKey(change);
    const own = copies.get(key);
    if (own === undefined) copies.set(key, [change]);
    else own.push(change);
  }
  const stored = new Map(source.map((change) => [changeKey(change), change]));
  const reports: ObjectReport[] = [];
  for (const key of new Set([...stored.keys(), ...copies.keys()])) {
    if (turn?.isOver === true) yield turn.next();
    const own = stored.get(key);
    const mine = copies.get(key) ?? [];
    const object = own?.object ?? mine[0]?.object;
    if (object === undefined) continue;
    const change = own?.change ?? onlyChange(mine);
    const moved = placementOf(mine, change);
    const placement = moved === undefined ? undefined : (reasons?.of(key, moved) ?? moved);
    const rollout = rollouts.get(key);
    const diff = own === undefined || mine.length > 0 ? undefined : diffs?.ofObject(own);
    reports.push({
      object: reportedObject(object),
      change,
      ...(own?.origin === undefined ? {} : { place: placeIn(own.origin, change === "deleted" ? base : undefined) }),
      ...(placement === undefined ? {} : { placement }),
      fields: (own?.fields ?? []).map((field) => fieldOf(field, [])),
      ...(diff === undefined ? {} : { diff }),
      copies: foldCopies(mine, diffs),
      ...(rollout === undefined ? {} : { rollout }),
    });
  }
  return reports;
}

/** What happens to an object that only its copies tell of. */
function onlyChange(copies: readonly ObjectChange[]): ObjectChange["change"] {
  const [first] = copies;
  return first !== undefined && copies.every((copy) => copy.change === first.change) ? first.change : "changed";
}

/** In the head, or in that commit. */
function placeIn(origin: string, commit: string | undefined): Place {
  return { ...placeOf(origin), ...(commit === undefined ? {} : { commit }) };
}

function placementOf(copies: readonly ObjectChange[], object: ObjectChange["change"]): PlacementChange | undefined {
  const clusters = copies
    .filter(({ change, replicasBefore, replicasAfter }) => change !== "changed" || replicasBefore !== replicasAfter)
    .map(({ cluster, change, replicasBefore, replicasAfter }) => ({
      cluster,
      ...(replicasBefore === undefined ? {} : { before: replicasBefore }),
      ...(replicasAfter === undefined ? {} : { after: replicasAfter }),
      there: change === "created" ? ("came" as const) : change === "deleted" ? ("goes" as const) : ("stays" as const),
    }));
  // Of an object that goes it is said already that it goes, unless replicas go with it.
  const isSaid = object === "deleted" && clusters.every(({ before }) => before === undefined);
  return clusters.length === 0 || isSaid ? undefined : { clusters };
}

/** Copies with the same changes together, and one diff for all of them. */
function foldCopies(copies: readonly ObjectChange[], diffs: ReportInput["diffs"]): CopyGroup[] {
  const groups = new Map<string, { readonly copies: ObjectChange[]; readonly fields: FieldReport[] }>();
  // Copies that change alike share what is said of them, so that not each is looked at field by field.
  const reported = onceEach((moves: boolean) =>
    onceEach((overrides: readonly OverriddenField[]) =>
      onceEach((changed: readonly FieldChange[]) => {
        const fields = withoutReplicas(changed, moves).map((field) => fieldOf(field, overrides));
        return { fields, text: JSON.stringify(fields) };
      }),
    ),
  );
  const overridden = onceEach((overrides: readonly OverriddenField[]) => {
    const fields = overrides.map(overriddenField);
    return { fields, text: JSON.stringify(fields) };
  });
  for (const copy of copies) {
    const { fields, text } =
      copy.change === "changed"
        ? reported(copy.replicasBefore !== copy.replicasAfter)(copy.overrides)(copy.fields)
        : overridden(copy.overrides);
    const key = `${copy.change}\n${text}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { copies: [copy], fields });
    else group.copies.push(copy);
  }
  return [...groups.values()].map(({ copies: same, fields }) => {
    const change = same[0]?.change ?? "changed";
    // Replicas alone are told by the placement.
    const diff = change === "changed" && fields.length === 0 ? undefined : diffs?.ofCopies(same);
    return {
      clusters: same.map(({ cluster }) => cluster),
      change,
      fields,
      ...(diff === undefined ? {} : { diff }),
    };
  });
}

/** What `moves` is said by the placement already. */
function withoutReplicas(fields: readonly FieldChange[], moves: boolean): readonly FieldChange[] {
  return moves ? fields.filter(({ path }) => path !== "spec.replicas" && path !== "spec.parallelism") : fields;
}

function fieldOf({ path, before, after, writer }: FieldChange, overrides: readonly OverriddenField[]): FieldReport {
  const by = overrides.find((field) => path === field.path || path.startsWith(`${field.path}.`));
  const wrote = by !== undefined ? overrideWriter(by) : writer === undefined ? undefined : rendererWriter(writer);
  return {
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(wrote === undefined ? {} : { writer: wrote }),
  };
}

function overriddenField(field: OverriddenField): FieldReport {
  const { path, old, value } = field;
  return {
    path,
    ...(old === undefined ? {} : { before: old }),
    ...(value === undefined ? {} : { after: value }),
    writer: overrideWriter(field),
  };
}
