// What a plan says, as data: the JSON of `flaghoist plan -o json`, and what every other form of a report is made from.
// Values of Secrets are masked before they get here.
import { z } from "zod";

/** Changes only when a field goes or means something else; new fields may come at any time. */
export const PLAN_REPORT_VERSION = "gitops.flaghoist.io/plan-report/v1";

const text = z.string();
const number = z.int();

/** A place in the repository. */
export const placeSchema = z
  .object({
    file: text.describe("Path in the repository."),
    line: number.optional().describe("From 1."),
    endLine: number.optional().describe("Last line, when it is more than one."),
    commit: text.optional().describe("The commit that brought it, when that is not the head."),
  })
  .describe("A place in the repository.");
export type Place = z.infer<typeof placeSchema>;

export const reportedObjectSchema = z.object({
  apiVersion: text,
  kind: text,
  namespace: text.optional(),
  name: text,
});
export type ReportedObject = z.infer<typeof reportedObjectSchema>;

/** Who wrote a line of a manifest. */
export const lineWriterSchema = z
  .object({
    what: z
      .enum(["file", "patch", "transformer", "generator", "policy", "override", "scheduler"])
      .describe(
        "file: the object's own; policy: a field such as a propagation policy sets; scheduler: replicas of the cluster.",
      ),
    name: text.describe("What to call it: `override shop/registry, rule 1`, `patches[0]`."),
    place: placeSchema.optional(),
  })
  .describe("Who wrote a line.");
export type LineWriter = z.infer<typeof lineWriterSchema>;

export const diffLineSchema = z.object({
  op: z.enum([" ", "+", "-"]),
  text: text.describe("Without the sign and the end of the line."),
  writer: number.optional().describe("Index in `writers` of the diff; only of changed lines."),
});
export type DiffLine = z.infer<typeof diffLineSchema>;

export const manifestDiffSchema = z
  .object({
    hunks: z.array(
      z.object({
        before: number.describe("First line in the old manifest, from 1; 0 when there is none."),
        after: number.describe("First line in the new manifest, from 1; 0 when there is none."),
        lines: z.array(diffLineSchema),
      }),
    ),
    writers: z.array(lineWriterSchema),
    added: number.describe("Lines that are new, those cut off included."),
    removed: number.describe("Lines that are gone, those cut off included."),
    cut: number.optional().describe("Lines that were left out, for length."),
  })
  .describe("How a manifest changes, as YAML, with three lines around each change.");
export type ManifestDiff = z.infer<typeof manifestDiffSchema>;

export const fieldReportSchema = z
  .object({
    path: text.describe("`spec.template.spec.containers[web].image`."),
    before: z.unknown().optional().describe("Absent: there was no such field."),
    after: z.unknown().optional().describe("Absent: the field is gone."),
    writer: lineWriterSchema.optional().describe("Who wrote the new value, where that is not the object's own file."),
  })
  .describe("How a field changes.");
export type FieldReport = z.infer<typeof fieldReportSchema>;

export const changeKindSchema = z.enum(["created", "changed", "deleted"]);
export type ChangeKind = z.infer<typeof changeKindSchema>;

export const clusterRowSchema = z.object({
  cluster: text,
  provider: text.optional(),
  region: text.optional(),
  zone: text.optional(),
  created: number,
  changed: number,
  deleted: number,
  held: number
    .optional()
    .describe("Copies that stay as they are until a person, a policy or a rollout lets them go on."),
  replicasBefore: number,
  replicasAfter: number,
  moved: number.optional().describe("Replicas that start here and stop elsewhere, or the other way round."),
  drift: number.describe("Drifted fields, and missing objects, among what the change touches."),
});
export type ClusterRow = z.infer<typeof clusterRowSchema>;

export const placementChangeSchema = z
  .object({
    policyBefore: text.optional().describe("`shop/two-regions`, or the name of a cluster policy."),
    policyAfter: text.optional(),
    policyPlace: placeSchema.optional(),
    clusters: z.array(
      z.object({
        cluster: text,
        before: number.optional().describe("Replicas; absent when the object was not there."),
        after: number.optional().describe("Replicas; absent when the object goes."),
        there: z.enum(["came", "stays", "goes"]),
        reason: text.optional().describe("Why it changed: what refused, scored or weighed."),
      }),
    ),
    summary: text.optional().describe("Why, in a sentence, where one reason explains all."),
    refused: z
      .array(z.object({ clusters: z.array(text), reason: text }))
      .optional()
      .describe("Clusters that the policy's affinity takes in and something else refuses, by what that is."),
  })
  .describe("Where an object is before and after. Clusters where nothing of this changes are left out.");
export type PlacementChange = z.infer<typeof placementChangeSchema>;

