// Budgets, evictions, drains, quota, autoscaling without metrics.
import {
  budget,
  clusterScript,
  create,
  daemonSet,
  deployment,
  patch,
  ref,
  remove,
  scale,
  script,
  setImage,
  statefulSet,
  step,
  stepFor,
} from "../builders.ts";
import type { Script } from "../script.ts";

const WEB = step("create", create(deployment("web")));

function quota(hard: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  return { spec: { hard } };
}

export const DISRUPTION_SCRIPTS: readonly Script[] = [
  script(
    "disruption/min-available",
    WEB,
    step("budget", create(budget("web", "web", { minAvailable: 2 }))),
    step("evict one", { do: "evict", labels: "app=web", count: 1 }),
    step("evict two at once", { do: "evict", labels: "app=web", count: 2 }),
    step("scale down", scale("Deployment", "web", 2)),
    step("evict one of two", { do: "evict", labels: "app=web", count: 1 }),
    step("delete the budget", remove(ref("PodDisruptionBudget", "web"))),
    step("evict both", { do: "evict", labels: "app=web", count: 2 }),
  ),
  script(
    "disruption/max-unavailable",
    WEB,
    step("budget", create(budget("web", "web", { maxUnavailable: 1 }))),
    step("evict two at once", { do: "evict", labels: "app=web", count: 2 }),
  ),
  script(
    "disruption/percentages",
    step("create", create(deployment("web", { replicas: 5 }))),
    step("budget", create(budget("web", "web", { minAvailable: "50%" }))),
    step("scale", scale("Deployment", "web", 10)),
    step("other percentage", patch(ref("PodDisruptionBudget", "web"), { spec: { minAvailable: "100%" } })),
    step("evict one", { do: "evict", labels: "app=web", count: 1 }),
  ),
  script(
    "disruption/before-the-workload",
    step("budget", create(budget("web", "web", { minAvailable: 1 }))),
    WEB,
    step("failing image", setImage("Deployment", "web", "missing:1")),
  ),
  script(
    "disruption/two-budgets",
    WEB,
    step(
      "budgets",
      create(budget("one", "web", { minAvailable: 1 })),
      create(budget("two", "web", { minAvailable: 2 })),
    ),
    step("evict", { do: "evict", labels: "app=web", count: 1 }),
  ),
  script(
    "disruption/unready-pods",
    step("create", create(deployment("web", { image: "missing:1" }))),
    step("budget", create(budget("web", "web", { minAvailable: 2 }))),
    step("evict", { do: "evict", labels: "app=web", count: 1 }),
    step(
      "evict whatever is not ready",
      patch(ref("PodDisruptionBudget", "web"), { spec: { unhealthyPodEvictionPolicy: "AlwaysAllow" } }),
      { do: "evict", labels: "app=web", count: 1 },
    ),
  ),
  script("disruption/evict-without-budget", WEB, step("evict", { do: "evict", labels: "app=web", count: 3 })),
  clusterScript(
    "drain/deployment",
    WEB,
    step("drain", { do: "drain", node: { runs: "app=web" }, withinMs: 20_000 }),
    step("uncordon", { do: "uncordon", node: 0 }, { do: "uncordon", node: 1 }, { do: "uncordon", node: 2 }),
  ),
  clusterScript(
    "drain/with-budget",
    step("create", create(deployment("web", { replicas: 6 }))),
    step("budget", create(budget("web", "web", { maxUnavailable: 1 }))),
    step("drain", { do: "drain", node: 0, withinMs: 30_000 }),
    step("uncordon", { do: "uncordon", node: 0 }),
  ),
  clusterScript(
    "drain/stateful-set-and-daemon-set",
    step("create", create(statefulSet("db")), create(daemonSet("agent"))),
    step("drain", { do: "drain", node: { runs: "apps.kubernetes.io/pod-index=1" }, withinMs: 20_000 }),
    step("uncordon", { do: "uncordon", node: 0 }, { do: "uncordon", node: 1 }, { do: "uncordon", node: 2 }),
  ),
  clusterScript(
    "drain/all-nodes",
    WEB,
    step("cordon", { do: "cordon", node: 0 }, { do: "cordon", node: 1 }, { do: "cordon", node: 2 }),
    step("lose the Pods", { do: "delete-pods", labels: "app=web", count: 3 }),
    step("uncordon one", { do: "uncordon", node: 0 }),
    step("uncordon the others", { do: "uncordon", node: 1 }, { do: "uncordon", node: 2 }),
  ),
  script(
    "quota/pods",
    step("quota", create({ ...ref("ResourceQuota", "few"), metadata: { name: "few" }, ...quota({ pods: "2" }) })),
    WEB,
    // The ReplicaSet's controller tries again after a while, and longer each time.
    stepFor(15_000, "larger quota", patch(ref("ResourceQuota", "few"), quota({ pods: "5" }))),
  ),
  script(
    "quota/requests",
    step(
      "quota",
      create({ ...ref("ResourceQuota", "cpus"), metadata: { name: "cpus" }, ...quota({ "requests.cpu": "1" }) }),
    ),
    step("without requests", create(deployment("none", { replicas: 1 }))),
    step("with requests", create(deployment("web", { requests: { cpu: "400m" } }))),
    step("scale down", scale("Deployment", "web", 1)),
  ),
  script(
    "quota/counts",
    step(
      "quota",
      create({
        ...ref("ResourceQuota", "counts"),
        metadata: { name: "counts" },
        ...quota({ "count/deployments.apps": "1", services: "1", "count/secrets": "10" }),
      }),
    ),
    step("one", create(deployment("web", { replicas: 1 }))),
    step("one too many", create(deployment("other", { replicas: 1 }))),
  ),
  script(
    "autoscaler/without-metrics",
    step("create", create(deployment("web", { requests: { cpu: "100m" } }))),
    stepFor(
      20_000,
      "autoscaler",
      create({
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "web" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
          minReplicas: 1,
          maxReplicas: 5,
          metrics: [
            { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
          ],
        },
      }),
    ),
  ),
  script(
    "autoscaler/bounds",
    step("create", create(deployment("web"))),
    stepFor(
      20_000,
      "more than there are",
      create({
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "web" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
          minReplicas: 4,
          maxReplicas: 5,
        },
      }),
    ),
    stepFor(
      20_000,
      "fewer than there are",
      patch(ref("HorizontalPodAutoscaler", "web"), { spec: { minReplicas: 1, maxReplicas: 2 } }),
    ),
  ),
  script(
    "autoscaler/without-target",
    stepFor(
      20_000,
      "autoscaler",
      create({
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "web" },
        spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 5 },
      }),
    ),
  ),
];
