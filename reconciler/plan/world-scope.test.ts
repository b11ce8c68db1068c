// What a plan reads is a part of the control plane only. These changes are compared in that part and in the whole.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { cluster, configMap, deployment, overridePolicy, policy, weighted } from "../../test/builders.ts";
import { openQuietPlane, type QuietPlane } from "../../test/quiet-plane.ts";
import { testSeed } from "../../test/seed.ts";
import { Dice } from "../scheduler/testing/random-cases.ts";
import { compareWorlds } from "./compare-worlds.ts";
import type { FolderChange } from "./folder-change.ts";
import { loadWorld } from "./world.ts";
import { WorldInterpreters } from "./world-interpreters.ts";
import { loadConcernedWorld } from "./world-scope.ts";

const CLUSTERS = ["a", "b", "c", "d"];
const SELECT_DEPLOYMENTS = { apiVersion: "apps/v1", kind: "Deployment" };
const interpretations = new WorldInterpreters("flaghoist");
const { signal } = new AbortController();

let plane: QuietPlane;
let stored: KubeObject[];

beforeAll(async () => {
  plane = await openQuietPlane();
  await plane.create([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    ...CLUSTERS.map((name) => cluster({ name, region: name < "c" ? "eu" : "us" })),
    ...["settings", "rates", "spare"].map((name) => configMap(name, { of: name })),
    ...Array.from({ length: 10 }, (_, i) =>
      deployment({
        name: `app-${i}`,
        replicas: 4 + i,
        labels: { tier: i % 3 === 0 ? "front" : "back" },
        settings: i % 2 === 0 ? "settings" : "rates",
      }),
    ),
    policy({ name: "all", propagateDeps: true, placement: weighted({ a: 1, b: 2, c: 1 }), clusters: ["a", "b", "c"] }),
    policy({
      name: "front",
      priority: 10,
      selects: [{ ...SELECT_DEPLOYMENTS, labelSelector: { matchLabels: { tier: "front" } } }],
      clusters: ["b", "d"],
      propagateDeps: true,
    }),
    policy({ name: "one", priority: 20, selects: [{ ...SELECT_DEPLOYMENTS, name: "app-1" }], clusters: ["d"] }),
    overridePolicy({
      name: "registry",
      selects: [SELECT_DEPLOYMENTS],
      rules: [
        {
          targetCluster: { clusterNames: ["b", "d"] },
          overriders: { imageOverrider: [{ component: "Registry", operator: "replace", value: "eu.example" }] },
        },
      ],
    }),
    overridePolicy({
      name: "level",
      selects: [{ apiVersion: "v1", kind: "ConfigMap", name: "settings" }],
      rules: [{ overriders: { plaintext: [{ path: "/data/level", operator: "add", value: "debug" }] } }],
    }),
  ]);
  await plane.placeAll(interpretations);
  const { templates, policies, overridePolicies } = await loadWorld(plane.client);
  stored = [...templates, ...policies, ...overridePolicies].filter(({ metadata }) => metadata.namespace === "shop");
}, 60_000);

afterAll(() => plane.close());

/** Several objects changed, made or removed, as a push would. */
function randomChange(dice: Dice): FolderChange {
  const desired = new Map<string, FolderChange["desired"][number]>();
  const removed = new Map<string, FolderChange["removed"][number]>();
  for (let i = dice.between(1, 4); i > 0; i--) {
    const before = dice.pick(stored);
    const key = refKey(refOf(before));
    desired.delete(key);
    removed.delete(key);
    if (dice.chance(0.25)) removed.set(key, { object: refOf(before), origin: undefined });
    else desired.set(key, { object: changed(dice, before), before, origin: "apps/all.yaml:1" });
  }
  if (dice.chance(0.4)) {
    const fresh = dice.pick([
      deployment({ name: "fresh", replicas: 5, settings: "spare", labels: { tier: "front" } }),
      policy({ name: "fresh", priority: 30, selects: [{ ...SELECT_DEPLOYMENTS, name: "app-3" }], clusters: ["c"] }),
    ]) as unknown as KubeObject;
    desired.set(refKey(refOf(fresh)), { object: fresh, before: undefined, origin: "apps/new.yaml:1" });
  }
  return {
    base: undefined,
    desired: [...desired.values()],
    removed: [...removed.values()],
    kept: [],
    hooks: [],
    held: undefined,
    deletionsUnknown: undefined,
    problems: [],
    rendered: [],
  };
}

function changed(dice: Dice, object: KubeObject): KubeObject {
  const fresh = structuredClone(object) as KubeObject & { spec: Record<string, unknown>; data: Record<string, string> };
  switch (object.kind) {
    case "Deployment":
      if (dice.chance(0.5)) fresh.spec["replicas"] = dice.between(0, 12);
      if (dice.chance(0.4))
        fresh.metadata.labels = { ...fresh.metadata.labels, tier: dice.pick(["front", "back", "none"]) };
      if (dice.chance(0.4)) {
        const name = object.metadata.name ?? "";
        fresh.spec = deployment({ name, image: "shop/web:2", settings: dice.pick(["settings", "rates", "spare"]) })[
          "spec"
        ] as Record<string, unknown>;
      }
      return fresh;
    case "ConfigMap":
      return { ...fresh, data: { ...fresh.data, more: "x" } };
    case "PropagationPolicy":
      if (dice.chance(0.5)) fresh.spec["placement"] = { clusterAffinity: { clusterNames: [dice.pick(CLUSTERS), "c"] } };
      if (dice.chance(0.5))
        fresh.spec["resourceSelectors"] = [{ ...SELECT_DEPLOYMENTS, name: `app-${dice.between(0, 9)}` }];
      return fresh;
    default:
      fresh.spec["resourceSelectors"] = [{ ...SELECT_DEPLOYMENTS, name: `app-${dice.between(0, 9)}` }];
      return fresh;
  }
}

describe("loadConcernedWorld", () => {
  const seed = testSeed();
  it.each(Array.from({ length: 60 }, (_, i) => seed + i))(
    "holds all that a plan tells of the whole world (%i)",
    async (one) => {
      const change = randomChange(new Dice(one));
      const options = { interpretations, signal, nowMs: 0, originOf: () => undefined };
      const part = await loadConcernedWorld(plane.client, change, (rules) => interpretations.of(rules), signal);

      const [whole, concerned] = [
        await compareWorlds(await loadWorld(plane.client), change, options),
        await compareWorlds(part, change, options),
      ];

      expect(concerned.plan).toEqual(whole.plan);
      expect(concerned.whatIf).toEqual(whole.whatIf);
    },
  );

  it("leaves out what a change of one object does not concern", async () => {
    const app = stored.find(({ metadata }) => metadata.name === "app-4");
    if (app === undefined) throw new Error("app-4 is stored");
    const change: FolderChange = {
      ...randomChange(new Dice(1)),
      desired: [{ object: changed(new Dice(1), app), before: app, origin: "apps/all.yaml:1" }],
      removed: [],
    };

    const { templates } = await loadConcernedWorld(plane.client, change, (rules) => interpretations.of(rules), signal);

    expect(templates.map(({ metadata }) => metadata.name).sort()).toEqual(["app-4", "settings"]);
  });
});