export const copyGroupSchema = z
  .object({
    clusters: z.array(text),
    change: changeKindSchema,
    fields: z
      .array(fieldReportSchema)
      .describe("What changes, but for the replicas of `placement`; of a new copy what overrides make of it."),
    diff: manifestDiffSchema.optional().describe("Absent where lines were not asked for, or would say nothing more."),
    held: text.optional().describe("Why these copies stay as they are for now."),
  })
  .describe("Copies that change alike.");
export type CopyGroup = z.infer<typeof copyGroupSchema>;

export const reportedDriftSchema = z
  .object({
    object: reportedObjectSchema,
    path: text.describe("`spec.replicas`; empty for an object that is missing."),
    base: z.unknown().optional().describe("As the base wants it."),
    head: z.unknown().optional().describe("As the head wants it."),
    live: z.unknown().optional().describe("As the clusters have it; absent when the field is gone."),
    outcome: z
      .enum(["undone", "kept", "adopted", "overwritten"])
      .describe(
        "What the change does about it. undone: drift is mended anyway; kept: it stays; adopted: the head wants what is live; overwritten: the head wants a third value.",
      ),
    manager: text.optional(),
    since: text.optional().describe("RFC 3339."),
    clusters: z.array(text),
  })
  .describe("What is not as Git has it, on an object that the change touches.");
export type ReportedDrift = z.infer<typeof reportedDriftSchema>;

export const severitySchema = z.enum(["error", "warning", "notice"]);
export type Severity = z.infer<typeof severitySchema>;

export const reportFindingSchema = z
  .object({
    rule: text.describe("Stable name: `mass-prune`, `immutable-field`, `policy-never-wins`."),
    severity: severitySchema.describe(
      "error: it would fail or lose something; warning: look at it; notice: good to know.",
    ),
    object: reportedObjectSchema.optional(),
    place: placeSchema.optional(),
    field: text.optional().describe("Path of the field that is meant."),
    clusters: z.array(text).optional(),
    message: text.describe("The outcome, then the reason."),
    advice: text.optional().describe("What to do."),
  })
  .describe("Something that a reviewer should know.");
export type ReportFinding = z.infer<typeof reportFindingSchema>;

export const survivalSchema = z
  .object({
    placed: number.describe("Replicas while all is well."),
    kept: number.describe("Replicas that go on at once."),
    recovered: number.describe("Replicas once failover has moved the others."),
  })
  .describe("What is left of a workload.");

export const lossSchema = z.object({
  what: z.enum(["cluster", "zone", "region", "provider"]),
  name: text,
  clusters: z.array(text),
  also: z
    .array(z.object({ what: z.enum(["cluster", "zone", "region", "provider"]), name: text }))
    .optional()
    .describe("What else is this same loss, as it has the same clusters."),
});

export const reportedLossSchema = z
  .object({
    loss: lossSchema,
    objects: z.array(
      z.object({
        object: reportedObjectSchema,
        minimum: number.describe("Replicas that it must keep; see `minimumFrom`."),
        minimumFrom: text
          .optional()
          .describe("What says so: a PodDisruptionBudget, a fleet test, or the default of one."),
        before: survivalSchema.optional().describe("Absent: it was not in what is lost."),
        after: survivalSchema.optional().describe("Absent: it is not in what is lost."),
        outcome: z
          .enum(["untouched", "survives", "recovers", "below-minimum", "down"])
          .describe(
            "After the change. survives: at least the minimum goes on at once; recovers: only once failover is through; below-minimum and down: not even then.",
          ),
        comparison: z.enum(["better", "same", "worse"]),
      }),
    ),
  })
  .describe("What the loss of a part of the fleet does to the workloads that change.");
export type ReportedLoss = z.infer<typeof reportedLossSchema>;

export const testResultSchema = z
  .object({
    name: text,
    place: placeSchema.optional(),
    outcome: z.enum(["passed", "failed", "skipped"]),
    message: text.optional().describe("Why it failed or was skipped, in a sentence."),
    details: z.array(text).optional(),
    base: z.enum(["passed", "failed", "skipped"]).optional().describe("How it ended before the change."),
  })
  .describe("How a fleet test ended.");
export type TestResult = z.infer<typeof testResultSchema>;

export const rolloutPlanSchema = z
  .object({
    waves: z.array(
      z.object({
        name: text,
        clusters: z.array(text),
        atOnce: number.optional().describe("So many at a time; absent: all of them."),
        healthyFor: text.optional().describe("How long each must have been healthy before the next wave begins."),
      }),
    ),
    paused: z.boolean().optional().describe("True: no cluster gets it before the rollout is resumed."),
    with: reportedObjectSchema.optional().describe("The object that needs this one, and takes it along in its waves."),
  })
  .describe("In which order clusters get the change: each wave once the one before is healthy.");
export type RolloutPlan = z.infer<typeof rolloutPlanSchema>;

export const reportedHookSchema = z
  .object({
    object: reportedObjectSchema.describe("The name of one that gets its name when it runs ends in `*`."),
    phase: z.enum(["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete"]),
    wave: number,
    clusters: z.array(text).optional().describe("Where it runs; absent when that is not known."),
    problem: text.optional().describe("Why it would not run."),
  })
  .describe("An object that runs and is not kept.");
