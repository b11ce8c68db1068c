// Reports as plans make them, one for each thing that a report can have to say: tests of every form of output use them.
import type { LineWriter, PlanReport } from "../../../api/plan-report.ts";
import { hostileReport } from "./hostile-report.ts";
import { hugeReport } from "./huge-report.ts";
import { regionLossReport } from "./region-loss-report.ts";
import {
  CART,
  changed,
  clusterNames,
  clusterRow,
  copies,
  diffOf,
  objectOf,
  POLICY,
  sampleReport,
  WEB,
  WEIGHTS,
} from "./sample-parts.ts";
import { unplacedReport } from "./unplaced-report.ts";
import { wavesReport } from "./waves-report.ts";

function unchanged(): PlanReport {
  return sampleReport({ changes: false, state: "unchanged", verdict: "Nothing changes in 3 clusters." });
}

/** The example of "What would this change do?": weights change, two replicas move, and with them what a loss means. */
function replicaMove(): PlanReport {
  const policy: LineWriter = { what: "file", name: "deploy/policies.yaml", place: { file: "deploy/policies.yaml" } };
  return sampleReport({
    verdict: "2 objects change in 2 of 3 clusters, 2 replicas move, nothing is deleted.",
    movedReplicas: 2,
    clusters: [
      clusterRow("tokyo-1", { region: "ap-northeast", changed: 1, replicasBefore: 2, replicasAfter: 4, moved: 2 }),
      clusterRow("paris-1", { region: "eu-west", changed: 1, replicasBefore: 4, replicasAfter: 2, moved: 2, drift: 1 }),
      clusterRow("paris-2", { region: "eu-west" }),
    ],
    objects: [
      changed(WEB, {
        place: { file: "apps/shop/web.yaml", line: 1 },
        placement: {
          policyBefore: "shop/two-regions",
          policyAfter: "shop/two-regions",
          policyPlace: { file: "deploy/policies.yaml", line: 3 },
          clusters: [
            { cluster: "tokyo-1", before: 2, after: 4, there: "stays", reason: "weight 1 → 2" },
            { cluster: "paris-1", before: 4, after: 2, there: "stays", reason: "weight 2 → 1" },
          ],
          summary: "weights of policy shop/two-regions: tokyo-1 1 → 2, paris-1 2 → 1",
        },
        copies: [
          copies(["tokyo-1"], diffOf(" spec:\n-  replicas: 2 ‹1\n+  replicas: 4 ‹1\n   selector:", [WEIGHTS], 9)),
          copies(["paris-1"], diffOf(" spec:\n-  replicas: 4 ‹1\n+  replicas: 2 ‹1\n   selector:", [WEIGHTS], 9)),
        ],
      }),
      changed(POLICY, {
        place: { file: "deploy/policies.yaml", line: 3 },
        diff: diffOf(
          [
            "         - targetCluster:",
            "             clusterNames: [tokyo-1]",
            "-          weight: 1 ‹1",
            "+          weight: 2 ‹2",
            "         - targetCluster:",
            "             clusterNames: [paris-1]",
            "-          weight: 2 ‹3",
            "+          weight: 1 ‹4",
          ].join("\n"),
          [14, 14, 17, 17].map((line) => ({ ...policy, place: { file: "deploy/policies.yaml", line } })),
          12,
        ),
      }),
    ],
    drift: [
      {
        object: WEB,
        path: "spec.replicas",
        base: 4,
        head: 2,
        live: 6,
        outcome: "overwritten",
        manager: "kubectl-edit",
        since: "2026-11-29T07:30:00Z",
        clusters: ["paris-1"],
      },
    ],
    whatIf: [
      {
        loss: { what: "cluster", name: "paris-1", clusters: ["paris-1"] },
        objects: [
          {
            object: WEB,
            minimum: 4,
            minimumFrom: "PodDisruptionBudget shop/web",
            before: { placed: 6, kept: 2, recovered: 6 },
            after: { placed: 6, kept: 4, recovered: 6 },
            outcome: "survives",
            comparison: "better",
          },
        ],
      },
      {
        loss: { what: "cluster", name: "tokyo-1", clusters: ["tokyo-1"] },
        objects: [
          {
            object: WEB,
            minimum: 4,
            minimumFrom: "PodDisruptionBudget shop/web",
            before: { placed: 6, kept: 4, recovered: 6 },
            after: { placed: 6, kept: 2, recovered: 6 },
            outcome: "recovers",
            comparison: "worse",
          },
        ],
      },
    ],
  });
}

