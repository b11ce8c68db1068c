// gitops.flaghoist.io/v1alpha1: repositories to watch, and what of them to apply. Fields and conditions are named as in
// Flux, so that its users find their way.
import { z } from "zod";
import { driftRuleSchema, ignoreDifferenceSchema } from "./drift-rules.ts";
import { conditionSchema, int32, int64, objectMeta, time } from "./schema.ts";

export const GITOPS_GROUP = "gitops.flaghoist.io";

/** Set to a new value, either asks for a reconciliation now. The second is Flux's, so that its tools work. */
export const REQUESTED_AT_ANNOTATION = "gitops.flaghoist.io/requestedAt";
export const FLUX_REQUESTED_AT_ANNOTATION = "reconcile.fluxcd.io/requestedAt";

/** Set to a revision, lets that revision of a Sync delete more than `pruneLimitPercent`. */
export const CONFIRM_PRUNE_ANNOTATION = "gitops.flaghoist.io/confirm-prune";

/**
 * On a template and its copies: `true` has a copy deleted and made anew when fields of it cannot be changed. Anything else
 * leaves it as it is.
 */
export const REPLACE_ANNOTATION = "gitops.flaghoist.io/replace";

/** Argo CD's word for the same, and for deletions that wait for one: a time after the deletion was asked for. */
export const ARGO_DELETION_APPROVED_ANNOTATION = "argocd.argoproj.io/deletion-approved";

/** On a Sync or a Cluster: lets deletions go on that are held there, as the message of the hold says. */
export const CONFIRM_DELETIONS_ANNOTATION = "gitops.flaghoist.io/confirm-deletions";

/** On a Sync that is being deleted, by us: the time that words on the deletion go by where that of the deletion is too early. */
export const DELETION_ASKED_ANNOTATION = "gitops.flaghoist.io/deletion-asked-at";

/** On a Sync that is being deleted, with the time of its deletion: it goes without its PreDelete and PostDelete hooks. */
export const SKIP_DELETION_HOOKS_ANNOTATION = "gitops.flaghoist.io/skip-deletion-hooks";

/** Conditions of GitRepository and Sync. Reconciling and Stalled exist only while they are true. */
export type GitOpsConditionType = "Ready" | "Reconciling" | "Stalled";

/** How often a repository is asked for news when its spec names neither interval nor schedule. */
export const DEFAULT_SOURCE_INTERVAL = "1m";
export const DEFAULT_SOURCE_TIMEOUT = "60s";
export const DEFAULT_SYNC_INTERVAL = "10m";
export const DEFAULT_PRUNE_LIMIT_PERCENT = 30;
export const DEFAULT_PRUNE_LIMIT_COUNT = 100;
/** Of an attempt in which a hook failed, and of every one where `retry` is given; Argo CD's. */
export const DEFAULT_RETRY = { limit: 5, duration: "5s", factor: 2, maxDuration: "3m" } as const;

/** A length of time as Flux writes it. */
export const duration = z.string().regex(/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/, "must be a duration such as 30s or 5m");
const namespaceHere = "the namespace of this object when empty.";

export const gitRepositoryRefSchema = z.strictObject({
  branch: z
    .string()
    .optional()
    .describe("Branch to follow; the default branch of the repository when no field is set."),
  commit: z.string().optional().describe("Commit to stay at; wins over every other field."),
  name: z
    .string()
    .optional()
    .describe("Full name of a reference, such as refs/pull/1/head; wins over semver, tag and branch."),
  semver: z.string().optional().describe("Range of versions; the highest tag in it is used. Wins over tag and branch."),
  tag: z.string().optional().describe("Tag to stay at; wins over branch."),
});
export type GitRepositoryRef = z.infer<typeof gitRepositoryRefSchema>;

export const localObjectReferenceSchema = z.strictObject({
  name: z.string().describe("Name of the object in the same namespace."),
});
export type LocalObjectReference = z.infer<typeof localObjectReferenceSchema>;

