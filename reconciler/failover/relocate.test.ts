import { describe, expect, it } from "vitest";
import type { ResourceBinding, TargetCluster } from "../../api/work.ts";
import { binding as bindingOf, deployment, policy } from "../../test/builders.ts";
import type { SchedulingDecision } from "../scheduler/decide-scheduling.ts";
import type { OccasionKind } from "../scheduler/occasion.ts";
import { withHeldReplicas } from "../scheduler/relocation/held-replicas.ts";
import { HOME_CLUSTERS_ANNOTATION } from "../scheduler/relocation/home-clusters.ts";
import type { Move } from "../scheduler/relocation/relocation.ts";
import { HELD_REPLICAS_ANNOTATION } from "../works/metadata-keys.ts";
import { holdsBack, releaseRelocated, relocate } from "./relocate.ts";

function targets(words: Readonly<Record<string, number>>): TargetCluster[] {
  return Object.entries(words).map(([name, replicas]) => ({ name, replicas }));
}

function binding(clusters: Readonly<Record<string, number>>): ResourceBinding {
  return bindingOf({
    template: deployment(),
    policy: policy({ name: "web", placement: {} }),
    clusters: targets(clusters),
  });
}

function move(clusters: Readonly<Record<string, number>>, kind: OccasionKind = "fail-back", endsAtHome = true): Move {
  const decision: SchedulingDecision = {
    verdict: "scheduled",
    reason: "",
    events: [],
    requeue: "done",
    failedGroups: [],
  };
  return {
    verdict: "move",
    occasion: { kind, reason: "returns" },
    reason: "returns",
    input: binding({}),
    decision,
    clusters: targets(clusters),
    endsAtHome,
  };
}

describe("relocate", () => {
  it("keeps the copy of a cluster that is left for as long as its successor takes", () => {
    const { spec, metadata } = relocate(binding({ a: 6 }), move({ b: 6 }), undefined);

    expect(spec.clusters).toEqual([{ name: "b", replicas: 6 }]);
    expect(spec.gracefulEvictionTasks).toEqual([
      {
        fromCluster: "a",
        replicas: 6,
        producer: "flaghoist-relocation",
        reason: "FailBack",
        message: "returns",
        purgeMode: "Gracefully",
        suppressDeletion: true,
      },
    ]);
    expect(metadata.annotations?.[HELD_REPLICAS_ANNOTATION]).toBeUndefined();
  });

  it("lets the copy of a cluster that is not ready go after the usual time", () => {
    const { spec } = relocate(binding({ a: 6 }), move({ b: 6 }, "target-not-ready"), undefined);

    expect(spec.gracefulEvictionTasks?.[0]).not.toHaveProperty("suppressDeletion");
  });

  it("has clusters that lose some replicas keep them meanwhile", () => {
    const moved = relocate(binding({ a: 3, b: 3 }), move({ a: 2, b: 2, c: 2 }), undefined);

    expect(moved.metadata.annotations?.[HELD_REPLICAS_ANNOTATION]).toBe('{"a":3,"b":3}');
    expect(withHeldReplicas(moved, moved.spec.clusters ?? [])).toEqual(targets({ a: 3, b: 3, c: 2 }));
  });

  it("holds nothing back where two copies at a time are forbidden, and for Jobs", () => {
    const strict = binding({ a: 3, b: 3 });
    const direct = { ...strict, spec: { ...strict.spec, failover: { cluster: { purgeMode: "Directly" as const } } } };
    const resource = { ...strict.spec.resource, apiVersion: "batch/v1", kind: "Job" };
    const job = { ...strict, spec: { ...strict.spec, resource } };

    const moved = relocate(direct, move({ a: 2, c: 4 }), undefined);

    expect(moved.metadata.annotations?.[HELD_REPLICAS_ANNOTATION]).toBeUndefined();
    expect(moved.spec.gracefulEvictionTasks).toMatchObject([{ fromCluster: "b", purgeMode: "Directly" }]);
    expect(relocate(job, move({ a: 2, b: 4 }), undefined).metadata.annotations).not.toHaveProperty([
      HELD_REPLICAS_ANNOTATION,
    ]);
  });

  it("remembers where it belongs until it is there", () => {
    const away = binding({ b: 6 });
    const annotations = { ...away.metadata.annotations, [HOME_CLUSTERS_ANNOTATION]: "{}" };
    const remembering = { ...away, metadata: { ...away.metadata, annotations } };
    const homeAfter = (endsAtHome: boolean) =>
      relocate(remembering, move({ a: 6 }, "fail-back", endsAtHome), undefined).metadata.annotations?.[
        HOME_CLUSTERS_ANNOTATION
      ];

    expect(homeAfter(false)).toBe("{}");
    expect(homeAfter(true)).toBeUndefined();
    const remembered = { [HOME_CLUSTERS_ANNOTATION]: "new" };
    expect(relocate(away, move({ c: 6 }), remembered).metadata.annotations).toMatchObject(remembered);
  });
});

describe("releaseRelocated", () => {
  const moved = relocate(binding({ a: 3, b: 3 }), move({ b: 2, c: 4 }), undefined);

  it("waits until the successors are well", () => {
    expect(holdsBack(moved)).toBe(true);
    expect(releaseRelocated(moved, false)).toBeUndefined();
  });

  it("lets everything go that was held, and nothing else", () => {
    const task = { fromCluster: "d", producer: "TaintManager", reason: "TaintUntolerated" };
    const tasks = [...(moved.spec.gracefulEvictionTasks ?? []), task];
    const both = { ...moved, spec: { ...moved.spec, gracefulEvictionTasks: tasks } } as ResourceBinding;

    const released = releaseRelocated(both, true);

    expect(released?.spec.gracefulEvictionTasks).toEqual([task]);
    expect(released?.spec.clusters).toEqual(targets({ b: 2, c: 4 }));
    expect(released?.metadata.annotations).not.toHaveProperty([HELD_REPLICAS_ANNOTATION]);
    expect(released === undefined ? true : holdsBack(released)).toBe(false);
  });

  it("has nothing to do for a binding that nobody moved", () => {
    expect(releaseRelocated(binding({ a: 3 }), true)).toBeUndefined();
  });
});

describe("withHeldReplicas", () => {
  it("passes over an annotation that makes no sense", () => {
    const one = binding({ a: 3 });
    const holding = (text: string) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { [HELD_REPLICAS_ANNOTATION]: text } },
    });

    for (const text of ["", "[", "null", "7", '{"a":"5"}', '{"a":1}', '{"z":9}'])
      expect(withHeldReplicas(holding(text), targets({ a: 3 }))).toEqual(targets({ a: 3 }));
  });
});
