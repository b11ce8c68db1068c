// config.flaghoist.io/v1alpha1: what may go wrong in a simulated fleet, as scenario files, the command line and the
// management API write it. What a fault does is in `fleets/simulator/faults`; what excludes what, in
// `fleet-fault-contradictions.ts`.
import { z } from "zod";
import { stringifyJson } from "../kube/json.ts";
import { isObject } from "../kube/object.ts";
import { isDuration, parseDuration } from "../runtime/duration.ts";
import { nearest } from "./nearest.ts";
import { quantity } from "./schema.ts";
import { type SchemaProblem, schemaProblems } from "./schema-problems.ts";

/** A hundred years: with more, times leave what RFC 3339 can say. */
const LONGEST = "876000h";
const LONGEST_MS = parseDuration(LONGEST);

function isBearable(text: string): boolean {
  return isDuration(text) && Math.abs(parseDuration(text)) <= LONGEST_MS;
}

const DURATION = "(?:0|(?:[0-9]{1,9}(?:\\.[0-9]{1,9})?(?:ms|s|m|h))+)";

/** A length of time: `300ms`, `30s`, `1h30m`. */
export const faultDuration = z
  .string()
  .regex(new RegExp(`^${DURATION}$`), { abort: true, error: "must be a duration such as 300ms, 30s or 1h30m" })
  .refine(isBearable, `must be a duration of at most ${LONGEST}`);

/** As `faultDuration`, possibly with a minus. */
const signedDuration = z
  .string()
  .regex(new RegExp(`^[+-]?${DURATION}$`), {
    abort: true,
    error: "must be a duration such as 90s, or -90s for a clock that is behind",
  })
  .refine(isBearable, `must be a duration of at most ${LONGEST}`);

const pattern = z.string().min(1);
const percent = z.int().min(1).max(100);

/** Where a fault strikes. Everything that is said must hold; something has to be said. */
export const faultTargetSchema = z.strictObject({
  clusters: z.array(pattern).min(1).optional().describe("Names of clusters; * stands for any letters."),
  region: z.string().min(1).optional().describe("Clusters of this region."),
  provider: z.string().min(1).optional().describe("Clusters of this provider."),
  zone: z.string().min(1).optional().describe("Clusters with nodes in this zone; of faults of nodes, the nodes there."),
  labels: z.record(z.string(), z.string()).optional().describe("Clusters with these labels."),
});
/** Which clusters a fault is about. */
export type FaultTarget = z.infer<typeof faultTargetSchema>;

const nodeTargetSchema = faultTargetSchema.extend({
  nodes: z.array(pattern).min(1).optional().describe("Names of nodes; * stands for any letters. All when absent."),
});
/** Which nodes a fault is about. */
export type NodeTarget = z.infer<typeof nodeTargetSchema>;

/**
 * Who talks to a cluster: `control-plane` (Flaghoist, Karmada), `agents` (what runs in the cluster for a control plane),
 * `users` (everybody else from outside), `nodes` (kubelets), or `cluster:NAME` (whoever comes from another cluster of the
 * fleet; * stands for any letters).
 */
const partySchema = z
  .string()
  .regex(
    /^(?:control-plane|users|agents|nodes|cluster:[a-z0-9.*-]+)$/,
    "must be control-plane, users, agents, nodes or cluster:NAME",
  );
/** Who talks to a cluster. */
export type Party = z.infer<typeof partySchema>;

/** When a fault strikes, and for how long. */
const timing = {
  name: z.string().min(1).max(63).optional().describe("Names the fault, in messages and for ending it."),
  at: faultDuration.optional().describe("How long after the start; at once when absent."),
  for: faultDuration.optional().describe("How long it lasts; until it is ended when absent."),
  every: faultDuration.optional().describe("Strikes again so long after each beginning. Needs for."),
  times: z.int().min(1).max(100_000).optional().describe("How often it strikes in all; without end when absent."),
  jitter: faultDuration.optional().describe("Each beginning comes up to so much later, by the fleet's chance."),
};

