import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import { type DaemonSetView, planRollingUpdate, planUpkeep, podsByNode } from "./daemon-set-plan.ts";
import { daemonTolerations, newDaemonPod, nodeTest, targetNode } from "./daemon-set-spec.ts";
import { countNodes } from "./daemon-set-status.ts";
import { PodBackoff } from "./pod-backoff.ts";

const NOW = Date.UTC(2026, 0, 1);

function set(spec: Record<string, unknown> = {}, podSpec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent", namespace: "default", uid: "set" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: { metadata: { labels: { app: "agent" } }, spec: { containers: [], ...podSpec } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      ...spec,
    },
  };
}

const SURGE = { updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } };

function node(name: string, taints: readonly Record<string, unknown>[] = [], labels = {}): KubeObject {
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: { taints } };
}

type State = "ready" | "unready" | "failed" | "succeeded" | "going" | "over";

function pod(name: string, on: string, state: State = "ready", hash = "new"): KubeObject {
  const phase = state === "failed" || state === "over" ? "Failed" : state === "succeeded" ? "Succeeded" : "Running";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "controller-revision-hash": hash },
      ...(state === "going" || state === "over" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { nodeName: on },
    status: { phase, conditions: [{ type: "Ready", status: state === "ready" ? "True" : "False" }] },
  };
}

const THREE = [node("a"), node("b"), node("c")];

function view(daemonSet: KubeObject, nodes: readonly KubeObject[], pods: readonly KubeObject[]): DaemonSetView {
  return { set: daemonSet, hash: "new", nodes, decide: nodeTest(daemonSet), podsByNode: podsByNode(pods), nowMs: NOW };
}

function names(pods: readonly KubeObject[]): (string | undefined)[] {
  return pods.map((each) => each.metadata.name);
}

describe("nodeTest", () => {
  const gpu = { key: "gpu", effect: "NoSchedule" };
  const out = { key: "out", effect: "NoExecute" };
  const cordoned = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
  const notReady = { key: "node.kubernetes.io/not-ready", effect: "NoExecute" };
  const network = { key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" };

  it.each<[string, KubeObject, Record<string, unknown>, boolean, boolean]>([
    ["free", node("a"), {}, true, true],
    ["cordoned", node("a", [cordoned]), {}, true, true],
    ["not ready", node("a", [notReady]), {}, true, true],
    ["tainted against new Pods", node("a", [gpu]), {}, false, true],
    ["tainted against all Pods", node("a", [out]), {}, false, false],
    ["tainted, and tolerated", node("a", [gpu]), { tolerations: [{ key: "gpu", operator: "Exists" }] }, true, true],
    ["without network", node("a", [network]), {}, false, true],
    ["without network, and its own used", node("a", [network]), { hostNetwork: true }, true, true],
    ["without the label", node("a"), { nodeSelector: { disk: "fast" } }, false, false],
    ["with the label", node("a", [], { disk: "fast" }), { nodeSelector: { disk: "fast" } }, true, true],
    ["not the one that is named", node("a"), { nodeName: "b" }, false, false],
  ])("answers for a node that is %s", (_what, which, podSpec, shouldRun, mayStay) => {
    expect(nodeTest(set({}, podSpec))(which)).toEqual({ shouldRun, mayStay });
  });
});

describe("Pods of a DaemonSet", () => {
  it("tolerate a node's troubles after what the template tolerates", () => {
    const own = { key: "gpu", operator: "Exists" };
    const known = {
      key: "node.kubernetes.io/not-ready",
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 5,
    };

    const keys = daemonTolerations({ tolerations: [own, known] });

    expect(keys.map(({ key, effect }) => `${key} ${effect ?? ""}`)).toEqual([
      "gpu ",
      "node.kubernetes.io/not-ready NoExecute",
      "node.kubernetes.io/unreachable NoExecute",
      "node.kubernetes.io/disk-pressure NoSchedule",
      "node.kubernetes.io/memory-pressure NoSchedule",
      "node.kubernetes.io/pid-pressure NoSchedule",
      "node.kubernetes.io/unschedulable NoSchedule",
    ]);
    expect(keys[1]).not.toHaveProperty("tolerationSeconds");
  });

  it("are led to their node by affinity, beside what the template prefers", () => {
    const preferred = [{ weight: 1, preference: {} }];
    const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: "disk", operator: "Exists" }] }] };
    const affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: preferred,
        requiredDuringSchedulingIgnoredDuringExecution: required,
      },
    };

    const made = newDaemonPod(set({}, { affinity }), "b", "new");

    expect(targetNode(made)).toBe("b");
    expect(made["spec"]).not.toHaveProperty("nodeName");
    expect(made["spec"]).toMatchObject({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: preferred,
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }],
          },
        },
      },
    });
  });
});

