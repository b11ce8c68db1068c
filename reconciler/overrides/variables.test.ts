import { describe, expect, it } from "vitest";
import { validateOverridePolicy } from "../../api/admission/override.ts";
import type { Cluster } from "../../api/cluster.ts";
import type { OverridePolicy, Overriders } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { applyOverrides } from "./apply-overrides.ts";
import type { OverrideResult } from "./override-result.ts";

const paris: Cluster = {
  apiVersion: "cluster.karmada.io/v1alpha1",
  kind: "Cluster",
  metadata: {
    name: "paris-1",
    labels: { tier: "gold", "example.com/site": "fr", empty: "" },
    annotations: { owner: "team a" },
  },
  spec: { syncMode: "Push", region: "eu-west", zones: ["eu-west-a", "eu-west-b"] },
};

const object: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "shop" },
  data: { "a.yaml": "x: 1\n" },
};

function policyOf(overriders: Overriders, variables = true): OverridePolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name: "vars", namespace: "shop" },
    spec: { overrideRules: [{ overriders }], ...(variables ? { flaghoist: { variables } } : {}) },
  };
}

function override(overriders: Overriders, variables = true): OverrideResult {
  const overridePolicies = [policyOf(overriders, variables)];
  return applyOverrides({ object, cluster: paris, clusterOverridePolicies: [], overridePolicies });
}

function data(value: unknown, variables = true): unknown {
  const { data } = override({ plaintext: [{ path: "/data/v", operator: "add", value }] }, variables).object;
  return (data as Record<string, unknown>)["v"];
}

function refused(overriders: Overriders): string[] {
  return validateOverridePolicy(policyOf(overriders)).map(({ field, words }) => `${field}: ${words}`);
}

describe("variables in override values", () => {
  it.each([
    ["${cluster.name}", "paris-1"],
    ["${cluster.region}/${cluster.zone}", "eu-west/eu-west-a"],
    ["${cluster.provider:-none}", "none"],
    ["${cluster.labels.tier}", "gold"],
    ["${cluster.labels['example.com/site']}", "fr"],
    ['${cluster.annotations["owner"]}', "team a"],
    ["${cluster.labels.none:-web}", "web"],
    ["${cluster.labels.none:-}", ""],
    ["${cluster.labels.empty}", ""],
    ["${cluster.labels.empty:-full}", "full"],
    ["$${cluster.name}", "${cluster.name}"],
    ["$5 {a} $", "$5 {a} $"],
  ])("%s is %s", (text, value) => {
    expect(data(text)).toBe(value);
  });

  it("are filled in however deep a value is, and in every overrider", () => {
    expect(data({ list: ["${cluster.name}", 1, null], map: { a: "x-${cluster.region}" } })).toEqual({
      list: ["paris-1", 1, null],
      map: { a: "x-eu-west" },
    });
    const { object: result } = override({
      labelsOverrider: [{ operator: "add", value: { site: "${cluster.labels.tier}" } }],
      annotationsOverrider: [{ operator: "add", value: { from: "${cluster.name}" } }],
      fieldOverrider: [
        { fieldPath: "/data/a.yaml", yaml: [{ subPath: "/y1", operator: "add", value: "${cluster.region}" }] },
      ],
    });
    expect(result.metadata).toMatchObject({ labels: { site: "gold" }, annotations: { from: "paris-1" } });
    expect(result["data"]).toEqual({ "a.yaml": "x: 1\ny1: eu-west\n" });
  });

  it("are plain text in a policy that does not ask for them", () => {
    expect(data("${cluster.name}", false)).toBe("${cluster.name}");
  });

  it("are recorded as the policy has them, while the provenance has what became of them", () => {
    const { appliedAnnotations, provenance } = override({
      plaintext: [{ path: "/data/v", operator: "add", value: "${cluster.name}" }],
    });

    expect(appliedAnnotations["policy.karmada.io/applied-overrides"]).toContain("${cluster.name}");
    expect(provenance[0]).toMatchObject({ path: "/data/v", value: "paris-1" });
  });

  it("without a value stop the copy, and say which variable of which overrider", () => {
    try {
      data("${cluster.labels.none}");
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      expect(error.message).toBe(
        "OverridePolicy shop/vars, spec.overrideRules[0].overriders.plaintext[0], cannot be carried out for cluster paris-1: cluster paris-1 has no label none, which ${cluster.labels.none} asks for; set it, or write ${cluster.labels.none:-DEFAULT}",
      );
      expect(error.details).toMatchObject({ path: "/data/v", cluster: "paris-1", rule: 0 });
    }
  });

  it.each([
    [
      "${cluster.regoin}",
      "there is no variable ${cluster.regoin}, did you mean cluster.region; there are cluster.name",
    ],
    ["${HOME}", "there is no variable ${HOME}; there are"],
    ["${cluster.labels}", "${cluster.labels}: name one of the labels"],
    ["${cluster.name.x}", "${cluster.name.x}: cluster.name is a text and has no parts"],
    ["${cluster.labels[tier]}", "cannot be read"],
    ["a ${cluster.name", "has no closing brace"],
  ])("that cannot be read are refused at admission: %s", (text, words) => {
    const [refusal = ""] = refused({ plaintext: [{ path: "/a", operator: "add", value: { deep: [text] } }] });

    expect(refusal).toContain("spec.overrideRules[0].overriders.plaintext[0].value: ");
    expect(refusal).toContain(words);
  });

  it("may stand in labels, which are checked around them", () => {
    const add = (value: string): Overriders => ({ labelsOverrider: [{ operator: "add", value: { a: value } }] });

    expect(refused(add("site-${cluster.labels['example.com/site']}"))).toEqual([]);
    expect(refused(add("no spaces ${cluster.name}"))).toHaveLength(1);
  });
});