/** When something happens that is over at once. */
const moment = { name: timing.name, at: timing.at };

const target = faultTargetSchema.describe("The clusters.");
const nodeTarget = nodeTargetSchema.describe("The clusters and their nodes.");
const callers = z
  .array(partySchema)
  .min(1)
  .optional()
  .describe("Whose requests meet it; when absent, those of everybody outside the cluster.");

/** How much longer answers take: one of three forms. */
export const latencySchema = z.strictObject({
  fixed: faultDuration.optional().describe("Always this."),
  min: faultDuration.optional().describe("Anything from here to max, equally likely."),
  max: faultDuration.optional().describe("Goes with min."),
  p50: faultDuration.optional().describe("Half of the requests take less (a log-normal distribution, with p99)."),
  p99: faultDuration.optional().describe("One in a hundred takes longer. Goes with p50."),
});
/** How much longer answers take. */
export type Latency = z.infer<typeof latencySchema>;

const schemas = {
  down: z
    .strictObject({ type: z.literal("down"), target, ...timing, callers })
    .describe("The API refuses connections; open ones are cut. Inside the cluster everything goes on."),
  hang: z
    .strictObject({ type: z.literal("hang"), target, ...timing, callers })
    .describe("The API takes connections and never answers."),
  slow: z
    .strictObject({
      type: z.literal("slow"),
      target,
      ...timing,
      callers,
      latency: latencySchema.optional().describe("How much longer each answer takes; 2s when absent."),
    })
    .describe("The API answers late."),
  errors: z
    .strictObject({
      type: z.literal("errors"),
      target,
      ...timing,
      callers,
      percent: percent.optional().describe("Of a hundred requests, how many fail; 100 when absent."),
      status: z.int().min(500).max(599).optional().describe("The status they fail with; 500 when absent."),
    })
    .describe("A part of the requests fails with a 5xx."),
  throttle: z
    .strictObject({
      type: z.literal("throttle"),
      target,
      ...timing,
      callers,
      percent: percent.optional().describe("Of a hundred requests, how many are sent away; 100 when absent."),
      retryAfter: faultDuration.optional().describe("What Retry-After says, in whole seconds; 1s when absent."),
    })
    .describe("A part of the requests is answered 429 with Retry-After."),
  unhealthy: z
    .strictObject({
      type: z.literal("unhealthy"),
      target,
      ...timing,
      check: z.string().min(1).optional().describe("The check that fails; etcd when absent."),
    })
    .describe("/readyz and /healthz fail; everything else works."),
  "expired-credentials": z
    .strictObject({ type: z.literal("expired-credentials"), target, ...timing, callers })
    .describe("Credentials no longer hold: requests are answered 401."),
  "watch-drop": z
    .strictObject({
      type: z.literal("watch-drop"),
      target,
      ...timing,
      callers,
      interval: faultDuration.optional().describe("A watch lasts about so long; 30s when absent."),
      ending: z
        .enum(["reset", "end", "expired"])
        .optional()
        .describe("A cut connection (default), a clean end, or 410 Expired, upon which clients list again."),
    })
    .describe("Watches do not last."),
  "api-group-missing": z
    .strictObject({
      type: z.literal("api-group-missing"),
      target,
      ...timing,
      group: z.string().min(1).describe("The group, such as apps. The core group cannot go missing."),
      version: z.string().min(1).optional().describe("Only this version of it."),
    })
    .describe("An API group is neither in discovery nor served: its paths answer 404."),
  "clock-skew": z
    .strictObject({
      type: z.literal("clock-skew"),
      target,
      ...timing,
      by: signedDuration.describe("How far the control plane's clock is ahead; with a minus, behind."),
    })
    .describe("The clock of the cluster's server and controllers is wrong. Nodes keep the right time."),
  "revision-reset": z
    .strictObject({ type: z.literal("revision-reset"), target, ...moment })
    .describe("Revisions begin anew from a low number, as after a restore of etcd without a bump. Watches end."),
  backup: z
    .strictObject({ type: z.literal("backup"), target, ...moment })
    .describe("Takes a backup of the cluster's store, under the name of this entry, for restore."),
  restore: z
    .strictObject({
      type: z.literal("restore"),
      target,
      ...moment,
      backup: z.string().min(1).optional().describe("Name of the backup; the latest one when absent."),
    })
    .describe("The store and its revisions go back to a backup. Watches end, controllers start anew."),
  "node-down": z
    .strictObject({
      type: z.literal("node-down"),
      target: nodeTarget,
      ...timing,
      count: z.int().min(1).optional().describe("So many of the nodes, by the fleet's chance; all when absent."),
    })
    .describe("Nodes are lost: no lease, no status, nothing starts or stops there."),
  "capacity-shrink": z
    .strictObject({
      type: z.literal("capacity-shrink"),
      target: nodeTarget,
      ...timing,
      by: z
        .record(z.string().min(1), z.union([z.string().regex(/^[0-9]{1,3}%$/), quantity]))
        .describe("What each node loses of a resource: a quantity, or a share such as 50%."),
    })
    .describe("Nodes have less to give. Pods that run stay where they are."),
  "slow-disk": z
    .strictObject({
      type: z.literal("slow-disk"),
      target: nodeTarget,
      ...timing,
      factor: z.int().min(2).max(10_000).describe("So many times slower are pulls and starts of containers."),
    })
    .describe("Disks are slow."),
  "crash-loop": z
    .strictObject({
      type: z.literal("crash-loop"),
      target,
      ...timing,
      images: z.array(pattern).min(1).describe("Images; * stands for any letters."),
    })
    .describe("Containers of these images end with an error as soon as they start."),
  "image-pull-failure": z
    .strictObject({
      type: z.literal("image-pull-failure"),
      target,
      ...timing,
      images: z.array(pattern).min(1).describe("Images; * stands for any letters."),
    })
    .describe("These images cannot be pulled. What runs goes on."),
  partition: z
    .strictObject({
      type: z.literal("partition"),
      target: nodeTargetSchema.describe("The clusters that cannot be reached; with nodes, which kubelets are cut off."),
      ...timing,
      from: z.array(partySchema).min(1).describe("Who cannot reach them, nor be reached from there."),
      mode: z
        .enum(["drop", "reject"])
        .optional()
        .describe("Whether packets vanish, so that requests hang (default), or connections are refused."),
    })
    .describe("The network between parties is cut. Without nodes, leases stop and nodes become Unknown."),
  outage: z
    .strictObject({ type: z.literal("outage"), target, ...timing })
    .describe(
      "A region, provider, zone or cluster is without power: the API is away, controllers and nodes stand still. Of a zone, the nodes in it, and clusters that are nowhere else.",
    ),
  upgrade: z
    .strictObject({
      type: z.literal("upgrade"),
      target,
      ...moment,
      to: z
        .string()
        .regex(/^v1\.[0-9]{1,3}\.[0-9]{1,3}$/, "must be a version such as v1.37.0")
        .describe("The new version."),
      nodePause: faultDuration
        .optional()
        .describe("From an empty node to its return with the new version; 60s if absent."),
      drainTimeout: faultDuration
        .optional()
        .describe("How long evictions are tried before Pods are deleted; 10m when absent."),
      maxUnavailable: z.int().min(1).optional().describe("So many nodes at a time; 1 when absent."),
    })
    .describe("A rolling upgrade: first the server, then node by node cordon, drain, new version, uncordon."),
} as const;

