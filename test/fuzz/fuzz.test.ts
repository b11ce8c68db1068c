import { describe, expect, it } from "vitest";
import { fuzz } from "./fuzz.ts";
import type { FuzzTarget } from "./fuzz-target.ts";

function target(check: FuzzTarget["check"]): FuzzTarget {
  return {
    name: "planted",
    generate: (random) => Array.from({ length: 20 }, () => random.pick(["a", "b", "c", "bad"])).join(","),
    check,
  };
}

const planted = target((input) => (String(input).includes("bad") ? "found: bad" : undefined));

describe("fuzz", () => {
  it("finds a failure, makes it small, and makes it again from its seed", async () => {
    const { failure } = await fuzz(planted, { seed: 5, iterations: 100 });
    const again = await fuzz(planted, { seed: failure!.seed, iterations: 1 });

    expect(failure?.input).toBe("bad");
    expect(again.failure?.problem).toBe("found: bad");
  });

  it("reports what throws, what pollutes the prototype and what nobody awaits", async () => {
    const throwing = await fuzz(
      target(() => {
        throw new Error("boom");
      }),
      { seed: 1, iterations: 1 },
    );
    const polluting = await fuzz(
      target(() => {
        Reflect.set(Object.prototype, "polluted", true);
        return undefined;
      }),
      { seed: 1, iterations: 1 },
    );

    expect(throwing.failure?.problem).toMatch(/^threw: Error: boom/);
    expect(polluting.failure?.problem).toBe("prototype pollution: polluted");
    expect("polluted" in {}).toBe(false);
  });

  it("reports nothing of a target that holds", async () => {
    const { failure, inputs } = await fuzz(
      target(() => undefined),
      { seed: 1, iterations: 50 },
    );

    expect([failure, inputs]).toEqual([undefined, 50]);
  });
});
