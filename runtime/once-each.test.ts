import { describe, expect, it } from "vitest";
import { onceEach } from "./once-each.ts";

describe("onceEach", () => {
  it("answers a value once, be the answer what it may", () => {
    const asked: number[] = [];
    const make = onceEach((value: number) => {
      asked.push(value);
      return value === 1 ? undefined : value * 2;
    });

    expect([make(1), make(2), make(1), make(2)]).toEqual([undefined, 4, undefined, 4]);
    expect(asked).toEqual([1, 2]);
  });

  it("tells objects apart by identity", () => {
    const make = onceEach((object: object) => ({ ...object }));
    const [a, b] = [{}, {}];

    expect(make(a)).toBe(make(a));
    expect(make(a)).not.toBe(make(b));
  });

  it("asks again what threw", () => {
    let throws = true;
    const make = onceEach((value: string) => {
      if (throws) throw new Error(value);
      return value;
    });

    expect(() => make("a")).toThrow("a");
    throws = false;
    expect(make("a")).toBe("a");
  });
});
