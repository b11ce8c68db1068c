// Trace files: one decision with all it depended on, to keep, to send to somebody, and to decide again.

import { hash } from "node:crypto";
import type { Cluster } from "../../../api/cluster.ts";
import type { ResourceBindingSpec } from "../../../api/work.ts";
import { isObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Binding } from "../occasion.ts";
import type { RecordedDecision } from "./recorded-decision.ts";

export const TRACE_KIND = "SchedulingTrace";
/** The newest form that this program reads, and the one it writes. */
export const TRACE_VERSION = 1;

/** Where the inputs of a trace come from. */
export type TraceSource =
  /** What the scheduler saw, true to the last field that it looks at. */
  | "fleet"
  /** The record stored with the binding: clusters are reduced to what this placement looks at. */
  | "record"
  /** Decided just now, over the present state. */
  | "present";

export interface TraceFile {
  readonly kind: typeof TRACE_KIND;
  readonly version: number;
  readonly source: TraceSource;
  /** The binding that was decided about. */
  readonly binding: { readonly kind: string; readonly namespace?: string; readonly name: string };
  readonly decision: RecordedDecision;
  /** SHA-256 over all of the above, so that a file that was changed is known. */
  readonly digest: string;
}

/** The trace as the text of a file: JSON, indented, keys in a fixed order. */
export function formatTrace(decision: RecordedDecision, binding: Binding, source: TraceSource): string {
  const { namespace, name = "" } = binding.metadata;
  const content = {
    kind: TRACE_KIND,
    version: TRACE_VERSION,
    source,
    binding: { kind: binding.kind, ...(namespace === undefined ? {} : { namespace }), name },
    decision: { ...decision, spec: trimSpec(decision.spec), clusters: decision.clusters.map(trimCluster) },
  } as const;
  return `${JSON.stringify({ ...content, digest: digestOf(content) }, undefined, 1)}\n`;
}

/** Reads a trace file. Throws `trace-broken` or `trace-newer`, with what is wrong and where. `name` is that of the file. */
export function parseTrace(text: string, name: string): TraceFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const where = error instanceof Error ? error.message : String(error);
    throw broken(name, `it is not JSON, or was cut off (${where})`);
  }
  if (!isObject(value) || value["kind"] !== TRACE_KIND)
    throw broken(
      name,
      `it is no trace: field kind should be ${TRACE_KIND}, it is ${show(isObject(value) ? value["kind"] : value)}`,
    );
  const { version } = value;
  if (!Number.isInteger(version) || (version as number) < 1)
    throw broken(name, `field version should be a whole number, it is ${show(version)}`);
  if ((version as number) > TRACE_VERSION) {
    throw new AppError(
      "trace-newer",
      `${name} is a trace of version ${version}; this program reads up to version ${TRACE_VERSION}: replay it with the version of flaghoist that wrote it`,
      { recovery: "stall" },
    );
  }
  const problem = findProblem(value);
  if (problem !== undefined) throw broken(name, problem);
  const { digest, ...content } = value;
  if (digest !== digestOf(content)) {
    throw broken(
      name,
      "its digest does not fit its content, so that it was changed after it was written; to try changes use --set, --without or --replicas",
    );
  }
  // Its shape was checked above, and that it is what we wrote by its digest.
  return value as unknown as TraceFile;
}

/** The first field that is not as it should be. */
function findProblem(value: Readonly<Record<string, unknown>>): string | undefined {
  const { binding, decision } = value;
  if (!isObject(binding) || typeof binding["name"] !== "string") return "field binding should name a binding";
  if (!isObject(decision)) return "field decision is missing";
  const { spec, status, clusters, options, answer } = decision;
  if (typeof decision["decidedAt"] !== "string") return "field decision.decidedAt should be a time";
  if (!isObject(spec) || !isObject(spec["resource"])) return "field decision.spec should be the spec of a binding";
  if (!isObject(spec["placement"])) return "field decision.spec.placement is missing";
  if (!isObject(status)) return "field decision.status should be an object";
  if (!isObject(options)) return "field decision.options should be an object";
  if (!Array.isArray(clusters)) return "field decision.clusters should be a list";
  const odd = clusters.findIndex(
    (cluster) => !isObject(cluster) || !isObject(cluster["metadata"]) || !isObject(cluster["spec"]),
  );
  if (odd >= 0) return `field decision.clusters[${odd}] should be a Cluster`;
  if (!isObject(answer) || !Array.isArray(answer["failedGroups"])) return "field decision.answer should be an answer";
  return undefined;
}

function broken(name: string, problem: string): AppError {
  return new AppError("trace-broken", `${name} cannot be replayed: ${problem}`, { recovery: "stall" });
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}

function digestOf(content: unknown): string {
  return `sha256:${hash("sha256", JSON.stringify(content), "hex")}`;
}

/** The fields of a binding's spec that scheduling reads: nothing of the object itself, which may be anything. */
function trimSpec(spec: ResourceBindingSpec): ResourceBindingSpec {
  const {
    resource,
    placement,
    replicas,
    replicaRequirements,
    components,
    clusters,
    gracefulEvictionTasks,
    rescheduleTriggeredAt,
    workloadAffinityGroups,
  } = spec;
  const { resourceVersion: _version, ...ref } = resource;
  return {
    resource: ref,
    ...(placement === undefined ? {} : { placement }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(replicaRequirements === undefined ? {} : { replicaRequirements }),
    ...(components === undefined ? {} : { components }),
    ...(clusters === undefined ? {} : { clusters }),
    ...(gracefulEvictionTasks === undefined ? {} : { gracefulEvictionTasks }),
    ...(rescheduleTriggeredAt === undefined ? {} : { rescheduleTriggeredAt }),
    ...(workloadAffinityGroups === undefined ? {} : { workloadAffinityGroups }),
  };
}

/** What scheduling reads of a cluster; no address, no reference to a Secret, no annotation. */
export function trimCluster({ metadata, spec, status }: Cluster): Cluster {
  const { name = "", labels, generation, deletionTimestamp } = metadata;
  const { syncMode, provider, region, zone, zones, taints, resourceModels } = spec;
  const complete = status?.conditions?.filter(({ type }) => type === "CompleteAPIEnablements" || type === "Ready");
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(generation === undefined ? {} : { generation }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: {
      syncMode,
      ...(provider === undefined ? {} : { provider }),
      ...(region === undefined ? {} : { region }),
      ...(zone === undefined ? {} : { zone }),
      ...(zones === undefined ? {} : { zones }),
      ...(taints === undefined ? {} : { taints }),
      ...(resourceModels === undefined ? {} : { resourceModels }),
    },
    ...(status === undefined
      ? {}
      : {
          status: {
            ...(status.apiEnablements === undefined ? {} : { apiEnablements: status.apiEnablements }),
            ...(status.resourceSummary === undefined ? {} : { resourceSummary: status.resourceSummary }),
            ...(complete === undefined || complete.length === 0 ? {} : { conditions: complete }),
          },
        }),
  };
}
