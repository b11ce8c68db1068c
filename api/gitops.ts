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

/** Conditions of GitRepository and Sync. Reconciling and Stalled exist only while they are true. */
export type GitOpsConditionType = "Ready" | "Reconciling" | "Stalled";

/** How often a repository is asked for news when its spec names neither interval nor schedule. */
export const DEFAULT_SOURCE_INTERVAL = "1m";
export const DEFAULT_SOURCE_TIMEOUT = "60s";
export const DEFAULT_SYNC_INTERVAL = "10m";
export const DEFAULT_PRUNE_LIMIT_PERCENT = 30;

const duration = z.string().regex(/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/, "must be a duration such as 30s or 5m");
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

export const syncSpecSchema = z.strictObject({
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
    .describe("Deletes and creates anew objects whose change the server refuses as immutable."),
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
  retryInterval: duration.optional().describe("How long to wait after a failure; interval when empty."),
  sourceRef: sourceReferenceSchema.describe("Source of the files."),
  suspend: z.boolean().optional().describe("Changes nothing until this is lifted."),
  targetNamespace: z.string().optional().describe("Namespace to put all objects in, whatever the files say."),
  timeout: duration.optional().describe("Longest time applying and waiting may take; interval when empty."),
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

export const syncStatusSchema = z.strictObject({
  conditions: z.array(conditionSchema).optional().describe("Ready, Reconciling and Stalled."),
  inventory: inventorySchema.optional().describe("Objects applied from the source, that pruning may delete."),
  lastAppliedObjects: int32.optional().describe("How many objects the last revision had that was applied whole."),
  lastAppliedRevision: z.string().optional().describe("Last revision that was applied whole."),
  lastAttemptedRevision: z.string().optional().describe("Last revision that was tried."),
  lastHandledReconcileAt: z.string().optional().describe("Last request by annotation that was dealt with."),
  observedGeneration: int64.optional().describe("Generation that was dealt with."),
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
