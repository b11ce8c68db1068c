import { describe, expect, it } from "vitest";
import type { ResourceInterpreterWebhookConfiguration } from "../../../api/config.ts";
import { InterpreterHooks } from "./hooks.ts";

type Rule = Partial<Record<"operations" | "apiGroups" | "apiVersions" | "kinds", string[]>>;

function configuration(
  name: string,
  webhooks: readonly { readonly name: string; readonly rules: readonly Rule[]; readonly versions?: string[] }[],
): ResourceInterpreterWebhookConfiguration {
  return {
    apiVersion: "config.karmada.io/v1alpha1",
    kind: "ResourceInterpreterWebhookConfiguration",
    metadata: { name },
    webhooks: webhooks.map((webhook) => ({
      name: webhook.name,
      clientConfig: { url: "https://127.0.0.1" },
      interpreterContextVersions: webhook.versions ?? ["v1alpha1"],
      rules: webhook.rules.map((rule) => ({
        operations: ["*"],
        apiGroups: ["*"],
        apiVersions: ["*"],
        kinds: ["*"],
        ...rule,
      })),
    })),
  };
}

const GADGET = { group: "example.com", version: "v1", kind: "Gadget" };

describe("InterpreterHooks", () => {
  it.each<[string, Rule, boolean]>([
    ["everything", {}, true],
    ["the operation", { operations: ["Retain", "InterpretHealth"] }, true],
    ["another operation", { operations: ["Retain"] }, false],
    ["the group", { apiGroups: ["example.com"] }, true],
    ["another group", { apiGroups: [""] }, false],
    ["the version", { apiVersions: ["v1"] }, true],
    ["another version", { apiVersions: ["v1beta1"] }, false],
    ["the kind", { kinds: ["Widget", "Gadget"] }, true],
    ["another kind", { kinds: ["gadget"] }, false],
    ["nothing", { kinds: [] }, false],
  ])("matches a rule for %s", (_what, rule, expected) => {
    const hooks = new InterpreterHooks([configuration("a", [{ name: "x", rules: [rule] }])]);

    expect(hooks.find(GADGET, "InterpretHealth") !== undefined).toBe(expected);
  });

  it("asks the first of those that match, by name of the configuration and of the webhook", () => {
    const hooks = new InterpreterHooks([
      configuration("b", [{ name: "a", rules: [{}] }]),
      configuration("a", [
        { name: "z", rules: [{}] },
        { name: "c", rules: [{ operations: ["Retain"] }] },
      ]),
    ]);

    expect(hooks.find(GADGET, "Retain")?.id).toBe("a/c");
    expect(hooks.find(GADGET, "InterpretHealth")?.id).toBe("a/z");
  });

  it("orders by the whole text, so that a longer name of a configuration may come first", () => {
    const hooks = new InterpreterHooks([
      configuration("a", [{ name: "x", rules: [{}] }]),
      configuration("a-b", [{ name: "x", rules: [{}] }]),
    ]);

    expect(hooks.find(GADGET, "Retain")?.id).toBe("a-b/x");
  });

  it("leaves out webhooks that do not understand our requests, and those without rules", () => {
    const hooks = new InterpreterHooks([
      configuration("a", [
        { name: "a", rules: [{}], versions: ["v2"] },
        { name: "b", rules: [] },
      ]),
    ]);

    expect(hooks.find(GADGET, "Retain")).toBeUndefined();
  });

  it("waits 10 seconds unless the webhook says otherwise", () => {
    const hooks = new InterpreterHooks([configuration("a", [{ name: "a", rules: [{}] }])]);

    expect(hooks.find(GADGET, "Retain")?.timeoutMs).toBe(10_000);
  });

  it("gives a changed webhook another version", () => {
    const one = new InterpreterHooks([configuration("a", [{ name: "a", rules: [{}] }])]);
    const same = new InterpreterHooks([configuration("a", [{ name: "a", rules: [{}] }])]);
    const other = new InterpreterHooks([configuration("a", [{ name: "a", rules: [{}, {}] }])]);

    expect(same.find(GADGET, "Retain")?.version).toBe(one.find(GADGET, "Retain")?.version);
    expect(other.find(GADGET, "Retain")?.version).not.toBe(one.find(GADGET, "Retain")?.version);
  });
});