export const gitRepositorySpecSchema = z.strictObject({
  ignore: z.string().optional().describe("Files to leave out, in the form of a .gitignore file."),
  interval: duration
    .optional()
    .describe("How often to look for new commits, such as 30s or 5m; 1m when schedule is empty too."),
  ref: gitRepositoryRefSchema.optional().describe("What to follow."),
  schedule: z
    .string()
    .optional()
    .describe("Times at which to look for new commits, as a cron expression; beside interval or in its place."),
  secretRef: localObjectReferenceSchema
    .optional()
    .describe("Secret with the credentials: username and password, bearerToken, or identity and known_hosts."),
  suspend: z.boolean().optional().describe("Stays at the present revision."),
  timeout: duration.meta({ default: DEFAULT_SOURCE_TIMEOUT }).optional().describe("Longest time one fetch may take."),
  timeZone: z.string().optional().describe("Time zone of schedule, such as Europe/Paris; UTC when empty."),
  url: z.string().min(1).describe("Address of the repository."),
});
export type GitRepositorySpec = z.infer<typeof gitRepositorySpecSchema>;

export const artifactSchema = z.strictObject({
  digest: z.string().optional().describe("Digest of the files, as sha256:hex."),
  lastUpdateTime: time.describe("When this revision was fetched."),
  revision: z.string().describe("Where the files are from, as main@sha1:hex."),
  url: z.string().optional().describe("Where the files can be had, when they are served."),
});
export type Artifact = z.infer<typeof artifactSchema>;

export const gitRepositoryStatusSchema = z.strictObject({
  artifact: artifactSchema.optional().describe("The last revision that was fetched."),
  conditions: z.array(conditionSchema).optional().describe("Ready, Reconciling and Stalled."),
  lastHandledReconcileAt: z.string().optional().describe("Last request by annotation that was dealt with."),
  observedGeneration: int64.optional().describe("Generation that was dealt with."),
});
export type GitRepositoryStatus = z.infer<typeof gitRepositoryStatusSchema>;

export const gitRepositorySchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("GitRepository"),
    metadata: objectMeta,
    spec: gitRepositorySpecSchema.describe("What to watch."),
    status: gitRepositoryStatusSchema.optional().describe("What was found."),
  })
  .describe("A Git repository to watch.");
export type GitRepository = z.infer<typeof gitRepositorySchema>;

export const sourceReferenceSchema = z.strictObject({
  kind: z.enum(["GitRepository"]).describe("Kind of the source."),
  name: z.string().describe("Name of the source."),
  namespace: z.string().optional().describe(`Namespace of the source; ${namespaceHere}`),
});
export type SourceReference = z.infer<typeof sourceReferenceSchema>;

export const dependencyReferenceSchema = z.strictObject({
  name: z.string().describe("Name of the Sync."),
  namespace: z.string().optional().describe(`Namespace of the Sync; ${namespaceHere}`),
});
export type DependencyReference = z.infer<typeof dependencyReferenceSchema>;

export const retryBackoffSchema = z.strictObject({
  duration: duration
    .meta({ default: DEFAULT_RETRY.duration })
    .optional()
    .describe("How long to wait after the first failure."),
  factor: z
    .int()
    .min(1)
    .meta({ format: "int64", default: DEFAULT_RETRY.factor })
    .optional()
    .describe("What the wait is multiplied by after each further failure."),
  maxDuration: duration.meta({ default: DEFAULT_RETRY.maxDuration }).optional().describe("Longest wait."),
});

export const syncRetrySchema = z.strictObject({
  backoff: retryBackoffSchema.optional().describe("How long to wait between attempts."),
  limit: int64
    .meta({ default: DEFAULT_RETRY.limit })
    .optional()
    .describe("How often a failed attempt is repeated for the same content; 0 is never, a negative number always."),
});
export type SyncRetry = z.infer<typeof syncRetrySchema>;

