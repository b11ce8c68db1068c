import { describe, expect, it } from "vitest";
import type { LabelSelector } from "../../api/schema.ts";
import type { KubeObject } from "../../kube/object.ts";
import { ObjectIndex } from "./object-index.ts";
import { type Policy, PolicyIndex } from "./policy-index.ts";
import { bestSelectorMatch } from "./resource-selector.ts";

/** A small generator with a seed, so that a failure can be repeated. */
function randomFrom(seed: number): <T>(items: readonly T[]) => T {
  let state = seed;
  return (items) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return items[(state >> 8) % items.length] as (typeof items)[number];
  };
}

type Pick = ReturnType<typeof randomFrom>;

const KINDS = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "v1", kind: "ConfigMap" },
];
const NAMESPACES = ["shop", "bank", ""];
const VALUES = ["a", "b", "c"];

function randomObject(pick: Pick): KubeObject {
  const namespace = pick(NAMESPACES);
  const labels = Object.fromEntries(
    ["app", "tier"].filter(() => pick([true, false])).map((key) => [key, pick(VALUES)]),
  );
  return { ...pick(KINDS), metadata: { name: pick(["one", "two", "three"]), namespace, labels } };
}

function randomSelector(pick: Pick, scope: string): Policy["spec"]["resourceSelectors"][number] {
  const selectors: readonly (LabelSelector | undefined)[] = [
    undefined,
    {},
    { matchLabels: { app: pick(VALUES) } },
    { matchLabels: { app: pick(VALUES), tier: pick(VALUES) } },
    { matchExpressions: [{ key: "tier", operator: "In", values: [pick(VALUES), pick(VALUES)] }] },
    { matchExpressions: [{ key: "app", operator: "NotIn", values: [pick(VALUES)] }] },
    { matchExpressions: [{ key: "app", operator: "Exists" }] },
    { matchExpressions: [{ key: "app", operator: "Like" }] },
  ];
  const labelSelector = pick(selectors);
  const namespace = scope !== "" ? scope : pick(["", "shop", "bank"]);
  return {
    ...pick(KINDS),
    ...(namespace === "" ? {} : { namespace }),
    ...(pick([true, false, false]) ? { name: pick(["one", "two"]) } : {}),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

function randomPolicy(pick: Pick, name: string): Policy {
  const namespace = pick(NAMESPACES);
  const spec = { resourceSelectors: [1, 2, 3].slice(0, pick([1, 2, 3])).map(() => randomSelector(pick, namespace)) };
  const apiVersion = "policy.karmada.io/v1alpha1";
  return namespace === ""
    ? { apiVersion, kind: "ClusterPropagationPolicy", metadata: { name }, spec }
    : { apiVersion, kind: "PropagationPolicy", metadata: { name, namespace }, spec };
}

function selects(policy: Policy, object: KubeObject): boolean {
  const { namespace } = policy.metadata;
  if (namespace !== undefined && namespace !== object.metadata.namespace) return false;
  return bestSelectorMatch(object, policy.spec.resourceSelectors) > 0;
}

const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace}/${metadata.name}`;

describe.each([1, 2, 3, 4, 5])("indexes, seed %i", (seed) => {
  const pick = randomFrom(seed);
  const objects = new Map<string, KubeObject>();
  const index = new ObjectIndex();
  for (let i = 0; i < 60; i++) {
    const object = randomObject(pick);
    if (pick([true, true, true, false])) {
      objects.set(nameOf(object), object);
      index.set(object);
    } else {
      objects.delete(nameOf(object));
      index.delete(object);
    }
  }
  const policies = Array.from({ length: 60 }, (_, number) => randomPolicy(pick, `p${number}`));

  it("find the objects that a policy selects, and no other, each once", () => {
    expect(index.size).toBe(objects.size);
    for (const policy of policies) {
      const found = [...index.selectedBy(policy)].map(nameOf).sort();
      const expected = [...objects.values()].filter((object) => selects(policy, object)).map(nameOf);
      expect(found, JSON.stringify(policy)).toEqual(expected.sort());
    }
  });

  it("find every policy that selects an object", () => {
    const held = new PolicyIndex(policies);
    const replaced = policies.slice(0, 20).map((policy) => ({ ...policy, spec: { resourceSelectors: [] } }) as Policy);
    for (const policy of replaced) held.set(policy);
    held.delete(`${policies[20]?.metadata.namespace ?? ""}/p20`);

    for (const object of objects.values()) {
      const { namespaced, cluster } = held.shortlist(object);
      const found = new Set([...namespaced, ...cluster].map(nameOf));
      for (const policy of policies.slice(21))
        if (selects(policy, object)) expect(found, JSON.stringify(object)).toContain(nameOf(policy));
      for (const policy of policies.slice(0, 21)) expect(found).not.toContain(nameOf(policy));
    }
  });
});

describe("ObjectIndex", () => {
  it("forgets a kind that is gone", () => {
    const index = new ObjectIndex();
    index.set({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "shop" } });
    index.set({ apiVersion: "v1", kind: "Secret", metadata: { name: "a", namespace: "shop" } });

    index.deleteKind("v1", "ConfigMap");

    expect(index.size).toBe(1);
    expect([...index.selected({ apiVersion: "v1", kind: "ConfigMap" }, "")]).toEqual([]);
  });

  it("looks only among objects of the name, namespace or label that is asked for", () => {
    const index = new ObjectIndex();
    let read = 0;
    for (let i = 0; i < 1_000; i++) {
      const metadata = { name: `o${i}`, namespace: `n${i % 100}`, labels: { app: `a${i % 50}` } };
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata };
      index.set(
        new Proxy(object, {
          get: (target, field) => {
            if (field === "apiVersion") read++;
            return Reflect.get(target, field);
          },
        }),
      );
    }
    const asked = (selector: { name?: string; labelSelector?: LabelSelector }, scope: string): number => {
      read = 0;
      const found = [...index.selected({ apiVersion: "v1", kind: "ConfigMap", ...selector }, scope)];
      expect(found.length).toBeGreaterThan(0);
      return read;
    };

    expect(asked({ name: "o7" }, "n7")).toBe(1);
    expect(asked({ name: "o7" }, "")).toBe(1);
    expect(asked({}, "n7")).toBe(10);
    expect(asked({ labelSelector: { matchLabels: { app: "a7" } } }, "")).toBe(20);
    expect(asked({ labelSelector: { matchLabels: { app: "a7" } } }, "n7")).toBe(10);
  });
});
