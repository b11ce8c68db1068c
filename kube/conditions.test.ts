import { describe, expect, it } from "vitest";
import { findCondition, isConditionTrue, removeCondition, setCondition } from "./conditions.ts";
import type { Condition } from "./object.ts";

const READY: Condition = {
  type: "Ready",
  status: "True",
  reason: "Synced",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};
const LATER = "2026-01-02T00:00:00Z";

describe("setCondition", () => {
  it("appends a new type with the time given", () => {
    const list = setCondition(undefined, { ...READY, lastTransitionTime: "" }, LATER);

    expect(list).toEqual([{ ...READY, lastTransitionTime: LATER }]);
  });

  it("keeps the time and the place while the status stays", () => {
    const other: Condition = { ...READY, type: "Other" };

    const list = setCondition([READY, other], { ...READY, reason: "Again", lastTransitionTime: LATER });

    expect(list).toEqual([{ ...READY, reason: "Again" }, other]);
  });

  it("moves the time when the status changes", () => {
    const list = setCondition([READY], { ...READY, status: "False", reason: "Failed" }, LATER);

    expect(findCondition(list, "Ready")?.lastTransitionTime).toBe(LATER);
    expect(isConditionTrue(list, "Ready")).toBe(false);
    expect(removeCondition(list, "Ready")).toEqual([]);
  });
});
