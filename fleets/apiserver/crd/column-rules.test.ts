import { describe, expect, it } from "vitest";
import { columnErrors, formatWarnings, selectableFieldErrors } from "./column-rules.ts";
import type { JsonSchema } from "./schema.ts";

const SCHEMA: JsonSchema = {
  type: "object",
  properties: { spec: { type: "object", properties: { a: { type: "string" }, o: { type: "object" } } } },
};

describe("printer columns", () => {
  it("need a name, a type and a path", () => {
    expect(columnErrors([{ name: "", type: "text", jsonPath: "a" }], "c").map(({ field }) => field)).toEqual([
      "c[0].name",
      "c[0].type",
      "c[0].JSONPath",
    ]);
  });
});

describe("selectable fields", () => {
  it.each([
    [".spec.a", []],
    [
      ".spec.o",
      [
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
      ],
    ],
    [".spec.x", ["is an invalid path: does not refer to a valid field"]],
    [".spec.a[0]", ["is an invalid path: array notation is not allowed"]],
    ["spec", ["is an invalid path: expected [ or . but got: spec"]],
  ])("%s", (jsonPath, why) => {
    const errors = selectableFieldErrors([{ jsonPath }], SCHEMA, "s");

    expect(errors.map(({ message }) => message)).toEqual(
      why.map((text) => `Invalid value: ${JSON.stringify(jsonPath)}: ${text}`),
    );
  });
});

describe("formats", () => {
  it("are warned about when their type does not have them", () => {
    const properties: JsonSchema["properties"] = {
      a: { type: "string", format: "date" },
      b: { type: "string", format: "int32" },
      c: { type: "integer", format: "int32" },
    };

    expect(formatWarnings({ type: "object", properties })).toEqual(['unrecognized format "int32"']);
  });
});
