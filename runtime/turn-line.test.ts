import { describe, expect, it } from "vitest";
import { TurnLine } from "./turn-line.ts";

function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** How many steps computed in each turn of the event loop. */
async function stepsPerTurn(count: number, ms: number): Promise<number[]> {
  const line = new TurnLine();
  const turns: number[] = [0];
  let isOver = false;
  const count_ = (): void => {
    if (isOver) return;
    turns.push(0);
    setImmediate(count_);
  };
  setImmediate(count_);
  await Promise.all(
    Array.from({ length: count }, async () => {
      await line.enter();
      compute(ms);
      turns[turns.length - 1]!++;
    }),
  );
  isOver = true;
  return turns;
}

describe("TurnLine", () => {
  it("lets all go on at once that fit into a turn", async () => {
    expect((await stepsPerTurn(20, 0)).reduce((a, b) => a + b)).toBe(20);
  });

  it("spreads what does not fit over several turns", async () => {
    const turns = await stepsPerTurn(12, 4);

    expect(turns.reduce((a, b) => a + b)).toBe(12);
    expect(turns.filter((steps) => steps > 0).length).toBeGreaterThan(2);
  });

  it("goes in order, and takes who comes meanwhile", async () => {
    const line = new TurnLine();
    const order: string[] = [];
    const step = async (name: string): Promise<void> => {
      await line.enter();
      order.push(name);
      if (name === "a") await step("d");
    };

    await Promise.all([step("a"), step("b"), step("c")]);

    expect(order.slice(0, 3)).toEqual(["a", "b", "c"]);
    expect(order).toContain("d");
    await line.enter();
  });
});