describe("planUpkeep", () => {
  it("creates what is missing and deletes what should not be there", () => {
    const nodes = [node("a"), node("b", [{ key: "out", effect: "NoExecute" }]), node("c")];
    const plan = planUpkeep(view(set(), nodes, [pod("p", "a"), pod("q", "b")]), () => false);

    expect(plan.create).toEqual(["c"]);
    expect(names(plan.delete)).toEqual(["q"]);
  });

  it("waits for a Pod on its way out before it creates the next", () => {
    expect(planUpkeep(view(set(), [node("a")], [pod("p", "a", "going")]), () => false)).toMatchObject({
      create: [],
      delete: [],
    });
  });

  it("replaces Pods that have ended; those that failed not while the node is held back", () => {
    const pods = [pod("p", "a", "failed"), pod("q", "b", "failed"), pod("r", "c", "succeeded")];
    const plan = planUpkeep(view(set(), THREE, pods), (name) => name === "b");

    expect(names(plan.delete)).toEqual(["p", "r"]);
    expect(plan.heldBack).toEqual(["b"]);
  });

  it("keeps the oldest of several Pods", () => {
    const younger = pod("p", "a");
    younger.metadata.creationTimestamp = "2026-01-01T00:01:00Z";

    expect(names(planUpkeep(view(set(), [node("a")], [younger, pod("q", "a")]), () => false).delete)).toEqual(["p"]);
  });

  it("takes away Pods for nodes that are gone before they were placed", () => {
    const waiting = { ...newDaemonPod(set(), "gone", "new") };
    waiting.metadata.name = "w";

    expect(names(planUpkeep(view(set(), [node("a")], [pod("p", "a"), waiting]), () => false).delete)).toEqual(["w"]);
  });

  it("while surging, creates beside a Pod on its way out, and keeps old and new until the new one serves", () => {
    expect(planUpkeep(view(set(SURGE), [node("a")], [pod("p", "a", "going")]), () => false).create).toEqual(["a"]);
    const both = [pod("o", "a", "ready", "old"), pod("n", "a", "unready")];
    expect(planUpkeep(view(set(SURGE), [node("a")], both), () => false).delete).toEqual([]);
    const served = [pod("o", "a", "ready", "old"), pod("n", "a")];
    expect(names(planUpkeep(view(set(SURGE), [node("a")], served), () => false).delete)).toEqual(["o"]);
  });
});

describe("planRollingUpdate", () => {
  const old = ["a", "b", "c"].map((name) => pod(`old-${name}`, name, "ready", "old"));

  it.each<[string, KubeObject[], unknown, string[]]>([
    ["replaces as many as may be unavailable", old, 2, ["old-a", "old-b"]],
    ["takes a share of the nodes, rounded up", old, "34%", ["old-a", "old-b"]],
    ["waits for new Pods", [pod("new-a", "a", "unready"), ...old.slice(1)], 1, []],
    ["goes on when they serve", [pod("new-a", "a"), ...old.slice(1)], 1, ["old-b"]],
    [
      "replaces what does not serve anyway at once",
      [...old.slice(0, 2), pod("bad", "c", "unready", "old")],
      1,
      ["bad"],
    ],
  ])("%s", (_what, pods, maxUnavailable, expected) => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable } };

    expect(names(planRollingUpdate(view(set({ updateStrategy }), THREE, pods)).delete)).toEqual(expected);
  });

  it("surges onto as many nodes as may have two Pods", () => {
    expect(planRollingUpdate(view(set(SURGE), THREE, old))).toEqual({ create: ["a"], delete: [] });
    expect(planRollingUpdate(view(set(SURGE), THREE, [...old, pod("new-a", "a", "unready")]))).toEqual({
      create: [],
      delete: [],
    });
    const served = planRollingUpdate(view(set(SURGE), THREE, [...old, pod("new-a", "a")]));
    expect([served.create, names(served.delete)]).toEqual([["b"], ["old-a"]]);
  });
});

describe("countNodes", () => {
  it("counts by the oldest Pod of each node, and misplaced ones", () => {
    const nodes = [...THREE, node("d", [{ key: "gpu", effect: "NoSchedule" }])];
    const pods = [pod("p", "a"), pod("q", "b", "unready", "old"), pod("r", "d"), pod("s", "c", "going")];

    expect(countNodes(view(set(), nodes, pods))).toEqual({
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberMisscheduled: 1,
      numberReady: 1,
      updatedNumberScheduled: 2,
      numberAvailable: 1,
      numberUnavailable: 2,
    });
  });
});

describe("PodBackoff", () => {
  it("holds back for a second at first and twice as long each time, and forgets in half an hour", () => {
    const backoff = new PodBackoff();

    backoff.next("k", 0);
    expect([backoff.heldBackMs("k", 999), backoff.heldBackMs("k", 1_000)]).toEqual([1_000, undefined]);
    backoff.next("k", 1_000);
    expect([backoff.heldBackMs("k", 2_999), backoff.heldBackMs("k", 3_000)]).toEqual([2_000, undefined]);
    backoff.next("k", 2_000_000);
    expect([backoff.heldBackMs("k", 2_000_999), backoff.heldBackMs("k", 2_001_000)]).toEqual([1_000, undefined]);
  });
});
