// Choice of policies against the rules once more, as short and as slow as can be. A failure names the seed; set TEST_SEED
// to see it again and TEST_CASES to try more.
import { describe, expect, it } from "vitest";
import type { ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type AnyPolicy, randomPolicies, randomResource } from "../../test/random/matching.ts";
import { testSeed } from "../../test/seed.ts";
import { Dice } from "../scheduler/testing/random-cases.ts";
import { changeMetadata, readClaim } from "./claim.ts";
import { decideTemplate } from "./decide-template.ts";
import { matchPolicy } from "./match.ts";
import { PolicyIndex, policyKey } from "./policy-index.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 800);

function forCases(check: (dice: Dice) => void): void {
  for (let i = 0; i < CASES; i++) {
    try {
      check(new Dice(SEED + i));
    } catch (error) {
      throw new Error(`TEST_SEED=${SEED + i}`, { cause: error });
    }
  }
}

const PREFIX = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const WORD = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function isKey(text: string): boolean {
  const parts = text.split("/");
  const name = parts.at(-1) ?? "";
  return (
    parts.length <= 2 && WORD.test(name) && name.length <= 63 && (parts.length === 1 || PREFIX.test(parts[0] ?? ""))
  );
}

function isValue(text: string): boolean {
  return text === "" || (text.length <= 63 && WORD.test(text));
}

/** Undefined for a selector that is not valid, which matches nothing. */
function labelsMatch(selector: NonNullable<ResourceSelector["labelSelector"]>, labels: Record<string, string>) {
  const all = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, operator: "In", values: [value] })),
    ...(selector.matchExpressions ?? []),
  ];
  let matches = true;
  for (const { key, operator, values = [] } of all) {
    const wantsValues = operator === "In" || operator === "NotIn";
    if (!wantsValues && operator !== "Exists" && operator !== "DoesNotExist") return undefined;
    if (wantsValues !== values.length > 0 || !isKey(key) || !values.every(isValue)) return undefined;
    const has = Object.hasOwn(labels, key);
    const isIn = has && values.includes(labels[key] ?? "");
    if (operator === "In" && !isIn) matches = false;
    if (operator === "NotIn" && isIn) matches = false;
    if (operator === "Exists" && !has) matches = false;
    if (operator === "DoesNotExist" && has) matches = false;
  }
  return matches;
}

function closeness(object: KubeObject, selector: ResourceSelector): number {
  const { name, namespace = "", labels = {} } = object.metadata;
  if (selector.apiVersion !== object.apiVersion || selector.kind !== object.kind) return 0;
  if ((selector.namespace ?? "") !== "" && selector.namespace !== namespace) return 0;
  if ((selector.name ?? "") !== "") return selector.name === name ? 3 : 0;
  if (selector.labelSelector === undefined) return 1;
  return labelsMatch(selector.labelSelector, labels) === true ? 2 : 0;
}

function closest(object: KubeObject, policy: AnyPolicy): number {
  return Math.max(0, ...policy.spec.resourceSelectors.map((selector) => closeness(object, selector)));
}

/** The best of those that select the object: priority, then how closely, then the first name. */
function bestOf(object: KubeObject, policies: readonly AnyPolicy[]): AnyPolicy | undefined {
  let best: AnyPolicy | undefined;
  for (const policy of policies) {
    if (closest(object, policy) === 0 || policy.metadata.deletionTimestamp !== undefined) continue;
    if (best === undefined || precedes(object, policy, best)) best = policy;
  }
  return best;
}

function precedes(object: KubeObject, one: AnyPolicy, other: AnyPolicy): boolean {
  const priorities = [one.spec.priority ?? 0, other.spec.priority ?? 0] as const;
  if (priorities[0] !== priorities[1]) return priorities[0] > priorities[1];
  const ways = [closest(object, one), closest(object, other)] as const;
  if (ways[0] !== ways[1]) return ways[0] > ways[1];
  return (one.metadata.name ?? "") < (other.metadata.name ?? "");
}

function chooseNaively(object: KubeObject, policies: readonly AnyPolicy[]): string | undefined {
  const own = policies.filter(
    (policy) => policy.kind === "PropagationPolicy" && policy.metadata.namespace === object.metadata.namespace,
  );
  const wide = policies.filter((policy) => policy.kind === "ClusterPropagationPolicy");
  const chosen = bestOf(object, own) ?? bestOf(object, wide);
  return chosen === undefined ? undefined : policyKey(chosen);
}

function keyOf(policy: AnyPolicy | undefined): string | undefined {
  return policy === undefined ? undefined : policyKey(policy);
}

