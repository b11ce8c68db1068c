import { describe, expect, it } from "vitest";
import { overridePolicy } from "../../test/builders.ts";
import { sourceChanges } from "./source-changes.ts";

function tokenPolicy(value: string, kind = "Secret") {
  return overridePolicy({
    name: "token",
    selects: [{ apiVersion: "v1", kind }],
    rules: [{ overriders: { plaintext: [{ path: "/data/token", operator: "replace", value }] } }],
  });
}

describe("the plan of an override policy", () => {
  it("says that what it writes into a Secret changes, and not what it is", () => {
    const [change] = sourceChanges(
      [{ object: tokenPolicy("bmV3"), before: tokenPolicy("b2xk"), origin: "deploy/policies.yaml:1" }],
      [],
    );

    expect(change?.fields).toEqual([
      {
        path: "spec.overrideRules[0].overriders.plaintext[0].value",
        before: "(hidden)",
        after: "(hidden, 2)",
      },
    ]);
  });

  it("shows values for other kinds", () => {
    const [change] = sourceChanges(
      [{ object: tokenPolicy("new", "ConfigMap"), before: tokenPolicy("old", "ConfigMap"), origin: "a.yaml:1" }],
      [],
    );

    expect(change?.fields[0]).toMatchObject({ before: "old", after: "new" });
  });
});
