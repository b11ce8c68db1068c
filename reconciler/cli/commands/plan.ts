import type { InventoryEntry, Sync } from "../../../api/gitops.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { belongsTo, entriesOf, planPrune, refOfEntry } from "../../controllers/sync/sync-decisions.ts";
import type { OverrideFinding } from "../../overrides/lint.ts";
import { comparePlans, type Plan } from "../../plan/changes.ts";
import { type DriftGroup, groupDrift } from "../../plan/live-drift.ts";
import type { Origin } from "../../plan/origin.ts";
import { findOverridePolicy, type PolicyOrigin } from "../../plan/overridden-fields.ts";
import { newFindings, overrideFindings } from "../../plan/override-findings.ts";
import { type Outcome, runRiver } from "../../plan/river.ts";
import { type DesiredObject, sourceChanges } from "../../plan/source-changes.ts";
import { type WhatIf, whatIf } from "../../plan/what-if.ts";
import { changeWorld, loadWorld, type World } from "../../plan/world.ts";
import { withWriters } from "../../plan/written-fields.ts";
import { type PlanReport, planText } from "../../reports/plan-text.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  READING_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import {
  desiredObjects,
  type FolderRendering,
  findDuplicates,
  type InputProblem,
  renderFolder,
} from "../desired-objects.ts";
import { compareLiveCopies } from "../live-copies.ts";
import { originFinder } from "../origins.ts";
import { paint, print } from "../output.ts";
import { REMOTE_OPTIONS, withRemoteBases } from "../remote-settings.ts";
import { openSourceFolder, type SourceFolder } from "../source-folder.ts";
import { INTERPRETATION_OPTIONS, type WorldInterpreters, withInterpreters } from "../world-interpretation.ts";

export const planCommand: Command = {
  name: "plan",
  summary: "show what a change would do in every cluster",
  usage: "[PATH] [--base REF|A..B] [--sync NAMESPACE/NAME] [--exit-code]",
  description:
    "Renders a folder and shows what applying it would change, object by object and cluster by cluster: which copies come, change and go, how replicas move, and what would be refused. Compares with what the control plane has now, or with the folder at another revision. Writes nothing.",
  options: {
    base: {
      type: "string",
      value: "REF",
      help: "compare with this revision: main (from where HEAD parted), or a range A..B of two commits",
    },
    sync: {
      type: "string",
      value: "NS/NAME",
      help: "the Sync that applies the folder (default: the one with its path)",
    },
    "no-drift": { type: "boolean", help: "do not ask the clusters about drift of what would change" },
    "exit-code": { type: "boolean", help: "exit 3 when something changes, 4 when deletions would be held" },
    ...REMOTE_OPTIONS,
    ...INTERPRETATION_OPTIONS,
    ...READING_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["plan apps/shop", "the files on disk against what runs"],
    ["plan apps/shop --base main", "what this branch changes"],
    ["plan apps/shop --snapshot fleet.snapshot", "without reaching the control plane"],
    ["plan apps/shop --base v1.4..v1.5 --exit-code", "between two releases; exit 3 when they differ"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) => plan(invocation, client, interpreters)),
    ),
};

