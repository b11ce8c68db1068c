import { describe, expect, it } from "vitest";
import { claimed, configMap, deployment, policy } from "../../test/builders.ts";
import { chooseLed, goesWith, sameNeeds, worstOf } from "./needs.ts";

const OURS = policy({ name: "web" });
const OTHERS = policy({ name: "settings" });
const SETTINGS = configMap("settings");

describe("goesWith", () => {
  it("is so for what merely follows, where that is sent along", () => {
    expect(goesWith(claimed(deployment(), OURS), SETTINGS, true)).toBe(true);
    expect(goesWith(claimed(deployment(), OURS), SETTINGS, false)).toBe(false);
  });

  it("is so for what the same policy has, and for nothing of another", () => {
    expect(goesWith(claimed(deployment(), OURS), claimed(SETTINGS, OURS), false)).toBe(true);
    expect(goesWith(claimed(deployment(), OURS), claimed(SETTINGS, OTHERS), true)).toBe(false);
  });
});

describe("sameNeeds", () => {
  it.each([
    [{ a: "1" }, { a: "1" }, true],
    [{ a: "1" }, { a: "2" }, false],
    [{ a: "1" }, { a: "1", b: "1" }, false],
    [{ a: "1" }, undefined, false],
    [undefined, { a: "1" }, true],
    [undefined, undefined, true],
  ])("of %j and %j is %s", (before, after, same) => {
    expect(sameNeeds(before, after)).toBe(same);
  });
});

describe("chooseLed", () => {
  it("is nothing before anybody's turn has come", () => {
    expect(chooseLed([], "now")).toBeUndefined();
  });

  it("is what is needed there, and the present revision as soon as one needs that", () => {
    expect(chooseLed([{ revision: "old" }], "now")).toBe("old");
    expect(chooseLed([{ revision: "old" }, { revision: "now" }], "now")).toBe("now");
  });

  it("is the present revision for whoever does not say", () => {
    expect(chooseLed([{ revision: undefined }], "now")).toBe("now");
  });
});

describe("worstOf", () => {
  it("is the worst of an object and what it needs", () => {
    const ill = { copy: "unhealthy" as const, message: "why" };

    expect(worstOf({ copy: "healthy" }, [])).toEqual({ copy: "healthy" });
    expect(worstOf({ copy: "healthy" }, [{ copy: "pending" }, ill])).toEqual(ill);
    expect(worstOf({ copy: "failed" }, [ill])).toEqual({ copy: "failed" });
  });
});
