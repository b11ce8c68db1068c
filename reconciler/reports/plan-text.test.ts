import { describe, expect, it } from "vitest";
import { refOf } from "../../kube/object.ts";
import { deployment } from "../../test/builders.ts";
import type { ObjectChange, Plan } from "../plan/changes.ts";
import { NO_HOOKS } from "../plan/hooks.ts";
import { makeReport, type ReportInput } from "../plan/make-report.ts";
import { placementReasons } from "./placement-text.ts";
import { planText } from "./plan-text.ts";
import { SAMPLES } from "./testing/sample-reports.ts";

const plain = {
  bold: (text: string) => text,
  dim: (text: string) => text,
  green: (text: string) => text,
  yellow: (text: string) => text,
  red: (text: string) => text,
};
const web = refOf(deployment());
const row = { created: 0, changed: 0, deleted: 0, replicasBefore: 0, replicasAfter: 0 };

function change(words: Partial<ObjectChange>): ObjectChange {
  return {
    cluster: "a",
    object: web,
    change: "changed",
    replicasBefore: 2,
    replicasAfter: 2,
    fields: [],
    overrides: [],
    ...words,
  };
}

function textOf(plan: Partial<Plan>, rest: Partial<ReportInput> = {}, nowMs = 0): string {
  const report = makeReport({
    subject: { path: "apps", head: { name: "the working directory" }, fleet: { from: "live", clusters: 0 } },
    made: { at: "1970-01-01T00:00:00Z", tookMs: 0, version: "0" },
    renderHash: "sha256:0",
    clusters: [],
    plan: { clusters: [], changes: [], movedReplicas: 0, problems: [], unknown: [], ...plan },
    source: [],
    warnings: [],
    drift: [],
    driftUnknown: [],
    held: undefined,
    kept: [],
    heldClusters: [],
    hooks: NO_HOOKS,
    deletionsUnknown: undefined,
    whatIf: [],
    findings: [],
    ...rest,
  });
  return planText(report, nowMs, plain);
}

describe("planText", () => {
  it("shows the clusters, and equal changes of several copies once", () => {
    const fields = [
      { path: "spec.replicas", before: 2, after: 4 },
      { path: "spec.paused", before: undefined, after: true },
    ];
    const plan: Partial<Plan> = {
      clusters: [
        { ...row, cluster: "a", changed: 1, replicasBefore: 2, replicasAfter: 4 },
        { ...row, cluster: "b", changed: 1, replicasBefore: 4, replicasAfter: 2 },
        { ...row, cluster: "c" },
      ],
      changes: [
        change({ cluster: "a", replicasAfter: 4, fields }),
        change({
          cluster: "b",
          replicasBefore: 4,
          fields: [{ path: "spec.replicas", before: 4, after: 2 }, ...fields.slice(1)],
        }),
      ],
      movedReplicas: 2,
    };
    const drift = [
      {
        object: web,
        path: "spec.x",
        base: 1,
        head: 1,
        live: 2,
        outcome: "undone" as const,
        manager: "kubectl-edit",
        since: "1970-01-01T00:00:00Z",
        clusters: ["b"],
      },
    ];
    const source = [{ object: web, change: "changed" as const, origin: "apps/web.yaml:3", fields: [] }];

    expect(textOf(plan, { drift, source }, 7_200_000)).toBe(
      [
        "1 object changes in 2 of 3 clusters, 2 replicas move, nothing is deleted.",
        "",
        "  cluster  created  changed  deleted  replicas    drift now",
        "  a              0        1        0  2 → 4 (+2)          0",
        "  b              0        1        0  4 → 2 (−2)          1  ⚠ shop/web was edited by kubectl-edit 2h ago",
        "  c              0        0        0  0                   0",
        "",
        "~ Deployment shop/web   a 2 → 4, b 4 → 2   (apps/web.yaml:3)",
        "    spec.paused   true   in a, b",
      ].join("\n"),
    );
  });

  it("tells why an object is elsewhere, and what kept others from having it", () => {
    const text = planText(SAMPLES.unplaced(), 0, plain);

    expect(text).toContain(`+ Deployment shop/web   tokyo-1 2   (apps/shop/web.yaml:1)
    not in paris-1: taint maintenance=true:NoSchedule is not tolerated
    not in paris-2: no API apps/v1 Deployment (cluster reports 31 API versions; the list is not complete)
`);
    expect(text).toContain(`
    policy shop/eu-only changes its spec.placement.clusterTolerations
    gone from paris-1: taint maintenance=true:NoSchedule is not tolerated
`);
    expect(text).toContain(`had untolerated taint {maintenance: true}
    paris-1: taint maintenance=true:NoSchedule is not tolerated → tolerate it there, or take maintenance=true:NoSchedule off paris-1
`);
  });

  it("tells a few reasons of many", () => {
    const clusters = Array.from({ length: 9 }, (_, at) => ({
      cluster: `m${at}`,
      before: at,
      after: 20,
      there: "stays" as const,
      reason: `weight ${at} → 9`,
    }));

    const lines = placementReasons({ clusters });

    expect(lines).toHaveLength(7);
    expect(lines.at(-1)).toBe("and 3 more reasons (-o json)");
  });

  it("tells of objects that would be nowhere, and of what is held", () => {
    const text = textOf(
      { problems: [{ object: web, problem: "0/3 clusters are available" }] },
      { held: "held: this change would delete 4 of 9" },
    );

    expect(text).toContain("✗ Deployment shop/web: 0/3 clusters are available");
    expect(text).toContain("⚠ held: this change would delete 4 of 9");
  });

  it("tells what a loss would do where that changes", () => {
    const survival = (kept: number, recovered: number) => ({ placed: 6, kept, recovered });
    const loss = (name: string) => ({ what: "cluster" as const, name, clusters: [name] });
    const object = { ...web, namespace: "shop" };
    const lost = (before: [number, number], after: [number, number]) => ({
      object,
      minimum: 1,
      before: survival(...before),
      after: survival(...after),
      outcome: "survives" as const,
      comparison: "same" as const,
    });
    const whatIf = [
      { loss: loss("a"), objects: [lost([2, 6], [4, 6])] },
      {
        loss: { ...loss("b"), also: ["x", "y", "z", "w"].map((name) => ({ what: "zone" as const, name })) },
        objects: [lost([4, 4], [0, 0])],
      },
      { loss: loss("c"), objects: [lost([3, 6], [3, 6])] },
    ];

    const text = textOf({}, { whatIf });

    expect(text).toContain(
      [
        "If a fails: web keeps 4 of 6 replicas, 6 with failover.   before: 2 of 6, 6 with failover",
        "If b (also zone x, zone y, zone z and 1 more) fails: web is down.   before: 4 of 6",
      ].join("\n"),
    );
    expect(text).not.toContain("If c fails");
  });

  it("tells which fleet tests fail, and how many pass", () => {
    const place = { file: "tests/shop.fleet.yaml", line: 4 };
    const tests = [
      { name: "web survives", place, outcome: "passed" as const },
      {
        name: "our images only",
        place,
        outcome: "failed" as const,
        message: "1 image that does not fit",
        details: ["paris-1: nginx"],
        base: "passed" as const,
      },
    ];

    expect(textOf({}, { tests })).toContain(
      [
        "Fleet tests: 1 passed, 1 failed",
        "  ✗ our images only (line 4)",
        "      1 image that does not fit",
        "        paris-1: nginx",
      ].join("\n"),
    );
  });
});
