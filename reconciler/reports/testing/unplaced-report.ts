// A change after which no cluster takes one workload, and fewer clusters than its policy says take another.
import type { PlanReport } from "../../../api/plan-report.ts";
import { CART, changed, clusterRow, copies, sampleReport, WEB } from "./sample-parts.ts";

export function unplacedReport(): PlanReport {
  return sampleReport({
    verdict: "1 object is created and 1 deleted in 2 of 3 clusters, no replicas move.",
    clusters: [
      clusterRow("tokyo-1", { region: "ap-northeast", created: 1, replicasAfter: 2 }),
      clusterRow("paris-1", { region: "eu-west", deleted: 1, replicasBefore: 3 }),
      clusterRow("paris-2", { region: "eu-west" }),
    ],
    objects: [
      changed(WEB, {
        change: "created",
        place: { file: "apps/shop/web.yaml", line: 1 },
        placement: {
          policyAfter: "shop/everywhere",
          policyPlace: { file: "deploy/policies.yaml", line: 3 },
          clusters: [{ cluster: "tokyo-1", after: 2, there: "came" }],
          refused: [
            { clusters: ["paris-1"], reason: "taint maintenance=true:NoSchedule is not tolerated" },
            {
              clusters: ["paris-2"],
              reason: "no API apps/v1 Deployment (cluster reports 31 API versions; the list is not complete)",
            },
          ],
        },
        copies: [copies(["tokyo-1"], undefined, { change: "created" })],
      }),
      changed(CART, {
        place: { file: "apps/shop/cart.yaml", line: 1 },
        placement: {
          policyBefore: "shop/eu-only",
          policyAfter: "shop/eu-only",
          policyPlace: { file: "deploy/policies.yaml", line: 19 },
          clusters: [
            {
              cluster: "paris-1",
              before: 3,
              there: "goes",
              reason: "taint maintenance=true:NoSchedule is not tolerated",
            },
          ],
          summary: "policy shop/eu-only changes its spec.placement.clusterTolerations",
        },
        copies: [copies(["paris-1"], undefined, { change: "deleted" })],
      }),
    ],
    problems: [
      {
        severity: "error",
        message:
          "is in no cluster: 0/3 clusters are available: 2 cluster(s) did not match the placement cluster affinity constraint, " +
          "1 cluster(s) had untolerated taint {maintenance: true}",
        object: CART,
        reasons: [
          "paris-1: taint maintenance=true:NoSchedule is not tolerated → tolerate it there, or take maintenance=true:NoSchedule off paris-1",
          "paris-2: region is not set, wanted eu-west → set the region of Cluster paris-2",
          "tokyo-1: region is ap-northeast, wanted eu-west → add ap-northeast to the values",
        ],
      },
    ],
  });
}