describe(`matchPolicy (seed ${SEED})`, () => {
  it("chooses as the rules say", () => {
    let matched = 0;
    forCases((dice) => {
      const object = randomResource(dice);
      const policies = randomPolicies(dice, object);
      const expected = chooseNaively(object, policies);
      if (expected !== undefined) matched++;

      expect(keyOf(matchPolicy(object, policies).policy)).toBe(expected);
    });
    expect(matched).toBeGreaterThan(CASES / 5);
  });

  it("does not depend on the order in which policies and selectors are listed", () => {
    forCases((dice) => {
      const object = randomResource(dice);
      const policies = randomPolicies(dice, object);
      const shuffled = dice.shuffle(policies).map((policy) => ({
        ...policy,
        spec: { ...policy.spec, resourceSelectors: dice.shuffle(policy.spec.resourceSelectors) },
      }));

      const one = matchPolicy(object, policies);
      const other = matchPolicy(object, shuffled);

      expect(keyOf(other.policy)).toBe(keyOf(one.policy));
      const verdicts = (match: typeof one) => match.candidates.map((each) => [policyKey(each.policy), each.verdict]);
      expect(verdicts(other)).toEqual(verdicts(one));
    });
  });

  it("finds in an index that changed step by step what it finds in a new one", () => {
    const dice = new Dice(SEED);
    const index = new PolicyIndex();
    const present = new Map<string, AnyPolicy>();
    for (let i = 0; i < CASES; i++) {
      const object = randomResource(dice);
      for (const policy of randomPolicies(dice, object).slice(0, 3)) {
        if (dice.chance(0.3)) {
          index.delete(policyKey(policy));
          present.delete(policyKey(policy));
        } else {
          index.set(policy);
          present.set(policyKey(policy), policy);
        }
      }
      const fresh = matchPolicy(object, [...present.values()]);

      expect(keyOf(matchPolicy(object, index).policy), `TEST_SEED=${SEED}, step ${i}`).toBe(keyOf(fresh.policy));
      expect(keyOf(fresh.policy)).toBe(chooseNaively(object, [...present.values()]));
    }
  });
});

describe(`decideTemplate (seed ${SEED})`, () => {
  it("leaves a template with the policy that claimed it for as long as there is one of that name", () => {
    let kept = 0;
    let freed = 0;
    forCases((dice) => {
      let template = randomResource(dice);
      const policies = new Map(withIds(randomPolicies(dice, template)).map((policy) => [policyKey(policy), policy]));
      for (let step = 0; step < 6; step++) {
        const claimed = readClaim(template.metadata);
        const key = claimed === undefined ? undefined : `${claimed.namespace}/${claimed.name}`;
        const decision = decideTemplate(template, {
          policies: new PolicyIndex(policies.values()),
          overrideExists: () => true,
          changedByUs: false,
        });

        const holder = key === undefined ? undefined : policies.get(key);
        if (key === undefined) {
          const expected = chooseNaively(template, [...policies.values()]);
          expect(decision.action).toBe(expected === undefined ? "wait" : "apply");
          if (decision.action === "apply") expect(keyOf(decision.policy)).toBe(expected);
        } else if (holder === undefined) {
          freed++;
          expect(decision.action).toBe("release");
        } else if (holder.metadata.deletionTimestamp !== undefined) expect(decision.action).toBe("retry");
        else {
          kept++;
          expect(decision.action).toBe(closest(template, holder) > 0 ? "apply" : "stop");
          if (decision.action === "apply") expect(keyOf(decision.policy)).toBe(key);
        }

        const change = decision.action === "release" ? decision.change : undefined;
        const claim = decision.action === "apply" ? decision.claim : change;
        if (claim !== undefined) template = { ...template, metadata: changeMetadata(template.metadata, claim) };
        if (decision.action === "release") expect(readClaim(template.metadata)).toBeUndefined();
        if (decision.action === "apply") {
          const { namespace, name } = readClaim(template.metadata) ?? {};
          expect(`${namespace}/${name}`).toBe(keyOf(decision.policy));
        }
        // Better policies appear, old ones go, and now and then the holder itself.
        for (const policy of withIds(randomPolicies(dice, template)).slice(0, 2))
          policies.set(policyKey(policy), policy);
        if (dice.chance(0.3)) policies.delete(dice.pick([...policies.keys(), ""]));
        if (dice.chance(0.15) && key !== undefined) policies.delete(key);
      }
    });
    expect(kept).toBeGreaterThan(0);
    expect(freed).toBeGreaterThan(0);
  });
});

/** As admission stores them: with the id by which templates are claimed. */
function withIds(policies: readonly AnyPolicy[]): AnyPolicy[] {
  return policies.map((policy) => {
    const label = `${policy.kind.toLowerCase()}.karmada.io/permanent-id`;
    return { ...policy, metadata: { ...policy.metadata, labels: { [label]: `id-of-${policyKey(policy)}` } } };
  });
}