export const syncSpecSchema = z.strictObject({
  deletionPolicy: z
    .enum(["MirrorPrune", "Delete", "WaitForTermination", "Orphan"])
    .meta({ default: "MirrorPrune" })
    .optional()
    .describe(
      "What becomes of the objects when this Sync is deleted. MirrorPrune: as prune says. Delete: they go. WaitForTermination: they go, and the Sync once they are gone. Orphan: they stay.",
    ),
  dependsOn: z.array(dependencyReferenceSchema).optional().describe("Syncs that must be ready first."),
  drift: z
    .enum(["correct", "report", "pause"])
    .meta({ default: "correct" })
    .optional()
    .describe("What to do about changes by others. correct: undo them. report: only tell. pause: do not look."),
  driftRules: z
    .array(driftRuleSchema)
    .max(100)
    .optional()
    .describe("What to do about changes of certain fields; the first rule about a field counts, before drift."),
  force: z
    .boolean()
    .optional()
    .describe(
      "Deletes and creates anew objects whose change the server refuses as immutable; Namespaces, definitions and volumes, which take data along, only where they ask for it themselves.",
    ),
  ignoreDifferences: z
    .array(ignoreDifferenceSchema)
    .max(100)
    .optional()
    .describe(
      "Fields that others decide, as in an Application of Argo CD. They are sent when an object is made, and then neither compared nor sent back.",
    ),
  interval: duration
    .meta({ default: DEFAULT_SYNC_INTERVAL })
    .optional()
    .describe("How often to compare again without a new revision."),
  path: z.string().optional().describe("Folder in the source; its root when empty."),
  prune: z.boolean().meta({ default: true }).optional().describe("Deletes objects that are no longer in the source."),
  pruneLimitCount: z
    .int()
    .min(0)
    .meta({ format: "int32", default: DEFAULT_PRUNE_LIMIT_COUNT })
    .optional()
    .describe(
      "How many objects one revision may delete without being asked to, however small their share; 0 is no limit.",
    ),
  pruneLimitPercent: z
    .int()
    .min(0)
    .max(100)
    .meta({ format: "int32", default: DEFAULT_PRUNE_LIMIT_PERCENT })
    .optional()
    .describe("Share of the objects that one revision may delete without being asked to; 100 is no limit."),
  renderer: z
    .enum(["auto", "plain", "kustomize"])
    .meta({ default: "auto" })
    .optional()
    .describe("auto: kustomize where the folder has a kustomization, plain files elsewhere."),
  retry: syncRetrySchema
    .optional()
    .describe(
      "How often a failed attempt is repeated. Without it, always, except that an attempt in which a hook failed is repeated as by default.",
    ),
  retryInterval: duration.optional().describe("How long to wait after a failure; interval when empty."),
  sourceRef: sourceReferenceSchema.describe("Source of the files."),
  suspend: z.boolean().optional().describe("Changes nothing until this is lifted."),
  targetNamespace: z.string().optional().describe("Namespace to put all objects in, whatever the files say."),
  timeout: duration
    .optional()
    .describe("Longest time applying and waiting may take, for each wave and each set of hooks; interval when empty."),
  wait: z.boolean().optional().describe("Is ready only when all applied objects are."),
});
export type SyncSpec = z.infer<typeof syncSpecSchema>;

export const inventoryEntrySchema = z.strictObject({
  id: z.string().describe("Namespace, name, group and kind, joined by underscores."),
  v: z.string().describe("Version of the API."),
});
export type InventoryEntry = z.infer<typeof inventoryEntrySchema>;

export const inventorySchema = z.strictObject({
  entries: z.array(inventoryEntrySchema).describe("The objects."),
});
export type Inventory = z.infer<typeof inventorySchema>;