/** The names of faults. */
export type FaultType = keyof typeof schemas;
/** All types, in the order of their documentation. */
export const FAULT_TYPES = Object.keys(schemas) as readonly FaultType[];

/** The fields of each type. */
export const FAULT_SCHEMAS: Readonly<Record<FaultType, z.ZodObject>> = schemas;

/** A fault of any type. */
export const faultSchema = z
  .discriminatedUnion("type", [
    schemas.down,
    schemas.hang,
    schemas.slow,
    schemas.errors,
    schemas.throttle,
    schemas.unhealthy,
    schemas["expired-credentials"],
    schemas["watch-drop"],
    schemas["api-group-missing"],
    schemas["clock-skew"],
    schemas["revision-reset"],
    schemas.backup,
    schemas.restore,
    schemas["node-down"],
    schemas["capacity-shrink"],
    schemas["slow-disk"],
    schemas["crash-loop"],
    schemas["image-pull-failure"],
    schemas.partition,
    schemas.outage,
    schemas.upgrade,
  ])
  .describe("Something that goes wrong in the fleet.");
/** A fault of any type, checked. */
export type Fault = z.infer<typeof faultSchema>;
/** The faults of one type. */
export type FaultOf<T extends FaultType> = Extract<Fault, { type: T }>;

/** What is wrong with a fault as a file or a request gives it, by field; empty when it is a `Fault`. */
export function faultProblems(value: unknown): readonly SchemaProblem[] {
  if (!isObject(value)) return [{ field: "", words: "must be an object with a type and a target" }];
  const { type } = value;
  if (type === undefined) return [{ field: "type", words: `is required; choose ${FAULT_TYPES.join(", ")}` }];
  const known = FAULT_TYPES.find((each) => each === type);
  if (known === undefined) {
    const meant = typeof type === "string" ? nearest(type, FAULT_TYPES) : undefined;
    const hint = meant === undefined ? `; choose ${FAULT_TYPES.join(", ")}` : `. Did you mean ${meant}?`;
    return [{ field: "type", words: `there is no fault ${stringifyJson(type)}${hint}` }];
  }
  const problems = schemaProblems(FAULT_SCHEMAS[known], value);
  // The schema has just said that it is one.
  return problems.length > 0 ? problems : sensibleProblems(value as Fault);
}