/** One line of a base that every application of a hundred clusters has. */
function baseImage(): PlanReport {
  const edge = clusterNames("edge", 60);
  const eu = clusterNames("eu", 40);
  const image: LineWriter = { what: "file", name: "base/web.yaml", place: { file: "base/web.yaml", line: 21 } };
  const registry: LineWriter = {
    what: "override",
    name: "override shop/registry-by-region, rule 1",
    place: { file: "deploy/overrides.yaml", line: 9 },
  };
  const imageDiff = (host: string, writers: LineWriter[]) =>
    diffOf(
      [
        "       containers:",
        "         - name: web",
        `-          image: ${host}/web:1.4 ‹1`,
        `+          image: ${host}/web:1.5 ‹1`,
        "           ports:",
        "             - containerPort: 8080",
      ].join("\n"),
      writers,
      18,
    );
  return sampleReport({
    verdict: "3 objects change in 100 of 100 clusters, no replicas move, nothing is deleted.",
    clusters: [...edge, ...eu].map((cluster) =>
      clusterRow(cluster, { changed: 3, replicasBefore: 6, replicasAfter: 6, provider: "aws" }),
    ),
    objects: ["web", "admin", "api"].map((name) =>
      changed(objectOf(`apps/v1 Deployment shop/${name}`), {
        place: { file: "base/web.yaml", line: 1 },
        copies: [
          copies(edge, imageDiff("registry.example", [image])),
          copies(eu, imageDiff("registry.eu.example", [registry])),
        ],
      }),
    ),
    findings: [
      {
        rule: "image-not-found",
        severity: "warning",
        object: WEB,
        place: { file: "base/web.yaml", line: 21 },
        field: "spec.template.spec.containers[web].image",
        clusters: eu,
        message: "registry.eu.example/web:1.5 does not exist yet, so new Pods would not start",
        advice: "push the image to registry.eu.example before the merge",
      },
    ],
  });
}

/** Much is deleted at once: held for a person. */
function massPrune(): PlanReport {
  const names = Array.from({ length: 41 }, (_, at) => `feature-${String(at + 1).padStart(2, "0")}`);
  return sampleReport({
    state: "held",
    verdict: "41 objects would be deleted in 3 of 3 clusters: held until a person confirms.",
    clusters: ["tokyo-1", "paris-1", "paris-2"].map((cluster) =>
      clusterRow(cluster, { deleted: 41, held: 41, replicasBefore: 123, replicasAfter: 82 }),
    ),
    objects: names.map((name) =>
      changed(objectOf(`apps/v1 Deployment shop/${name}`), {
        change: "deleted",
        place: { file: `apps/shop/${name}.yaml`, line: 1 },
        copies: [
          copies(["tokyo-1", "paris-1", "paris-2"], undefined, { change: "deleted", held: "the limit of deletions" }),
        ],
      }),
    ),
    held:
      "this revision would delete 41 of 60 objects of Sync shop/apps (limit 30 %). To go on: " +
      "kubectl annotate sync apps -n shop gitops.flaghoist.io/confirm-prune=3f9c2ab",
    findings: [
      {
        rule: "mass-prune",
        severity: "error",
        message: "41 of 60 objects would be deleted, more than the limit of 30 %",
        advice: "if this is meant, confirm it; otherwise look whether a folder was moved",
      },
    ],
  });
}

/** The head cannot be rendered. */
function refused(): PlanReport {
  return sampleReport({
    valid: false,
    changes: false,
    state: "refused",
    verdict: "This change cannot be applied: apps/shop/kustomization.yaml:7 names a file that is not there.",
    clusters: [],
    problems: [
      {
        severity: "error",
        message: 'names the patch "limits.yaml", which is not in the repository at 3f9c2ab',
        place: { file: "apps/shop/kustomization.yaml", line: 7 },
      },
      {
        severity: "warning",
        message:
          "there is no kind PropagationPolicy in apps.karmada.io/v1alpha1. Did you mean policy.karmada.io/v1alpha1?",
        object: POLICY,
        place: { file: "deploy/policies.yaml", line: 1 },
      },
    ],
  });
}

