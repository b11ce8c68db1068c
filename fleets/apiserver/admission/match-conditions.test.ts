import { describe, expect, it } from "vitest";
import { viewOfAny } from "../../../kube/cel/json-values.ts";
import { compileMatchConditions } from "./match-conditions.ts";

const VARIABLES = { object: viewOfAny({ data: { a: "1" } }), oldObject: null };

function outcome(...expressions: readonly string[]) {
  const conditions = expressions.map((expression, index) => ({ name: `c${index}`, expression }));
  return compileMatchConditions(conditions).evaluateWith(VARIABLES);
}

describe("match conditions", () => {
  it("match when all hold, and when there are none", () => {
    expect(outcome("object.data.a == '1'", "oldObject == null")).toBe("match");
    expect(outcome()).toBe("match");
  });

  it("do not match when one is false, whatever fails beside it", () => {
    expect(outcome("object.data.nope == '1'", "false")).toBe("no-match");
  });

  it("tell each error once", () => {
    const failing = "object.data.nope == '1'";
    const text = `expression '${failing}' resulted in error: no such key: nope`;
    expect(outcome(failing, "true")).toEqual({ error: text });
    expect(outcome(failing, failing)).toEqual({ error: text });
    expect(outcome(failing, "object.other == 1")).toEqual({
      error: `[${text}, expression 'object.other == 1' resulted in error: no such key: other]`,
    });
  });

  it("that do not compile fail when they are decided", () => {
    expect(outcome("1")).toEqual({ error: "compilation error: must evaluate to bool but got int" });
  });
});
