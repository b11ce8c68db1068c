import { describe, expect, it } from "vitest";
import { divideByWeight, traceSeats } from "./webster.ts";

function divide(total: number, weights: Record<string, number>, descending = false): string {
  const shares = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  return [...divideByWeight(total, shares, descending).values()].join("/");
}

describe("divideByWeight", () => {
  it.each([
    [12, { A: 3, B: 2, C: 1 }, "6/4/2"],
    [13, { A: 3, B: 2, C: 1 }, "7/4/2"],
    [14, { A: 3, B: 2, C: 1 }, "7/5/2"],
    [9, { A: 1, B: 3 }, "2/7"],
    [1, { A: 1, B: 1 }, "1/0"],
    [10, { A: 1, B: 1, C: 1 }, "4/3/3"],
    [12, { A: 20, B: 12, C: 6 }, "6/4/2"],
    [5, { A: 1, B: 2 }, "2/3"],
    [7, { A: 60, B: 30, C: 10 }, "4/2/1"],
    [100, { A: 7, B: 5, C: 3, D: 1 }, "44/31/19/6"],
    [3, { A: 1, B: 1, C: 1000 }, "0/0/3"],
    [5, { A: 0, B: 0 }, "0/0"],
    [0, { A: 1 }, "0"],
  ])("divides %i over %j as %s", (total, weights, expected) => {
    expect(divide(total, weights)).toBe(expected);
  });

  it("lets the last name win ties when asked to", () => {
    expect(divide(1, { A: 1, B: 1 }, true)).toBe("0/1");
    expect(divide(10, { A: 1, B: 1, C: 1 }, true)).toBe("3/3/4");
  });

  it("copes with more replicas than anybody has", () => {
    expect(divide(2_000_000_000, { A: 2, B: 1, C: 1 })).toBe("1000000000/500000000/500000000");
  });
});

describe("traceSeats", () => {
  it("tells seat by seat who won over whom", () => {
    const steps = traceSeats(
      3,
      [
        { name: "paris-1", weight: 2 },
        { name: "tokyo-1", weight: 1 },
      ],
      false,
      2,
    );

    expect(steps).toEqual([
      { seat: 1, name: "paris-1", quotient: 2, over: { name: "tokyo-1", quotient: 1 } },
      { seat: 2, name: "tokyo-1", quotient: 1, over: { name: "paris-1", quotient: 2 / 3 } },
    ]);
  });
});
