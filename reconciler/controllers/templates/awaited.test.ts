import { describe, expect, it } from "vitest";
import { Awaited } from "./awaited.ts";

describe("Awaited", () => {
  it("says who waits for something, until they are told to forget it", () => {
    const awaited = new Awaited();
    awaited.set("web", ["registry", "limits"]);
    awaited.set("cart", ["registry"]);

    expect(awaited.waitingFor("registry")).toEqual(["web", "cart"]);
    awaited.forget("web");
    expect(awaited.waitingFor("registry")).toEqual(["cart"]);
    expect(awaited.waitingFor("limits")).toEqual([]);
  });

  it("keeps only what was waited for last", () => {
    const awaited = new Awaited();
    awaited.set("web", ["registry"]);

    awaited.set("web", ["limits"]);

    expect(awaited.waitingFor("registry")).toEqual([]);
    expect(awaited.waitingFor("limits")).toEqual(["web"]);
  });
});
