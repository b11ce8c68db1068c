import { describe, expect, it } from "vitest";
import type { GracefulEvictionTask, TargetCluster } from "../../api/work.ts";
import { binding, deployment, policy } from "../../test/builders.ts";
import { whyTooMuchAtOnce } from "./workload-share.ts";

function leaving(fromCluster: string, replicas: number | undefined, more: Partial<GracefulEvictionTask> = {}) {
  return { fromCluster, reason: "X", producer: "x", ...(replicas === undefined ? {} : { replicas }), ...more };
}

function ask(
  clusters: TargetCluster[],
  tasks: GracefulEvictionTask[],
  { lost = [], dead = [], share = 0.5 }: { lost?: readonly string[]; dead?: readonly string[]; share?: number } = {},
): string | undefined {
  const made = binding({
    template: deployment(),
    policy: policy({ name: "web" }),
    clusters,
    status: { aggregatedStatus: dead.map((clusterName) => ({ clusterName, health: "Unhealthy", status: {} })) },
  });
  const spec = { ...made.spec, gracefulEvictionTasks: tasks };
  return whyTooMuchAtOnce({ ...made, spec }, "a", share, (name) => !lost.includes(name));
}

const [A, B, C] = ["a", "b", "c"].map((name) => ({ name, replicas: 2 })) as [
  TargetCluster,
  TargetCluster,
  TargetCluster,
];

describe("whyTooMuchAtOnce", () => {
  it("lets one copy leave at any time, however much of the workload it is", () => {
    expect(ask([A], [])).toBeUndefined();
    expect(ask([A, B], [], { share: 0 })).toBeUndefined();
  });

  it("lets the next wait while it would be more than the share", () => {
    expect(ask([A, B], [leaving("c", 2)])).toBe("4 of 6 replicas would be leaving at once: those in c come first");
    expect(ask([A, B, { name: "d", replicas: 4 }], [leaving("c", 2)])).toBeUndefined();
  });

  it("does not count copies in clusters that do not answer, or of which nothing is ready", () => {
    expect(ask([A, B], [leaving("c", 2)], { lost: ["a"] })).toBeUndefined();
    expect(ask([A, B], [leaving("c", 2)], { lost: ["c"] })).toBeUndefined();
    expect(ask([A, B], [leaving("c", 2)], { dead: ["a"] })).toBeUndefined();
    expect(ask([A, B], [leaving("c", 2)], { dead: ["c"] })).toBeUndefined();
  });

  it("does not wait for copies that stay until a person removes them", () => {
    expect(ask([A, B], [leaving("c", 2, { suppressDeletion: true })])).toBeUndefined();
  });

  it("counts whole copies where replicas are not divided", () => {
    const whole = ["a", "b"].map((name) => ({ name }));

    expect(ask(whole, [leaving("c", undefined)])).toContain("2 of 3 copies");
    expect(ask([...whole, { name: "d" }], [leaving("c", undefined)])).toBeUndefined();
  });

  it("says nothing of a cluster that is no target", () => {
    expect(ask([B, C], [leaving("a", 2)])).toBeUndefined();
  });
});
