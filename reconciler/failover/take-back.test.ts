import { describe, expect, it } from "vitest";
import type { GracefulEvictionTask, ResourceBindingSpec } from "../../api/work.ts";
import { takeBackTo } from "./take-back.ts";

const RESOURCE = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };

function task(fromCluster: string, replicas?: number): GracefulEvictionTask {
  const told = { fromCluster, producer: "TaintManager", reason: "TaintUntolerated" };
  return replicas === undefined ? told : { ...told, replicas };
}

function spec(words: Partial<ResourceBindingSpec>): ResourceBindingSpec {
  return { resource: RESOURCE, ...words };
}

describe("takeBackTo", () => {
  it("gives clusters the replicas that they had, and leaves the others' as they are", () => {
    const tasks = [task("paris", 2), task("lyon", 3)];
    const before = spec({ replicas: 7, clusters: [{ name: "tokyo", replicas: 2 }], gracefulEvictionTasks: tasks });

    expect(takeBackTo(before, tasks)).toEqual(
      spec({
        replicas: 7,
        clusters: [
          { name: "tokyo", replicas: 2 },
          { name: "paris", replicas: 2 },
          { name: "lyon", replicas: 3 },
        ],
      }),
    );
  });

  it("gives back no more than are missing by now", () => {
    const tasks = [task("paris", 2), task("lyon", 2)];
    const before = spec({ replicas: 5, clusters: [{ name: "tokyo", replicas: 2 }], gracefulEvictionTasks: tasks });

    expect(takeBackTo(before, tasks).clusters).toEqual([
      { name: "tokyo", replicas: 2 },
      { name: "paris", replicas: 2 },
      { name: "lyon", replicas: 1 },
    ]);
  });

  it("leaves to the scheduler what has no number, and keeps tasks that have not ended", () => {
    const [ended, standing] = [task("paris"), task("lyon")];
    const before = spec({ clusters: [{ name: "tokyo" }], gracefulEvictionTasks: [ended, standing] });

    expect(takeBackTo(before, [ended])).toEqual(
      spec({ clusters: [{ name: "tokyo" }], gracefulEvictionTasks: [standing] }),
    );
  });
});