export type ReportedHook = z.infer<typeof reportedHookSchema>;

export const reportedHooksSchema = z
  .object({
    runs: z.array(reportedHookSchema).describe("With the change, in their order."),
    onFailure: z.array(reportedHookSchema).describe("Should the change fail."),
    onDeletion: z.array(reportedHookSchema).describe("When the Sync is deleted."),
    idle: text.optional().describe("Why those of `runs` do not run this time; absent when they do."),
  })
  .describe("What the Sync runs.");
export type ReportedHooks = z.infer<typeof reportedHooksSchema>;

export const objectReportSchema = z.object({
  object: reportedObjectSchema,
  change: changeKindSchema,
  place: placeSchema.optional().describe("Where it is written, in the head; in the base for what is deleted."),
  placement: placementChangeSchema.optional().describe("Absent when it stays where it is."),
  fields: z
    .array(fieldReportSchema)
    .describe("How the object in the control plane changes; empty when it comes or goes."),
  diff: manifestDiffSchema.optional().describe("The same in lines, for objects without copies."),
  copies: z.array(copyGroupSchema),
  rollout: rolloutPlanSchema.optional().describe("Absent: all clusters get it at once."),
  notes: z.array(text).optional().describe("What else is to be known: waves, hooks, kept in spite of prune."),
});
export type ObjectReport = z.infer<typeof objectReportSchema>;

export const planReportSchema = z
  .object({
    schema: z.literal(PLAN_REPORT_VERSION),
    valid: z.boolean().describe("False: the head cannot be applied, see `problems`; nothing else is known then."),
    changes: z.boolean().describe("Whether anything changes."),
    state: z
      .enum(["unchanged", "changes", "held", "refused"])
      .describe("held: a person must confirm before all of it is done; refused: it cannot be applied."),
    verdict: text.describe("The outcome in a sentence."),
    subject: z
      .object({
        repository: text.optional().describe("Address, without credentials."),
        path: text,
        syncs: z.array(text).optional().describe("Syncs that the change concerns: `shop/apps`."),
        base: z
          .object({ name: text, commit: text.optional() })
          .optional()
          .describe("Absent: what the control plane has."),
        head: z.object({ name: text, commit: text.optional() }),
        fleet: z
          .object({
            from: z.enum(["live", "snapshot"]),
            takenAt: text.optional().describe("RFC 3339, of a snapshot."),
            clusters: number,
          })
          .describe("What it was compared with."),
      })
      .describe("What is compared."),
    renderHash: text
      .optional()
      .describe("sha256 of everything that would be stored; an approval is bound to it. Absent when it was refused."),
    movedReplicas: number.describe("Replicas that start in another cluster than before."),
    clusters: z.array(clusterRowSchema).describe("Every cluster of the fleet."),
    objects: z.array(objectReportSchema).describe("Objects that change, in the control plane or in clusters."),
    problems: z
      .array(
        z.object({
          severity: z.enum(["error", "warning"]),
          message: text,
          reasons: z
            .array(text)
            .optional()
            .describe("Of what no cluster takes: what refuses it, and what would have it accepted, a line for each."),
          object: reportedObjectSchema.optional(),
          place: placeSchema.optional(),
        }),
      )
      .describe("What cannot be applied, or would not work in a cluster."),
    unknown: z
      .array(z.object({ object: reportedObjectSchema, reason: text }))
      .describe("Objects of which it cannot be said what happens; they count nowhere else."),
    drift: z.array(reportedDriftSchema),
    driftUnknown: z
      .array(z.object({ cluster: text, reason: text }))
      .optional()
      .describe("Clusters that could not be asked."),
    findings: z.array(reportFindingSchema),
    whatIf: z.array(reportedLossSchema).describe("Losses that touch a workload that changes."),
    tests: z.array(testResultSchema).optional().describe("Fleet tests; absent when the repository has none."),
    held: text.optional().describe("Why deletions wait for a person, and what to do."),
    kept: z
      .array(z.object({ object: reportedObjectSchema, reason: text.describe("What keeps it.") }))
      .optional()
      .describe("Objects that are no longer in the source and stay."),
    hooks: reportedHooksSchema.optional().describe("Absent when there are none."),
    deletionsUnknown: text.optional().describe("Why it is not known what would be deleted."),
    notes: z.array(text).optional().describe("What else is to be known of the whole: hooks that run, waves."),
    cut: z
      .array(z.object({ what: text, left: number, of: number }))
      .optional()
      .describe("What was left out to stay within bounds of size."),
    made: z
      .object({ at: text.describe("RFC 3339."), tookMs: number, version: text })
      .describe("When, how long it took, and by which version."),
  })
  .describe("What a change would do, cluster by cluster.");
export type PlanReport = z.infer<typeof planReportSchema>;
