import { describe, expect, it } from "vitest";
import { selectGroups } from "./groups.ts";

/** Groups written as `name(value,weight)`. */
function groups(text: string) {
  return [...text.matchAll(/(\w+)\((\d+),(\d+)\)/g)].map(([, name = "", value, weight]) => ({
    name,
    value: Number(value),
    weight: Number(weight),
  }));
}

describe("selectGroups", () => {
  it.each([
    ["a(2,10) b(3,20) c(6,5) d(7,1)", { min: 2, max: 2, target: 7 }, "b,c"],
    ["r1(2,2100) r2(2,2000) r3(1,1000)", { min: 1, max: 3, target: 4 }, "r1,r2"],
    ["r1(3,3000) r2(2,2000) r3(4,1000) r4(5,500)", { min: 1, max: 4, target: 6 }, "r1,r2,r3"],
    ["r1(3,100) r2(2,100) r3(4,100)", { min: 2, max: 4, target: 1 }, "r1,r3"],
    ["a(1,10) b(1,30) c(1,20)", { min: 3, max: 5, target: 2 }, "b,c,a"],
    ["a(1,50) b(1,40) c(1,30) d(2,100)", { min: 1, max: 3, target: 3 }, "d,a"],
    ["R1(1,60) R2(2,50) R3(3,40) R4(4,30)", { min: 1, max: 2, target: 5 }, "R1,R4"],
    ["a(1,1) b(1,1)", { min: 1, max: 2, target: 3 }, ""],
    ["a(1,1) b(1,1)", { min: 1, max: 0, target: 0 }, ""],
  ])("takes from %s with %j: %s", (text, bounds, expected) => {
    expect(
      selectGroups(groups(text), bounds)
        .map((group) => group.name)
        .join(","),
    ).toBe(expected);
  });

  it("answers at once for more groups than could be tried out", () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ name: `r${i}`, value: 1 + (i % 7), weight: 1000 + 13 * i }));

    const chosen = selectGroups(many, { min: 20, max: 30, target: 90 });

    expect(chosen.length).toBeGreaterThanOrEqual(20);
    expect(chosen.length).toBeLessThanOrEqual(30);
  });
});
