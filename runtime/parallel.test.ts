import { describe, expect, it } from "vitest";
import { mapLimit, yieldToLoop } from "./parallel.ts";

describe("mapLimit", () => {
  it("answers in the order of the items, whatever the order of ending", async () => {
    const results = await mapLimit([3, 1, 2], 3, async (turns) => {
      for (let i = 0; i < turns; i++) await yieldToLoop();
      return turns * 10;
    });

    expect(results).toEqual([30, 10, 20]);
  });

  it.each([
    { limit: 1, most: 1 },
    { limit: 3, most: 3 },
    { limit: 100, most: 8 },
    { limit: 0, most: 1 },
  ])("runs $most of 8 at once with a limit of $limit", async ({ limit, most }) => {
    let running = 0;
    let seen = 0;
    await mapLimit(Array.from({ length: 8 }), limit, async () => {
      seen = Math.max(seen, ++running);
      await yieldToLoop();
      running--;
    });

    expect(seen).toBe(most);
  });

  it("answers nothing to nothing", async () => {
    expect(await mapLimit([], 4, async () => 1)).toEqual([]);
  });

  it("begins nothing after a failure, and rejects only when what was begun has ended", async () => {
    const begun: number[] = [];
    let ended = 0;
    const work = mapLimit([0, 1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      if (item === 0) throw new Error("first");
      await yieldToLoop();
      ended++;
    });

    await expect(work).rejects.toThrow("first");
    expect({ begun, ended }).toEqual({ begun: [0, 1], ended: 1 });
  });
});
