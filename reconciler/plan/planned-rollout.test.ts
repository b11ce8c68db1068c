import { describe, expect, it } from "vitest";
import type { Placement } from "../../api/policy.ts";
import type { Rollout } from "../../api/rollout.ts";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { cluster, configMap, deployment, policy, world } from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { rolloutText } from "../reports/plan-words.ts";
import { comparePlans } from "./changes.ts";
import type { DecidedWorld } from "./compare-worlds.ts";
import { plannedRollouts } from "./planned-rollout.ts";
import { runRiver } from "./river.ts";

const NAMES = ["tokyo-1", "paris-1", "paris-2"];
const CANARY: Rollout = {
  waves: [{ name: "canary", clusterAffinity: { clusterNames: ["tokyo-1"] }, minSuccessTime: "10m" }],
  maxConcurrency: 1,
};
const WEB = refKey(refOf(deployment()));
const SETTINGS = refKey(refOf(configMap("settings")));

function withSettings(image: string, replicas = 2): KubeObject {
  const made = deployment({ replicas });
  const envFrom = [{ configMapRef: { name: "settings" } }];
  const template = { spec: { containers: [{ name: "web", image, envFrom }] } };
  return { ...made, spec: { ...(made["spec"] as object), template } };
}

interface Words {
  readonly templates: readonly KubeObject[];
  readonly rollout?: Rollout | undefined;
  readonly clusters?: readonly string[];
}

function decided({ templates, rollout = CANARY, clusters = NAMES }: Words): DecidedWorld {
  const placement: Placement = { flaghoist: { rollout } };
  const owner = policy({ name: "web", placement, clusters: [...clusters], propagateDeps: true });
  const given = world({
    clusters: NAMES.map((name) => cluster({ name })),
    policies: [owner],
    templates: [...templates],
  });
  const interpreter = createInterpreter({ native: nativeLevel() });
  return { world: given, outcomes: runRiver(given, { interpreter, now: 0 }) };
}

function planned(before: Words, after: Words) {
  const [old, fresh] = [decided(before), decided(after)];
  return plannedRollouts(old, fresh, comparePlans(old.outcomes, fresh.outcomes, NAMES).changes);
}

describe("plannedRollouts", () => {
  it("says which clusters get a change in which wave, and what each waits for", () => {
    const plans = planned({ templates: [withSettings("web:1")] }, { templates: [withSettings("web:2")] });

    expect(plans.get(WEB)).toEqual({
      waves: [
        { name: "canary", clusters: ["tokyo-1"], healthyFor: "10m" },
        { name: "rest", clusters: ["paris-1", "paris-2"], atOnce: 1 },
      ],
    });
  });

  it("has new objects go in waves, too", () => {
    expect(planned({ templates: [] }, { templates: [withSettings("web:1")] }).get(WEB)?.waves).toHaveLength(2);
  });

  it("has what others need go with them", () => {
    const [one, two] = ["a", "b"].map((x) => [withSettings("web:1"), configMap("settings", { x })]);
    const plans = planned({ templates: one ?? [] }, { templates: two ?? [] });

    expect([...plans.keys()]).toEqual([SETTINGS]);
    expect(plans.get(SETTINGS)).toMatchObject({
      with: { kind: "Deployment", name: "web" },
      waves: [{ name: "canary" }, { name: "rest" }],
    });
  });

  it("has replicas, and clusters that an object newly comes to, wait for nobody", () => {
    const before = { templates: [withSettings("web:1")], clusters: ["tokyo-1"] };

    expect(planned(before, { ...before, templates: [withSettings("web:1", 5)] }).size).toBe(0);
    expect(planned(before, { templates: before.templates }).size).toBe(0);
  });

  it("says that a rollout is paused", () => {
    const rollout = { ...CANARY, paused: true };
    const plans = planned({ templates: [withSettings("web:1")] }, { templates: [withSettings("web:2")], rollout });

    expect(plans.get(WEB)?.paused).toBe(true);
  });
});

describe("rolloutText", () => {
  it("is the order, with what is waited for", () => {
    const plans = planned({ templates: [withSettings("web:1")] }, { templates: [withSettings("web:2")] });

    expect([...plans.values()].map(rolloutText)).toEqual([
      "in 2 waves: canary: tokyo-1; healthy for 10m, then rest: paris-1, paris-2 (1 at a time)",
    ]);
  });
});