async function plan(invocation: Invocation, client: KubeClient, interpreters: WorldInterpreters): Promise<ExitCode> {
  const path = invocation.positionals[0] ?? ".";
  const folder = openSourceFolder(invocation.io.cwd, path, stringOption(invocation, "base"));
  try {
    const syncs = (await client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
    const sync = chooseSync(syncs, stringOption(invocation, "sync"), folder.path);
    const change = await withRemoteBases(invocation, (remotes) =>
      readChange(client, folder, { sync, remotes, signal: invocation.signal }),
    );
    if (change.problems.some((problem) => problem.severity === "error")) return refuse(invocation, change.problems);
    for (const { origin, message } of change.problems) invocation.io.err(`warning: ${origin}: ${message}\n`);
    return await report(invocation, client, change, interpreters);
  } finally {
    folder.close();
  }
}

/** Everything that the revision does to the control plane. */
interface Change {
  /** Before: what the base put there; undefined when the control plane is the base. */
  readonly base: readonly KubeObject[] | undefined;
  readonly desired: readonly DesiredObject[];
  readonly removed: readonly ObjectRef[];
  readonly held: string | undefined;
  readonly deletionsUnknown: string | undefined;
  readonly problems: readonly InputProblem[];
}

function chooseSync(syncs: readonly Sync[], named: string | undefined, path: string): Sync | undefined {
  const nameOf = ({ metadata }: Sync): string => `${metadata.namespace}/${metadata.name}`;
  if (named !== undefined) {
    const found = syncs.find((sync) => nameOf(sync) === named);
    if (found !== undefined) return found;
    throw new AppError(
      "sync-unknown",
      `there is no Sync ${named}${syncs.length === 0 ? "" : `; there are ${syncs.slice(0, 8).map(nameOf).join(", ")}`}`,
      { recovery: "stall" },
    );
  }
  const matching = syncs.filter((sync) => normalize(sync.spec.path) === path);
  if (matching.length > 1)
    throw new UsageError(`several Syncs apply this folder: ${matching.map(nameOf).join(", ")}; choose one with --sync`);
  return matching[0];
}

function normalize(path: string | undefined): string {
  return (path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
}

async function readChange(client: KubeClient, folder: SourceFolder, rendering: FolderRendering): Promise<Change> {
  const { sync, signal } = rendering;
  const head = await renderFolder(client, folder.head, folder.path, rendering);
  const problems = [...head.problems, ...findDuplicates(head.objects)];
  const nothing = { base: undefined, desired: [], removed: [], held: undefined, deletionsUnknown: undefined };
  if (problems.some((problem) => problem.severity === "error")) return { ...nothing, problems };
  const stored = await desiredObjects(client, head.objects, signal);
  problems.push(...stored.problems);
  const wanted = head.objects.map(({ object }) => object);
  const deletions = await plannedDeletions(client, sync, wanted, folder);
  if (folder.base === undefined) {
    const deletionsUnknown =
      sync === undefined ? "No Sync applies this folder yet, so that nothing is known of deletions." : undefined;
    return { ...deletions, base: undefined, desired: stored.desired, deletionsUnknown, problems };
  }
  const base = await desiredObjects(
    client,
    (await renderFolder(client, folder.base, folder.path, rendering)).objects,
    signal,
  );
  const before = new Map(base.desired.map(({ object }) => [refKey(refOf(object)), object]));
  const keep = new Set(wanted.map((object) => refKey(refOf(object))));
  return {
    base: [...before.values()],
    desired: stored.desired.map((one) => ({ ...one, before: before.get(refKey(refOf(one.object))) })),
    removed: [...before.values()].map(refOf).filter((ref) => !keep.has(refKey(ref))),
    held: deletions.held,
    deletionsUnknown: undefined,
    problems,
  };
}

/** What the Sync would prune, and whether it would be held. Objects that are gone, or another's, are not deleted. */
async function plannedDeletions(
  client: KubeClient,
  sync: Sync | undefined,
  wanted: readonly KubeObject[],
  folder: SourceFolder,
): Promise<{ readonly removed: readonly ObjectRef[]; readonly held: string | undefined }> {
  if (sync === undefined) return { removed: [], held: undefined };
  const revision = `sha1:${folder.commit ?? UNKNOWN_COMMIT}`;
  const { prune, held } = planPrune(sync, entriesOf(wanted), revision);
  const removed = await mapLimit(prune, 16, (entry) => findOwn(client, sync, entry));
  return {
    removed: removed.filter((ref) => ref !== undefined),
    held: held?.replace(`revision sha1:${UNKNOWN_COMMIT}`, "this change"),
  };
}

/** Stands in messages for the commit that files on disk will become. */
const UNKNOWN_COMMIT = "COMMIT";

async function findOwn(client: KubeClient, sync: Sync, entry: InventoryEntry): Promise<ObjectRef | undefined> {
  const ref = refOfEntry(entry);
  if (ref === undefined || (await client.mapper.find(ref.apiVersion, ref.kind)) === undefined) return undefined;
  const live = await client.find(ref);
  return live !== undefined && belongsTo(live, sync) ? ref : undefined;
}

function refuse(invocation: Invocation, problems: readonly InputProblem[]): ExitCode {
  const colour = paint(invocation);
  const errors = problems.filter((problem) => problem.severity === "error");
  print(invocation, { valid: false, problems }, () =>
    [
      `This cannot be applied: ${errors.length} ${errors.length === 1 ? "problem" : "problems"}.`,
      "",
      ...errors.map(({ origin, message }) => `  ${colour.red("✗")} ${origin}: ${message}`),
    ].join("\n"),
  );
  return EXIT.failed;
}

async function report(
  invocation: Invocation,
  client: KubeClient,
  change: Change,
  interpreters: WorldInterpreters,
): Promise<ExitCode> {
  const now = await loadWorld(client);
  const {
    plan: bare,
    whatIf: losses,
    findings,
  } = await compareWorlds(now, change, interpreters, invocation, await originFinder(client, invocation.io.cwd));
  const written = new Map(change.desired.map((one) => [refKey(refOf(one.object)), one.written ?? new Map()]));
  const source = withWriters(sourceChanges(change.desired, change.removed), written);
  const compared = { ...bare, changes: withWriters(bare.changes, written, ({ overrides }) => overrides) };
  const drift = booleanOption(invocation, "no-drift")
    ? []
    : await driftOf(client, now, compared, interpreters, invocation);
  const { held, deletionsUnknown } = change;
  const nowMs = systemClock.now();
  const full: PlanReport = { plan: compared, source, drift, held, deletionsUnknown, whatIf: losses, findings, nowMs };
  const changes = compared.changes.length > 0 || source.length > 0;
  print(
    invocation,
    {
      valid: true,
      changes,
      clusters: compared.clusters,
      movedReplicas: compared.movedReplicas,
      copies: compared.changes,
      objects: source,
      problems: compared.problems,
      findings,
      unknown: compared.unknown,
      whatIf: losses,
      drift,
      held,
    },
    () => planText(full, paint(invocation)),
  );
  if (!booleanOption(invocation, "exit-code")) return EXIT.ok;
  return held !== undefined ? EXIT.held : changes ? EXIT.differences : EXIT.ok;
}

interface Comparison {
  readonly plan: Plan;
  readonly whatIf: readonly WhatIf[];
  /** Overrides that the change makes vain, or writes in vain. */
  readonly findings: readonly OverrideFinding[];
}

async function compareWorlds(
  now: World,
  change: Change,
  interpreters: WorldInterpreters,
  { signal }: Invocation,
  originOf: (object: KubeObject) => Origin | undefined,
): Promise<Comparison> {
  const nowMs = systemClock.now();
  // Each world by its own rules: a changed customization or webhook configuration shows what it does.
  const outcomesOf = (world: World): Promise<ReadonlyMap<string, Outcome>> =>
    interpreters
      .of(world.interpretation)
      .decide(
        (interpreter) => runRiver(world, { interpreter, now: nowMs, compatibility: interpreters.compatibility }),
        { signal },
      );
  const before = change.base === undefined ? now : changeWorld(now, change.base, []);
  const after = changeWorld(
    before,
    change.desired.map(({ object }) => object),
    change.removed,
  );
  const clusters = new Set([...before.clusters, ...after.clusters].map((cluster) => cluster.metadata.name ?? ""));
  const old = await outcomesOf(before);
  const fresh = await outcomesOf(after);
  const compared = comparePlans(old, fresh, [...clusters], policyOriginIn(after, change, originOf));
  const touched = [...new Set(compared.changes.map((copy) => refKey(copy.object)))];
  return {
    plan: compared,
    findings: newFindings(
      overrideFindings(before, old, interpreters.compatibility),
      overrideFindings(after, fresh, interpreters.compatibility),
    ),
    whatIf: whatIf(
      touched,
      { outcomes: old, clusters: before.clusters },
      { outcomes: fresh, clusters: after.clusters },
      nowMs,
    ),
  };
}

/** Policies that the change writes are in its files; the others are where the control plane has them from. */
function policyOriginIn(
  world: World,
  change: Change,
  originOf: (object: KubeObject) => Origin | undefined,
): PolicyOrigin {
  const files = new Map(change.desired.map(({ object, origin }) => [refKey(refOf(object)), origin]));
  const policies = [...world.clusterOverridePolicies, ...world.overridePolicies];
  return (ref) => {
    const policy = findOverridePolicy(policies, ref);
    if (policy === undefined) return undefined;
    const file = files.get(refKey(refOf(policy)));
    return file === undefined ? originOf(policy) : { file };
  };
}

/** Drift of what would change. Clusters that do not answer are passed over: a plan is about what is wanted. */
async function driftOf(
  client: KubeClient,
  world: World,
  compared: Plan,
  interpreters: WorldInterpreters,
  invocation: Invocation,
): Promise<readonly DriftGroup[]> {
  const touched = new Set(compared.changes.map((change) => refKey(change.object)));
  const names = new Set(compared.changes.map((change) => change.cluster));
  const clusters = world.clusters.filter((cluster) => names.has(cluster.metadata.name ?? ""));
  if (clusters.length === 0) return [];
  const { copies, unreachable } = await compareLiveCopies(client, clusters, {
    interpretation: interpreters.of(world.interpretation),
    wants: (object) => touched.has(refKey(object)),
    signal: invocation.signal,
  });
  for (const { cluster, reason } of unreachable)
    invocation.io.err(`warning: drift in cluster ${cluster} is not known: ${reason}\n`);
  return groupDrift(copies);
}
