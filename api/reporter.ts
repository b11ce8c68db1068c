// gitops.flaghoist.io/v1alpha1 Reporter: what is said about a repository at its Git host: plans in pull requests, what
// people may ask for in comments, and a report of drift on a schedule. References are named as in Flux' Provider and Receiver.
import { z } from "zod";
import { duration, localObjectReferenceSchema, sourceReferenceSchema } from "./gitops.ts";
import { conditionSchema, int32, int64, objectMeta, time } from "./schema.ts";

export const DEFAULT_REPORTER_INTERVAL = "5m";
export const DEFAULT_PLAN_TIMEOUT = "2m";
export const DEFAULT_PLAN_MEMORY = "2Gi";
export const DEFAULT_DRIFT_MINIMUM_AGE = "10m";

const most = 100;
const names = z.array(z.string().min(1).max(255)).max(most);
const permission = z.enum(["read", "write", "maintain", "admin"]);

export const reporterLimitsSchema = z.strictObject({
  memory: z
    .string()
    .regex(/^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$/, "must be an amount of memory such as 512Mi or 2Gi")
    .meta({ default: DEFAULT_PLAN_MEMORY })
    .optional()
    .describe("Most memory that the program of one plan may take, as a quantity such as 2Gi."),
  timeout: duration.meta({ default: DEFAULT_PLAN_TIMEOUT }).optional().describe("Longest time one plan may take."),
});
export type ReporterLimits = z.infer<typeof reporterLimitsSchema>;

export const reporterPullRequestsSchema = z.strictObject({
  branches: names
    .optional()
    .describe(
      "Base branches whose pull requests are planned, with * for anything; the branch of the source when empty.",
    ),
  check: z
    .boolean()
    .meta({ default: true })
    .optional()
    .describe("Also publishes a check or status of the head, with remarks on the lines concerned."),
  drafts: z.boolean().meta({ default: true }).optional().describe("Also plans drafts."),
  drift: z.boolean().meta({ default: true }).optional().describe("Asks the clusters about drift of what would change."),
  forks: z
    .enum(["ask", "plan", "ignore"])
    .meta({ default: "ask" })
    .optional()
    .describe(
      "What to do about pull requests from other repositories. ask: plan a head once somebody permitted asks for it by comment. plan: as any other. ignore: nothing.",
    ),
  labels: names.optional().describe("Only pull requests with one of these labels; all when empty."),
  limits: reporterLimitsSchema.optional().describe("What one plan may take."),
  liveValues: z
    .enum(["show", "hide"])
    .meta({ default: "show" })
    .optional()
    .describe(
      "hide: what clusters have, and who changed it there, is not told, only that it differs. For repositories that anybody can read.",
    ),
});
export type ReporterPullRequests = z.infer<typeof reporterPullRequestsSchema>;

export const reporterCommandsSchema = z.strictObject({
  approve: permission
    .meta({ default: "maintain" })
    .optional()
    .describe("What somebody must be permitted in the repository to approve a plan."),
  permission: permission
    .meta({ default: "write" })
    .optional()
    .describe("What somebody must be permitted in the repository for every other command."),
  selfApproval: z.boolean().optional().describe("Authors may approve the plans of their own pull requests."),
});
export type ReporterCommands = z.infer<typeof reporterCommandsSchema>;

export const reporterDriftSchema = z.strictObject({
  interval: duration.optional().describe("How often drift is reported; 1h when schedule is empty too."),
  liveValues: z
    .enum(["show", "hide"])
    .meta({ default: "show" })
    .optional()
    .describe("hide: what clusters have, and who changed it there, is not told, only that it differs."),
  minimumAge: duration
    .meta({ default: DEFAULT_DRIFT_MINIMUM_AGE })
    .optional()
    .describe("Drift that was seen first less than this ago is left to be mended."),
  pullRequest: int32
    .optional()
    .describe("Pull request to comment in, for hosts without issues; an issue of the repository when empty."),
  schedule: z
    .string()
    .optional()
    .describe("Times at which drift is reported, as a cron expression; beside interval or in its place."),
  timeZone: z.string().optional().describe("Time zone of schedule, such as Europe/Paris; UTC when empty."),
});
export type ReporterDrift = z.infer<typeof reporterDriftSchema>;

export const reporterWebhookSchema = z.strictObject({
  secretRef: localObjectReferenceSchema.describe(
    "Secret whose token the host signs or sends its deliveries with; while it is changed, previousToken counts as well.",
  ),
});

