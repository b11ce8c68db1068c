import { describe, expect, it } from "vitest";
import { randomOverridable, randomOverridePolicy } from "../../test/random/overrides.ts";
import { testSeed } from "../../test/seed.ts";
import { Dice } from "../scheduler/testing/random-cases.ts";
import { type AnyOverridePolicy, selectOverridePolicies } from "./order.ts";
import { OverridePolicyIndex } from "./override-policies.ts";

describe("OverridePolicyIndex", () => {
  it("finds what looking at every policy finds, while policies come, change and go", () => {
    const dice = new Dice(testSeed());
    const index = new OverridePolicyIndex();
    const stored = new Map<string, AnyOverridePolicy>();
    for (let round = 0; round < 300; round++) {
      const object = randomOverridable(dice);
      // Of the two kinds.
      const policy = randomOverridePolicy(dice, object, `p${dice.between(0, 30)}`) as unknown as AnyOverridePolicy;
      const key = `${policy.kind}/${policy.metadata.namespace ?? ""}/${policy.metadata.name}`;
      if (dice.chance(0.2)) {
        index.delete(policy);
        stored.delete(key);
      } else {
        index.set(policy);
        stored.set(key, policy);
      }

      const asked = randomOverridable(dice);
      const all = [...stored.values()];
      const clusterWide = all.filter(({ kind }) => kind === "ClusterOverridePolicy");
      const { namespace } = asked.metadata;
      const inNamespace = all.filter(({ metadata }) => namespace !== undefined && metadata.namespace === namespace);
      expect(selectOverridePolicies(asked, index.clusterWide(asked))).toEqual(
        selectOverridePolicies(asked, clusterWide),
      );
      expect(selectOverridePolicies(asked, index.ofNamespace(asked))).toEqual(
        selectOverridePolicies(asked, inNamespace),
      );
    }
  });

  it("holds nothing for objects without a namespace but what is cluster-wide", () => {
    const policy: AnyOverridePolicy = {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "OverridePolicy",
      metadata: { name: "p", namespace: "shop" },
      spec: {},
    };
    const index = new OverridePolicyIndex([policy]);

    expect(index.ofNamespace({ apiVersion: "v1", kind: "Node", metadata: { name: "n" } })).toEqual([]);
    expect(index.ofNamespace({ apiVersion: "v1", kind: "Pod", metadata: { name: "n", namespace: "shop" } })).toEqual([
      policy,
    ]);
  });
});
