import { describe, expect, it } from "vitest";
import { binding, deployment, policy } from "../../test/builders.ts";
import { decideReturnedCopy, type ReturnedCopyRequest } from "./returned-copy.ts";

const BACK = Date.parse("2026-01-01T12:00:00Z");
const MOVED = binding({
  template: deployment(),
  policy: policy({ name: "web" }),
  clusters: [{ name: "tokyo-1", replicas: 3 }],
});

function decide(change: Partial<ReturnedCopyRequest> = {}): string {
  return decideReturnedCopy({
    binding: MOVED,
    cluster: "paris-1",
    removedAt: BACK - 60_000,
    answersSince: BACK,
    isReplaced: false,
    othersAreWell: false,
    readyReplicas: 3,
    ...change,
  }).verdict;
}

describe("decideReturnedCopy", () => {
  it("keeps a copy for the time being whose successors are not well", () => {
    expect(decide()).toBe("wait");
    expect(decide({ isReplaced: true })).toBe("remove");
  });

  it("keeps the copy of a workload that has no place at all", () => {
    const stranded = { ...MOVED, spec: { ...MOVED.spec, clusters: [] } };

    expect(decide({ binding: stranded, isReplaced: true })).toBe("wait");
  });

  it("keeps it for good when the workload is to run there again", () => {
    const returned = { ...MOVED, spec: { ...MOVED.spec, clusters: [{ name: "paris-1", replicas: 3 }] } };

    expect(decide({ binding: returned })).toBe("keep");
  });

  it("keeps it as it is while it is to run there again with fewer replicas, until the others are well", () => {
    const clusters = [
      { name: "paris-1", replicas: 1 },
      { name: "tokyo-1", replicas: 5 },
    ];
    const shrunk = { ...MOVED, spec: { ...MOVED.spec, clusters } };

    expect(decide({ binding: shrunk })).toBe("wait");
    expect(decide({ binding: shrunk, readyReplicas: 1 })).toBe("keep");
    expect(decide({ binding: shrunk, othersAreWell: true })).toBe("keep");
    const uncounted = { ...MOVED, spec: { ...MOVED.spec, clusters: [{ name: "paris-1" }, { name: "tokyo-1" }] } };
    expect(decide({ binding: uncounted })).toBe("keep");
  });

  it("carries out what was ordered while the cluster answered", () => {
    expect(decide({ removedAt: BACK + 1_000 })).toBe("remove");
    expect(decide({ removedAt: BACK })).toBe("wait");
  });

  it("removes what nobody wants any more, and what must never run twice", () => {
    const deleted = { ...MOVED, metadata: { ...MOVED.metadata, deletionTimestamp: "2026-01-01T11:00:00Z" } };
    const once = { ...MOVED, spec: { ...MOVED.spec, failover: { cluster: { purgeMode: "Directly" as const } } } };

    expect(decide({ binding: undefined })).toBe("remove");
    expect(decide({ binding: deleted })).toBe("remove");
    expect(decide({ binding: once })).toBe("remove");
  });
});
