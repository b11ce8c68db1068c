import { describe, expect, it } from "vitest";
import type { Controller } from "./controller.ts";
import { ControllerQueues } from "./controller-queues.ts";

function controller(name: string): Controller {
  return {
    name,
    manager: "test",
    watches: [],
    // Nothing is run here.
    reconcile: () => {
      throw new Error("not run");
    },
  };
}

const [first, second] = [controller("first"), controller("second")];

function queues(): { add(of: Controller, key: string): boolean; takeAll(): string[]; take(): string | undefined } {
  const all = new ControllerQueues([first, second]);
  const take = (): string | undefined => all.take()?.id;
  return {
    add: (of, key) => all.add({ id: `${of.name} ${key}`, controller: of, key }),
    take,
    takeAll: () => Array.from({ length: all.size }, () => take() ?? ""),
  };
}

describe("ControllerQueues", () => {
  it("gives controllers turns, and serves each one's keys as they came", () => {
    const { add, takeAll } = queues();
    for (const key of ["a", "b", "c"]) add(first, key);
    for (const key of ["x", "y"]) add(second, key);

    expect(takeAll()).toEqual(["first a", "second x", "first b", "second y", "first c"]);
  });

  it("takes a key once while it waits, and again after it was served", () => {
    const { add, takeAll } = queues();

    expect([add(first, "a"), add(first, "a")]).toEqual([true, false]);
    expect(takeAll()).toEqual(["first a"]);
    expect(add(first, "a")).toBe(true);
  });

  it("begins anew after a rest", () => {
    const { add, take } = queues();
    add(first, "a");
    take();
    expect(take()).toBeUndefined();

    add(second, "x");
    add(first, "b");

    expect(take()).toBe("first b");
  });
});
