import { describe, expect, it } from "vitest";
import type { PropagationPolicy } from "../../../api/policy.ts";
import { deployment, policy } from "../../../test/builders.ts";
import { changeMetadata, claimMarks } from "../../policies/claim.ts";
import { PolicyIndex } from "../../policies/policy-index.ts";
import { templatePriority } from "./template-priority.ts";

const VALUES: Readonly<Record<string, number>> = { high: 1_000, low: -5 };

function policyOfClass(name: string, priorityClassName: string): PropagationPolicy {
  const made = policy({ name, placement: {} });
  return {
    ...made,
    spec: { ...made.spec, schedulePriority: { priorityClassSource: "KubePriorityClass", priorityClassName } },
  };
}

function priority(template: Parameters<typeof templatePriority>[0], policies: readonly PropagationPolicy[]): number {
  return templatePriority(template, new PolicyIndex(policies), (name) => VALUES[name]);
}

describe("templatePriority", () => {
  it("is the value of the class that the matching policy names", () => {
    expect(priority(deployment(), [policyOfClass("a", "high")])).toBe(1_000);
    expect(priority(deployment(), [policyOfClass("a", "low")])).toBe(-5);
  });

  it("is that of the policy which has the template already", () => {
    const [first, second] = [policyOfClass("a", "low"), policyOfClass("b", "high")];
    const template = deployment();
    const labelled = {
      ...second,
      metadata: { ...second.metadata, labels: { "propagationpolicy.karmada.io/permanent-id": "id" } },
    };
    const claimed = { ...template, metadata: changeMetadata(template.metadata, claimMarks(labelled)) };

    expect(priority(template, [first, labelled])).toBe(-5);
    expect(priority(claimed, [first, labelled])).toBe(1_000);
  });

  it("is 0 where nothing says otherwise", () => {
    expect(priority(deployment(), [policy({ name: "a", placement: {} })])).toBe(0);
    expect(priority(deployment(), [policyOfClass("a", "unknown")])).toBe(0);
    expect(priority(undefined, [policyOfClass("a", "high")])).toBe(0);
    expect(priority(deployment(), [])).toBe(0);
  });
});
