import { describe, expect, it } from "vitest";
import { completeSteps, runSteps, type Steps, waitFor } from "./steps.ts";

function* sum(left: number | Promise<number>, right: number | Promise<number>): Steps<number> {
  const a = yield* waitFor(left);
  const b = yield* waitFor(right);
  return a + b;
}

function* recovered(value: Promise<number>): Steps<string> {
  try {
    return String(yield* waitFor(value));
  } catch (error) {
    return `caught ${(error as Error).message}`;
  }
}

describe("runSteps", () => {
  it("answers at once when nothing waits", () => {
    expect(runSteps(sum(1, 2))).toBe(3);
  });

  it("answers a promise when something waits", async () => {
    const result = runSteps(sum(Promise.resolve(1), Promise.resolve(2)));

    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe(3);
  });

  it("throws at the place that waited", async () => {
    expect(await runSteps(recovered(Promise.reject(new Error("lost"))))).toBe("caught lost");
  });

  it("rejects with what the work throws, once", async () => {
    await expect(runSteps(sum(Promise.reject(new Error("lost")), 1))).rejects.toThrow("lost");
  });

  it("rejects with what is thrown after a wait", async () => {
    function* broken(): Steps<number> {
      yield* waitFor(Promise.resolve(1));
      throw new Error("late");
    }

    await expect(runSteps(broken())).rejects.toThrow("late");
  });
});

describe("completeSteps", () => {
  it("answers work that does not wait, and refuses work that does", () => {
    expect(completeSteps(sum(1, 2))).toBe(3);
    expect(() => completeSteps(sum(Promise.resolve(1), 2))).toThrow("must not wait");
  });
});
