// What a Sync and a rollout do beside the change itself.
import type { LineWriter, PlanReport } from "../../../api/plan-report.ts";
import { changed, clusterRow, copies, diffOf, objectOf, sampleReport } from "./sample-parts.ts";

/** A change that clusters get in waves, with hooks, and an object that stays. */
export function wavesReport(): PlanReport {
  const clusters = ["tokyo-1", "paris-1", "paris-2"];
  const image: LineWriter = {
    what: "file",
    name: "apps/shop/web.yaml",
    place: { file: "apps/shop/web.yaml", line: 21 },
  };
  const hook = (phase: "PreSync" | "SyncFail", name: string) => ({
    object: objectOf(`batch/v1 Job shop/${name}`),
    phase,
    wave: 0,
    clusters,
  });
  return sampleReport({
    verdict: "1 object changes in 3 of 3 clusters, no replicas move, nothing is deleted.",
    clusters: clusters.map((cluster) =>
      clusterRow(cluster, { changed: 1, held: 1, replicasBefore: 2, replicasAfter: 2 }),
    ),
    objects: [
      changed(objectOf("apps/v1 Deployment shop/web"), {
        place: { file: "apps/shop/web.yaml", line: 1 },
        copies: [
          copies(clusters, diffOf("-          image: web:1.4 ‹1\n+          image: web:1.5 ‹1", [image], 20), {
            held: "its wave has not come",
          }),
        ],
        rollout: {
          waves: [
            { name: "canary", clusters: ["tokyo-1"], healthyFor: "10m" },
            { name: "rest", clusters: ["paris-1", "paris-2"], atOnce: 1 },
          ],
        },
      }),
    ],
    hooks: { runs: [hook("PreSync", "migrate")], onFailure: [hook("SyncFail", "restore-*")], onDeletion: [] },
    kept: [
      { object: objectOf("v1 PersistentVolumeClaim shop/data"), reason: "annotation argocd.argoproj.io/sync-options" },
    ],
  });
}
