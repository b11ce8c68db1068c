// A change that leaves a workload in one region only, so that the loss of that region takes it down.
import type { PlanReport } from "../../../api/plan-report.ts";
import { CART, changed, clusterRow, copies, diffOf, POLICY, sampleReport, WEIGHTS } from "./sample-parts.ts";

export function regionLossReport(): PlanReport {
  const place = { file: "deploy/policies.yaml", line: 22 };
  return sampleReport({
    verdict: "1 object changes in 3 of 3 clusters, 3 replicas move, nothing is deleted.",
    movedReplicas: 3,
    clusters: [
      clusterRow("tokyo-1", { region: "ap-northeast", deleted: 1, replicasBefore: 3, replicasAfter: 0, moved: 3 }),
      clusterRow("paris-1", { region: "eu-west", changed: 1, replicasBefore: 2, replicasAfter: 3, moved: 1 }),
      clusterRow("paris-2", { region: "eu-west", changed: 1, replicasBefore: 1, replicasAfter: 3, moved: 2 }),
    ],
    objects: [
      changed(CART, {
        place: { file: "apps/shop/cart.yaml", line: 1 },
        placement: {
          policyBefore: "shop/two-regions",
          policyAfter: "shop/eu-only",
          policyPlace: { file: "deploy/policies.yaml", line: 19 },
          clusters: [
            {
              cluster: "tokyo-1",
              before: 3,
              there: "goes",
              reason: "region ap-northeast is not in placement.clusterAffinity",
            },
            { cluster: "paris-1", before: 2, after: 3, there: "stays" },
            { cluster: "paris-2", before: 1, after: 3, there: "stays" },
          ],
          summary: "policy shop/eu-only (priority 10) takes the place of shop/two-regions (priority 0)",
        },
        copies: [
          copies(["tokyo-1"], undefined, { change: "deleted" }),
          copies(["paris-1"], diffOf("-  replicas: 2 ‹1\n+  replicas: 3 ‹1", [WEIGHTS], 10)),
          copies(["paris-2"], diffOf("-  replicas: 1 ‹1\n+  replicas: 3 ‹1", [WEIGHTS], 10)),
        ],
      }),
    ],
    whatIf: [
      {
        loss: {
          what: "region",
          name: "eu-west",
          clusters: ["paris-1", "paris-2"],
          also: [{ what: "provider", name: "ovh" }],
        },
        objects: [
          {
            object: CART,
            minimum: 2,
            minimumFrom: "fleet test cart survives any region",
            before: { placed: 6, kept: 3, recovered: 6 },
            after: { placed: 6, kept: 0, recovered: 0 },
            outcome: "down",
            comparison: "worse",
          },
        ],
      },
      {
        loss: { what: "cluster", name: "paris-1", clusters: ["paris-1"] },
        objects: [
          {
            object: CART,
            minimum: 2,
            before: { placed: 6, kept: 4, recovered: 6 },
            after: { placed: 6, kept: 3, recovered: 6 },
            outcome: "survives",
            comparison: "same",
          },
        ],
      },
    ],
    tests: [
      {
        name: "cart survives any region",
        place: { file: "tests/shop.fleet.yaml", line: 4 },
        outcome: "failed",
        message: "with region eu-west lost, cart keeps 0 of 6 replicas, wanted at least 2",
        details: ["before this change: 3", "paris-1 3, paris-2 3"],
        base: "passed",
      },
      {
        name: "images from our registry in eu",
        place: { file: "tests/shop.fleet.yaml", line: 12 },
        outcome: "passed",
        base: "passed",
      },
      {
        name: "payments on A or B",
        place: { file: "tests/shop.fleet.yaml", line: 20 },
        outcome: "skipped",
        message: "there is no payments",
      },
    ],
    findings: [
      {
        rule: "survives-no-loss",
        severity: "error",
        object: CART,
        place,
        message: "Deployment shop/cart would be down if region eu-west fails",
        advice: "let policy shop/eu-only choose a cluster of another region as well",
      },
      {
        rule: "policy-never-wins",
        severity: "notice",
        object: POLICY,
        place: { file: "deploy/policies.yaml", line: 3, endLine: 18 },
        message: "policy shop/two-regions wins for no object any more",
      },
    ],
  });
}

/** A Secret that changes: masked as diffs mask it. */