/** What a schema cannot say. */
function sensibleProblems(fault: Fault): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  if (Object.values(fault.target).every((each) => each === undefined || Object.keys(each).length === 0))
    problems.push({ field: "target", words: 'says nothing; for all clusters write clusters: ["*"]' });
  if ("for" in fault || "every" in fault || "times" in fault) problems.push(...timingProblems(fault));
  if (fault.type === "slow" && fault.latency !== undefined) problems.push(...latencyProblems(fault.latency));
  if (fault.type === "partition" && fault.target.nodes !== undefined && !fault.from.includes("nodes"))
    problems.push({ field: "target.nodes", words: "is only for partitions from nodes" });
  if (fault.type === "capacity-shrink" && Object.keys(fault.by).length === 0)
    problems.push({ field: "by", words: "must not be empty" });
  return problems;
}

type Timing = Pick<FaultOf<"down">, "for" | "every" | "times" | "jitter">;

function timingProblems({ for: lasting, every, times, jitter }: Timing): SchemaProblem[] {
  if (every === undefined)
    return [
      ...(times === undefined ? [] : [{ field: "every", words: "is required with times" }]),
      ...(lasting !== undefined && parseDuration(lasting) === 0
        ? [{ field: "for", words: "must be more than 0" }]
        : []),
    ];
  if (lasting === undefined) return [{ field: "for", words: "is required with every" }];
  if (parseDuration(lasting) === 0) return [{ field: "for", words: "must be more than 0" }];
  const longest = parseDuration(lasting) + (jitter === undefined ? 0 : parseDuration(jitter));
  const what = jitter === undefined ? "for" : "for and jitter together";
  return parseDuration(every) > longest ? [] : [{ field: "every", words: `must be longer than ${what}` }];
}

function latencyProblems({ fixed, min, max, p50, p99 }: Latency): SchemaProblem[] {
  const forms = [[fixed], [min, max], [p50, p99]].filter((form) => form.some((each) => each !== undefined));
  const [form] = forms;
  if (forms.length !== 1 || form === undefined || form.includes(undefined))
    return [{ field: "latency", words: "takes fixed, or min and max, or p50 and p99" }];
  const [less = "0", more = less] = form;
  return parseDuration(less) <= parseDuration(more)
    ? []
    : [{ field: "latency", words: `${less} is more than ${more}` }];
}