export const hookStatusSchema = z.strictObject({
  id: z.string().describe("Namespace, name, group and kind, joined by underscores."),
  message: z.string().describe("What came of it, for people."),
  phase: z.enum(["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete"]).describe("When it runs."),
  state: z.enum(["Running", "Succeeded", "Failed"]).describe("How it fares."),
  v: z.string().describe("Version of the API."),
});
export type HookStatus = z.infer<typeof hookStatusSchema>;

export const deletionHookSchema = z.strictObject({
  id: z.string().describe("Namespace, name, group and kind, joined by underscores."),
  phase: z.enum(["PreDelete", "PostDelete"]).describe("Before the objects of the Sync are deleted, or after."),
  v: z.string().describe("Version of the API."),
});
export type DeletionHook = z.infer<typeof deletionHookSchema>;

export const syncOperationSchema = z.strictObject({
  attempt: int32.describe("Which attempt at this content it is, from 1."),
  digest: z.string().describe("Digest of what was rendered."),
  generation: int64.describe("Generation of the Sync it was begun for."),
  hooks: z.array(hookStatusSchema).describe("The hooks that were started."),
  id: z.string().describe("Marks the hooks of this attempt."),
  message: z.string().describe("What it waits for or why it failed."),
  phase: z
    .enum(["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete", "Succeeded", "Retrying", "Failed"])
    .describe("How far it is. Failed: not tried again for this content."),
  request: z.string().describe("Request by annotation it answers; empty when none."),
  revision: z.string().describe("Revision of the source."),
  startedAt: time.describe("When it was begun."),
  wave: int32.describe("The wave it is at."),
});
export type SyncOperation = z.infer<typeof syncOperationSchema>;

export const syncStatusSchema = z.strictObject({
  conditions: z.array(conditionSchema).optional().describe("Ready, Reconciling and Stalled."),
  deletionHooks: z.array(deletionHookSchema).optional().describe("Hooks that run when this Sync is deleted."),
  inventory: inventorySchema.optional().describe("Objects applied from the source, that pruning may delete."),
  lastAppliedDigest: z.string().optional().describe("Digest of what was rendered of the last revision applied whole."),
  lastAppliedObjects: int32.optional().describe("How many objects the last revision had that was applied whole."),
  lastAppliedRevision: z.string().optional().describe("Last revision that was applied whole."),
  lastAttemptedRevision: z.string().optional().describe("Last revision that was tried."),
  lastHandledReconcileAt: z.string().optional().describe("Last request by annotation that was dealt with."),
  observedGeneration: int64.optional().describe("Generation that was dealt with."),
  operation: syncOperationSchema.optional().describe("The attempt that goes on, or the last one."),
});
export type SyncStatus = z.infer<typeof syncStatusSchema>;

export const syncSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("Sync"),
    metadata: objectMeta,
    spec: syncSpecSchema.describe("What to apply."),
    status: syncStatusSchema.optional().describe("What was applied."),
  })
  .describe("Keeps the objects of a folder of a source applied.");
export type Sync = z.infer<typeof syncSchema>;

/**
 * What the annotations of an object ask for, to be compared with `status.lastHandledReconcileAt`. Undefined: nothing.
 * Both annotations count; a change of either is a new request.
 */
export function reconcileRequest(object: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}): string | undefined {
  const annotations = object.metadata.annotations ?? {};
  const requests = [annotations[REQUESTED_AT_ANNOTATION], annotations[FLUX_REQUESTED_AT_ANNOTATION]].filter(
    (request) => request !== undefined && request !== "",
  );
  return requests.length === 0 ? undefined : requests.join(" ");
}

/** Whether an annotation approves what was asked for then: as Argo CD, by a time that is not before it. Anything else does not. */
export function isApprovedSince(annotation: string | undefined, askedAtMs: number | undefined): boolean {
  if (annotation === undefined || askedAtMs === undefined) return false;
  const approvedMs = Date.parse(annotation);
  // Times in annotations have no fractions of seconds.
  return Number.isFinite(approvedMs) && approvedMs >= Math.floor(askedAtMs / 1_000) * 1_000;
}
