// A report that no provider's comment can hold.
import type { ObjectReport, PlanReport } from "../../../api/plan-report.ts";
import { changed, clusterNames, clusterRow, copies, diffOf, objectOf, sampleReport } from "./sample-parts.ts";

/** A thousand objects that change on a hundred clusters, in two ways each, with findings, drift and losses. */
export function hugeReport({ objects: many = 1000, clusters: fleet = 100 } = {}): PlanReport {
  const clusters = clusterNames("cluster", fleet);
  const half = Math.floor(fleet / 2);
  const objects = Array.from({ length: many }, (_, at) =>
    hugeObject(at, clusters.slice(0, half), clusters.slice(half)),
  );
  return sampleReport({
    verdict: `${many} objects change in ${fleet} of ${fleet} clusters, ${many} replicas move, nothing is deleted.`,
    movedReplicas: many,
    clusters: clusters.map((cluster, at) =>
      clusterRow(cluster, {
        region: `region-${at % 10}`,
        changed: many,
        replicasBefore: 3 * many,
        replicasAfter: 3 * many + (at < half ? 1 : -1),
        drift: at % 7,
      }),
    ),
    objects,
    findings: objects.slice(0, Math.ceil(many / 10)).map(({ object, place }, at) => ({
      rule: "disruption-budget",
      severity: (["error", "warning", "notice"] as const)[at % 3] ?? "notice",
      object,
      ...(place === undefined ? {} : { place }),
      message: `moving ${at + 1} replicas at once leaves less than the PodDisruptionBudget wants`,
      advice: "lower maxUnavailable of the rollout",
    })),
    drift: objects.slice(0, Math.ceil(many / 10)).map(({ object }) => ({
      object,
      path: "spec.replicas",
      base: 3,
      head: 4,
      live: 5,
      outcome: "overwritten" as const,
      manager: "kubectl-scale",
      since: "2026-11-28T09:30:00Z",
      clusters: clusters.slice(0, 12),
    })),
    whatIf: clusters.slice(0, 20).map((cluster, at) => ({
      loss: { what: "cluster" as const, name: cluster, clusters: [cluster] },
      objects: objects.slice(0, 10).map(({ object }) => ({
        object,
        minimum: 2,
        before: { placed: 6, kept: 4, recovered: 6 },
        after: { placed: 6, kept: at % 3, recovered: 6 },
        outcome: at % 3 === 2 ? ("survives" as const) : ("recovers" as const),
        comparison: "worse" as const,
      })),
    })),
    tests: Array.from({ length: 200 }, (_, at) => ({
      name: `app-${at} never below 2 replicas with any one region lost`,
      place: { file: "tests/all.fleet.yaml", line: at + 1 },
      outcome: at % 50 === 0 ? ("failed" as const) : ("passed" as const),
      ...(at % 50 === 0 ? { message: "1 replica with region-3 lost" } : {}),
    })),
  });
}

function hugeObject(at: number, first: readonly string[], second: readonly string[]): ObjectReport {
  const name = `app-${String(at).padStart(4, "0")}`;
  const file = {
    what: "file" as const,
    name: `apps/${name}/web.yaml`,
    place: { file: `apps/${name}/web.yaml`, line: 12 },
  };
  const diff = (image: string, replicas: number) =>
    diffOf(
      [
        " spec:",
        `-  replicas: ${replicas} ‹1`,
        `+  replicas: ${replicas + 1} ‹1`,
        "   selector:",
        "     matchLabels:",
        `       app: ${name}`,
        "   template:",
        "     spec:",
        "       containers:",
        "         - name: web",
        `-          image: ${image}/${name}:1.4 ‹1`,
        `+          image: ${image}/${name}:1.5 ‹1`,
        "           env:",
        "             - name: GREETING",
        '               value: "grüße 👋🏽 aus 東京"',
      ].join("\n"),
      [file],
    );
  return changed(objectOf(`apps/v1 Deployment team-${at % 20}/${name}`), {
    place: { file: `apps/${name}/web.yaml`, line: 1 },
    placement: {
      policyBefore: "platform/everywhere",
      policyAfter: "platform/everywhere",
      clusters: [...first, ...second].slice(0, 20).map((cluster, seat) => ({
        cluster,
        before: 3,
        after: seat % 2 === 0 ? 4 : 2,
        there: "stays" as const,
        reason: `weight ${seat} → ${seat + 1}`,
      })),
    },
    copies: [copies(first, diff("registry.example", 3)), copies(second, diff("registry.eu.example", 2))],
  });
}