/** What others changed in the clusters, and what becomes of it. */
function drift(): PlanReport {
  const edge = clusterNames("edge", 7);
  const limits: LineWriter = {
    what: "patch",
    name: "patches[0]",
    place: { file: "apps/shop/kustomization.yaml", line: 7 },
  };
  return sampleReport({
    verdict: "1 object changes in 7 of 8 clusters, no replicas move, nothing is deleted.",
    clusters: [
      ...edge.map((cluster) => clusterRow(cluster, { changed: 1, replicasBefore: 2, replicasAfter: 2, drift: 2 })),
      clusterRow("paris-1", { replicasBefore: 2, replicasAfter: 2 }),
    ],
    objects: [
      changed(WEB, {
        place: { file: "apps/shop/web.yaml", line: 1 },
        copies: [
          copies(
            edge,
            diffOf("           limits:\n-            memory: 512Mi ‹1\n+            memory: 1Gi ‹1", [limits], 30),
          ),
        ],
        notes: ["wave 2: waits until shop/db is healthy"],
      }),
    ],
    drift: [
      {
        object: WEB,
        path: "spec.template.spec.containers[web].resources.limits.memory",
        base: "512Mi",
        head: "1Gi",
        live: "1Gi",
        outcome: "adopted",
        manager: "kubectl-edit",
        since: "2026-11-26T09:30:00Z",
        clusters: edge,
      },
      {
        object: WEB,
        path: "metadata.annotations[example.org/owner]",
        base: "shop",
        head: "shop",
        outcome: "undone",
        manager: "kubectl-annotate",
        since: "2026-11-29T09:12:00Z",
        clusters: ["edge-003"],
      },
      { object: CART, path: "", base: {}, head: {}, outcome: "kept", clusters: ["edge-001"] },
    ],
    driftUnknown: [{ cluster: "paris-1", reason: "it does not answer" }],
  });
}

/** A workload that goes to one region only. */
function maskedSecret(): PlanReport {
  const file: LineWriter = {
    what: "file",
    name: "apps/shop/secret.yaml",
    place: { file: "apps/shop/secret.yaml", line: 8 },
  };
  return sampleReport({
    verdict: "1 object is created and 1 changes in 3 of 3 clusters, no replicas move, nothing is deleted.",
    clusters: ["tokyo-1", "paris-1", "paris-2"].map((cluster) =>
      clusterRow(cluster, { created: 1, changed: 1, replicasBefore: 2, replicasAfter: 2 }),
    ),
    objects: [
      changed(objectOf("v1 Secret shop/db"), {
        place: { file: "apps/shop/secret.yaml", line: 1 },
        copies: [
          copies(
            ["tokyo-1", "paris-1", "paris-2"],
            diffOf(
              " data:\n-  password: (hidden 4f1c) ‹1\n+  password: (hidden 92ab) ‹1\n   user: (hidden 10cc)",
              [file],
              7,
            ),
          ),
        ],
      }),
      changed(objectOf("v1 ConfigMap shop/settings"), {
        change: "created",
        place: { file: "apps/shop/settings.yaml", line: 1, endLine: 9 },
        copies: [
          copies(
            ["tokyo-1", "paris-1", "paris-2"],
            diffOf("+apiVersion: v1\n+data:\n+  mode: fast\n+kind: ConfigMap"),
            {
              change: "created",
            },
          ),
        ],
      }),
    ],
    unknown: [
      { object: objectOf("example.org/v1 Widget shop/a"), reason: "the webhook that reads its replicas was not asked" },
    ],
    notes: ["hook Job shop/migrate runs before the rest"],
  });
}

/** Sample reports by name; each call makes a new one. */
export const SAMPLES = {
  unchanged,
  replicaMove,
  baseImage,
  massPrune,
  refused,
  drift,
  regionLoss: regionLossReport,
  maskedSecret,
  waves: wavesReport,
  unplaced: unplacedReport,
  hostile: hostileReport,
  huge: hugeReport,
} satisfies Readonly<Record<string, () => PlanReport>>;
export type SampleName = keyof typeof SAMPLES;
