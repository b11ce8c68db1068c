import { describe, expect, it } from "vitest";
import { statusInObject } from "./status-in-object.ts";

describe("statusInObject", () => {
  it("leaves out which generation a status is about, since writing it would make another one", () => {
    const status = {
      phase: "Healthy",
      observedGeneration: 4,
      conditions: [{ type: "Available", status: "True", observedGeneration: 4 }, "odd"],
    };

    expect(statusInObject(status)).toEqual({
      phase: "Healthy",
      conditions: [{ type: "Available", status: "True" }, "odd"],
    });
  });

  it.each([undefined, null, "Ready", { phase: "Ready" }, { conditions: null }])("leaves %j as it is", (status) => {
    expect(statusInObject(status)).toEqual(status);
  });
});
