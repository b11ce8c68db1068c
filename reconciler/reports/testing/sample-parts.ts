// Parts of which sample reports are made, with few words.
import type {
  ClusterRow,
  CopyGroup,
  DiffLine,
  LineWriter,
  ManifestDiff,
  ObjectReport,
  PlanReport,
  ReportedObject,
} from "../../../api/plan-report.ts";
import { PLAN_REPORT_VERSION } from "../../../api/plan-report.ts";

export const HEAD_COMMIT = "3f9c2ab41d0e7b5c8a6f9e2d1c0b7a6958473625";
export const BASE_COMMIT = "81d0e4402b6c8d1f3a5e7c9b0d2f4a6c8e0b1d3f";
export const RENDER_HASH = "9c1f7e02b4d8a6530f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778";

/** A report of no change, with what is given put in its place. */
export function sampleReport(given: Partial<PlanReport>): PlanReport {
  return {
    schema: PLAN_REPORT_VERSION,
    valid: true,
    changes: true,
    state: "changes",
    verdict: "Nothing changes.",
    subject: {
      repository: "https://git.example/shop/deploy.git",
      path: "apps/shop",
      syncs: ["shop/apps"],
      base: { name: "main", commit: BASE_COMMIT },
      head: { name: "two-regions", commit: HEAD_COMMIT },
      fleet: { from: "live", clusters: given.clusters?.length ?? 3 },
    },
    renderHash: RENDER_HASH,
    movedReplicas: 0,
    clusters: [clusterRow("tokyo-1"), clusterRow("paris-1"), clusterRow("paris-2")],
    objects: [],
    problems: [],
    unknown: [],
    drift: [],
    findings: [],
    whatIf: [],
    made: { at: "2026-11-29T09:30:00Z", tookMs: 412, version: "0.1.0" },
    ...given,
  };
}

/** A cluster where nothing happens, with what is given put in its place. */
export function clusterRow(cluster: string, given: Partial<ClusterRow> = {}): ClusterRow {
  return { cluster, created: 0, changed: 0, deleted: 0, replicasBefore: 0, replicasAfter: 0, drift: 0, ...given };
}

/** `apps/v1 Deployment shop/web` as an object. */
export function objectOf(text: string): ReportedObject {
  const [apiVersion = "", kind = "", path = ""] = text.split(" ");
  const [namespace, name] = path.includes("/") ? path.split("/") : [undefined, path];
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name: name ?? "" };
}

/**
 * A diff of one hunk from its lines as a diff prints them; `+image: x ‹1` names the writer of a line by its number in
 * `writers`, from 1.
 */
export function diffOf(text: string, writers: readonly LineWriter[] = [], start = 1): ManifestDiff {
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): DiffLine => {
      const [, sign = " ", content = "", writer] = /^([ +-])(.*?)(?: ‹(\d+))?$/.exec(line) ?? [];
      const op = sign === "+" || sign === "-" ? sign : " ";
      return { op, text: content, ...(writer === undefined ? {} : { writer: Number(writer) - 1 }) };
    });
  const added = lines.filter(({ op }) => op === "+").length;
  const removed = lines.filter(({ op }) => op === "-").length;
  const before = removed + lines.length - added - removed === 0 ? 0 : start;
  const after = added + lines.length - added - removed === 0 ? 0 : start;
  return { hunks: [{ before, after, lines }], writers: [...writers], added, removed };
}

/** Copies that change alike. */
export function copies(
  clusters: readonly string[],
  diff: ManifestDiff | undefined,
  rest: Partial<CopyGroup> = {},
): CopyGroup {
  return { clusters: [...clusters], change: "changed", fields: [], ...(diff === undefined ? {} : { diff }), ...rest };
}

/** An object that changes. */
export function changed(object: ReportedObject, given: Partial<ObjectReport> = {}): ObjectReport {
  return { object, change: "changed", fields: [], copies: [], ...given };
}

/** `edge-001`, `edge-002` and so on. */
export function clusterNames(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}-${String(at + 1).padStart(3, "0")}`);
}

// What most samples are about.
export const WEB = objectOf("apps/v1 Deployment shop/web");
export const CART = objectOf("apps/v1 Deployment shop/cart");
export const POLICY = objectOf("policy.karmada.io/v1alpha1 PropagationPolicy shop/two-regions");

export const WEIGHTS: LineWriter = {
  what: "scheduler",
  name: "weights of policy shop/two-regions",
  place: { file: "deploy/policies.yaml", line: 14 },
};