export const reporterSpecSchema = z.strictObject({
  commands: reporterCommandsSchema
    .optional()
    .describe("Listens to comments such as /flaghoist plan; nobody is listened to when this is empty."),
  drift: reporterDriftSchema.optional().describe("Reports drift; nothing is reported when this is empty."),
  interval: duration
    .meta({ default: DEFAULT_REPORTER_INTERVAL })
    .optional()
    .describe("How often the host is asked for pull requests and comments, beside what webhooks tell."),
  path: z.string().optional().describe("Folder of the repository that is planned; its root when empty."),
  provider: z
    .enum(["github", "gitlab", "gitea", "forgejo", "bitbucket-cloud", "bitbucket-data-center", "azure-devops"])
    .optional()
    .describe("What the repository is hosted by; told by its address when empty."),
  providerUrl: z
    .string()
    .optional()
    .describe("Where the host is installed, when that is not the root of the repository's server."),
  pullRequests: reporterPullRequestsSchema
    .optional()
    .describe("Plans pull requests; none is planned when this is empty."),
  secretRef: localObjectReferenceSchema.describe(
    "Secret with credentials for the host: token, or username and password, or githubAppID and githubAppPrivateKey; ca.crt where its certificate is signed by another authority.",
  ),
  sourceRef: sourceReferenceSchema.describe("Source that follows the repository."),
  suspend: z.boolean().optional().describe("Says and does nothing until this is lifted."),
  user: z.string().optional().describe("Whose credentials these are, where the host does not tell."),
  webhook: reporterWebhookSchema
    .optional()
    .describe("Takes deliveries of the host's webhooks at the path that status.webhookPath says."),
});
export type ReporterSpec = z.infer<typeof reporterSpecSchema>;

export const renderedSyncSchema = z.strictObject({
  before: z.string().optional().describe("Digest of what it would apply without the change."),
  digest: z.string().describe("Digest of what the Sync would apply."),
  name: z.string().describe("Name of the Sync."),
  namespace: z.string().describe("Namespace of the Sync."),
});
export type RenderedSync = z.infer<typeof renderedSyncSchema>;

export const planApprovalSchema = z.strictObject({
  at: time.describe("When it was given."),
  by: z.string().describe("Who gave it, as the host calls them."),
  comment: z.string().optional().describe("The comment it was given in."),
  head: z.string().describe("Commit that was planned."),
  pullRequest: int32.describe("Number of the pull request."),
  renderHash: z.string().describe("Hash of what was rendered: it is approved, and nothing else."),
  spent: z
    .array(z.string())
    .optional()
    .describe("Syncs, as namespace/name, that came to what was approved: it lets nothing more be deleted there."),
  syncs: z.array(renderedSyncSchema).optional().describe("What each Sync that is concerned would apply."),
});
export type PlanApproval = z.infer<typeof planApprovalSchema>;

export const reportedPullRequestSchema = z.strictObject({
  base: z.string().optional().describe("Commit that the head is compared with."),
  baseBranch: z.string().optional().describe("Branch that it is to be merged into."),
  commandsUntil: time.optional().describe("Comments up to this time are dealt with."),
  handledCommands: z.array(z.string()).optional().describe("Comments of that time and later that are dealt with."),
  head: z.string().describe("Commit that this is about."),
  message: z.string().optional().describe("Verdict of the plan, or why there is none."),
  number: int32.describe("Number of the pull request."),
  plannedAt: time.optional().describe("When the plan was made."),
  renderHash: z.string().optional().describe("Hash of what was rendered."),
  requestedBy: z.string().optional().describe("Who asked for a plan of this head, where it waited for that."),
  shownSince: time.optional().describe("Since when the comment shows this hash."),
  state: z.enum(["Planned", "Waiting", "Skipped", "Failed"]).describe("What became of this head."),
  syncs: z.array(renderedSyncSchema).optional().describe("What each Sync that is concerned would apply."),
  url: z.string().optional().describe("The comment, for a browser."),
});
export type ReportedPullRequest = z.infer<typeof reportedPullRequestSchema>;

export const driftReportStatusSchema = z.strictObject({
  fields: int32.describe("How many fields differed."),
  lastReportedAt: time.describe("When it was looked at."),
  number: int32.optional().describe("Number of the issue or pull request."),
  objects: int32.describe("How many objects differed."),
  url: z.string().optional().describe("The report, for a browser."),
});
export type DriftReportStatus = z.infer<typeof driftReportStatusSchema>;

export const reporterStatusSchema = z.strictObject({
  approvals: z.array(planApprovalSchema).optional().describe("The last approvals, newest first."),
  conditions: z.array(conditionSchema).optional().describe("Ready, Reconciling and Stalled."),
  drift: driftReportStatusSchema.optional().describe("The last report of drift."),
  lastHandledReconcileAt: z.string().optional().describe("Last request by annotation that was dealt with."),
  lastPolledAt: time.optional().describe("When the host was last asked for everything."),
  observedGeneration: int64.optional().describe("Generation that was dealt with."),
  pullRequests: z.array(reportedPullRequestSchema).optional().describe("Open pull requests, newest first."),
  webhookPath: z.string().optional().describe("Where deliveries of webhooks are taken."),
});
export type ReporterStatus = z.infer<typeof reporterStatusSchema>;

export const reporterSchema = z
  .strictObject({
    apiVersion: z.string(),
    kind: z.literal("Reporter"),
    metadata: objectMeta,
    spec: reporterSpecSchema.describe("What to say, and where."),
    status: reporterStatusSchema.optional().describe("What was said."),
  })
  .describe("Says at a repository's host what pull requests would do and what has drifted, and takes commands there.");
export type Reporter = z.infer<typeof reporterSchema>;
