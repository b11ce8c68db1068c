import { describe, expect, it } from "vitest";
import type { Cluster, Taint } from "../../api/cluster.ts";
import type { ResourceBinding, ResourceBindingSpec } from "../../api/work.ts";
import type { Condition } from "../../kube/object.ts";
import { bindingNews, clusterNews, Story } from "./story.ts";

function cluster(conditions: readonly Partial<Condition>[], taints: Taint[] = []): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name: "paris" },
    spec: { syncMode: "Push", taints },
    status: { conditions: conditions.map((each) => ({ reason: "R", lastTransitionTime: "", ...each }) as Condition) },
  };
}

function binding(spec: Partial<ResourceBindingSpec>, conditions: readonly Partial<Condition>[] = []): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name: "web-deployment", namespace: "shop" },
    spec: { resource: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" }, ...spec },
    status: { conditions: conditions.map((each) => ({ reason: "R", lastTransitionTime: "", ...each }) as Condition) },
  };
}

describe("news of a cluster", () => {
  it("are a change of its readiness, with the reason, and its taints", () => {
    const taint: Taint = { key: "cluster.karmada.io/not-ready", effect: "NoExecute" };
    const ready = cluster([{ type: "Ready", status: "True" }]);
    const lost = cluster([{ type: "Ready", status: "False", message: "cluster is not reachable" }], [taint]);

    expect(clusterNews(ready, lost)).toEqual([
      "paris is not ready: cluster is not reachable",
      "paris is tainted cluster.karmada.io/not-ready:NoExecute",
    ]);
    expect(clusterNews(lost, ready)).toEqual([
      "paris is ready",
      "paris is no longer tainted cluster.karmada.io/not-ready:NoExecute",
    ]);
  });

  it("are none when only its room has changed", () => {
    const ready = cluster([{ type: "Ready", status: "True" }]);

    expect(clusterNews(ready, { ...ready, status: { ...ready.status, kubernetesVersion: "v1.36.3" } })).toEqual([]);
  });
});

describe("news of a binding", () => {
  it("tell of an eviction, of what is ordered instead, and of the end of the old copy", () => {
    const before = binding({
      clusters: [
        { name: "paris", replicas: 2 },
        { name: "tokyo", replicas: 2 },
      ],
    });
    const task = { fromCluster: "paris", producer: "TaintManager", reason: "TaintUntolerated" };
    const moved = binding({ clusters: [{ name: "tokyo", replicas: 4 }], gracefulEvictionTasks: [task] });

    expect(bindingNews(before, moved)).toEqual([
      "Deployment shop/web leaves paris; the old copy stays for now",
      "Deployment shop/web is ordered: tokyo 2 → 4",
    ]);
    expect(bindingNews(moved, binding({ clusters: [{ name: "tokyo", replicas: 4 }] }))).toEqual([
      "Deployment shop/web: the old copy in paris goes",
    ]);
  });

  it("tell once why there is no place", () => {
    const unplaced = binding({}, [{ type: "Scheduled", status: "False", message: "no cluster fits" }]);

    expect(bindingNews(binding({}), unplaced)).toEqual(["Deployment shop/web finds no place: no cluster fits"]);
    expect(bindingNews(unplaced, unplaced)).toEqual([]);
  });
});

describe("a story", () => {
  it("tells counts when they change, and a row of them by its last", () => {
    const story = new Story();
    story.count(0, "web", 4, 4);
    story.tell(1_000, "paris fails");
    story.count(1_000, "web", 2, 4);
    story.count(5_000, "web", 3, 4);
    story.count(6_000, "web", 4, 4);
    story.count(7_000, "web", 4, 4);

    expect(story.since(1_000)).toEqual([
      { afterMs: 0, words: "paris fails" },
      { afterMs: 5_000, words: "web: 4 of 4 serve" },
    ]);
  });
});
