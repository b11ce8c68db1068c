import { describe, expect, it } from "vitest";
import { PriorityLine } from "./priority-line.ts";

function takeAll(line: PriorityLine): string[] {
  const taken: string[] = [];
  for (let key = line.take(); key !== undefined; key = line.take()) taken.push(key);
  return taken;
}

describe("PriorityLine", () => {
  it("gives higher priorities first, and among equals the one that came first", () => {
    const line = new PriorityLine();
    for (const [key, priority] of [
      ["a", 0],
      ["b", 5],
      ["c", -1],
      ["d", 5],
      ["e", 2],
      ["f", 0],
    ] as const)
      line.add(key, priority);

    expect(line.size).toBe(6);
    expect(takeAll(line)).toEqual(["b", "d", "e", "a", "f", "c"]);
    expect(line.size).toBe(0);
  });

  it("keeps a key in its place, and forgets one that is taken out", () => {
    const line = new PriorityLine();
    line.add("a", 1);
    line.add("b", 1);
    line.add("a", 9);
    line.add("only", 3);
    line.delete("only");
    line.delete("unknown");

    expect(line.has("only")).toBe(false);
    expect(takeAll(line)).toEqual(["a", "b"]);
    line.add("c", 0);
    line.clear();
    expect(line.take()).toBeUndefined();
  });
});
