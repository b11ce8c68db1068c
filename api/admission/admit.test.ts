import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { defaultObject, hasAdmissionRules, validateObject } from "./admit.ts";
import type { AdmissionContext } from "./context.ts";
import { deletionRefusal } from "./deletion.ts";
import { invalid, refusalText } from "./field-error.ts";

function context(operation: AdmissionContext["operation"]): AdmissionContext {
  return { operation, requestNamespace: "shop", nowMs: 0, newUuid: () => "fresh" };
}

function object(apiVersion: string, kind: string, rest: Partial<KubeObject> = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: "web" }, ...rest };
}

describe("defaultObject", () => {
  it("gives bindings an id when they are new, and Works whenever they have none", () => {
    const binding = object("work.karmada.io/v1alpha2", "ResourceBinding", { spec: {} });
    const work = object("work.karmada.io/v1alpha1", "Work", { spec: {} });
    const named = object("work.karmada.io/v1alpha1", "Work", {
      metadata: { labels: { "work.karmada.io/permanent-id": "old" } },
    });

    expect(defaultObject(binding, context("CREATE")).metadata.labels).toEqual({
      "resourcebinding.karmada.io/permanent-id": "fresh",
    });
    expect(defaultObject(binding, context("UPDATE")).metadata.labels).toBeUndefined();
    expect(defaultObject(work, context("UPDATE")).metadata.labels).toEqual({ "work.karmada.io/permanent-id": "fresh" });
    expect(defaultObject(named, context("CREATE"))).toBe(named);
  });

  it("leaves objects of other kinds as they are", () => {
    const deployment = object("apps/v1", "Deployment");

    expect(defaultObject(deployment, context("CREATE"))).toBe(deployment);
    expect(validateObject(deployment)).toEqual([]);
    expect(hasAdmissionRules("apps", "Deployment")).toBe(false);
    expect(hasAdmissionRules("policy.karmada.io", "PropagationPolicy")).toBe(true);
  });
});

describe("deletionRefusal", () => {
  it("protects only objects labelled Always", () => {
    const label = "resourcetemplate.karmada.io/deletion-protected";

    expect(deletionRefusal(object("v1", "Namespace", { metadata: { labels: { [label]: "Always" } } }))).toContain(
      label,
    );
    expect(deletionRefusal(object("v1", "Namespace", { metadata: { labels: { [label]: "always" } } }))).toBeUndefined();
    expect(deletionRefusal(object("v1", "Namespace"))).toBeUndefined();
  });
});

describe("refusalText", () => {
  it("says one refusal plainly and lists several", () => {
    const first = invalid("spec.a", 1, "is odd");

    expect(refusalText([first])).toBe("spec.a: Invalid value: 1: is odd");
    expect(refusalText([first, first, invalid("spec.b", {}, "is even")])).toBe(
      "[spec.a: Invalid value: 1: is odd, spec.b: Invalid value: is even]",
    );
  });
});
