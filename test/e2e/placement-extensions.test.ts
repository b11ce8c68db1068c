// What placement.flaghoist and plugins add to Karmada's scheduling, from the policy to the members; on both engines.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_SCHEDULING } from "../../reconciler/controllers/context.ts";
import { readDecision } from "../../reconciler/scheduler/explanation/read-decision.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { conditionOf, eventReasons, orderedReplicas, readBinding, targetsOf } from "./support/reading.ts";

const AGGREGATED = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" };
const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};

const MOODY = {
  name: "moody",
  path: join(import.meta.dirname, "testdata/moody-plugin.mjs"),
  timeoutMs: 300,
  args: { favourite: "paris-2" },
  weight: 2,
};

function mood(name: string): Record<string, unknown> {
  return { clusterTolerations: [{ key: `mood-${name}`, operator: "Exists" }] };
}

function inMood(name: string): Record<string, unknown> {
  return { ...mood(name), spreadConstraints: [{ spreadByField: "cluster", minGroups: 1, maxGroups: 2 }] };
}

describe.each(engines())("beyond Karmada, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: { scheduling: { ...DEFAULT_SCHEDULING, pluginModules: [MOODY] } },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function deploy(namespace: string, placement: Record<string, unknown>, replicas: number): Promise<void> {
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, placement }),
      deployment({ namespace, replicas }),
    );
  }

  async function untilOrdered(namespace: string, replicas: Record<string, number>): Promise<void> {
    await eventually(async () => expect(await orderedReplicas(plane, namespace)).toEqual(replicas));
  }

  it("spreads over providers, which Karmada's constraint does not", async () => {
    const spreadConstraints = [
      { spreadByField: "provider", minGroups: 3 },
      { spreadByField: "cluster", minGroups: 3, maxGroups: 3 },
    ];
    await deploy("strict", { replicaScheduling: AGGREGATED, spreadConstraints, flaghoist: { strictSpread: true } }, 6);
    await deploy("loose", { replicaScheduling: AGGREGATED, spreadConstraints: spreadConstraints.slice(1) }, 6);

    await eventually(async () => {
      const strict = await orderedReplicas(plane, "strict");
      expect(Object.keys(strict).sort()).toEqual(["paris-1", "paris-2", "tokyo-1"]);
      expect(Object.values(strict).reduce((sum: number, own) => sum + Number(own), 0)).toBe(6);
      expect(Object.values(await orderedReplicas(plane, "loose"))).toEqual([6]);
    });
  });

  it("gives every cluster the fewest replicas it asks for, on fewer clusters", async () => {
    await deploy("fewest", { replicaScheduling: DYNAMIC, flaghoist: { minReplicasPerCluster: 3 } }, 7);

    await eventually(async () => {
      const replicas = Object.values(await orderedReplicas(plane, "fewest")).map(Number);
      expect(replicas.sort()).toEqual([3, 4]);
    });
  });

  it("prefers the clusters that an expression scores highest", async () => {
    const scores = [
      { expression: "cluster.provider == 'aws' ? 100 : cluster.region == 'eu-west' ? 10 : 0", weight: 50 },
    ];
    await deploy("scored", { replicaScheduling: AGGREGATED, flaghoist: { scores } }, 4);

    await untilOrdered("scored", { "tokyo-1": 4 });
  });

  it("records decisions so that they can be replayed, with scores and what plugins refused", async () => {
    await deploy("recorded", inMood("picky"), 2);
    await untilOrdered("recorded", { "paris-2": 2, "tokyo-1": 2 });

    for (const namespace of ["strict", "fewest", "scored", "recorded"]) {
      const binding = await readBinding(plane, namespace, "web-deployment");
      const read = readDecision(binding);
      expect(read, namespace).toMatchObject({ state: "whole", decision: { answer: { failedGroups: [] } } });
      if (namespace !== "recorded" || read.state !== "whole") continue;
      const refused = read.trace?.clusters.find((entry) => entry.verdict === "refused");
      expect(refused).toMatchObject({
        cluster: "paris-1",
        refusals: [{ filter: "moody", detail: "plugin moody: no gcp" }],
      });
    }
  });

  it("refuses an expression that is wrong, at its place", async () => {
    const flaghoist = { scores: [{ expression: "cluster.providr == 'aws' ? 100 : 0" }] };

    await expect(deploy("wrong", { replicaScheduling: AGGREGATED, flaghoist }, 4)).rejects.toThrow(
      /spec\.placement\.flaghoist\.scores\[0\]\.expression: .*line 1, column 8: undefined field 'providr'/,
    );
  });

  it("lets a plugin refuse clusters and prefer others", async () => {
    await deploy("picky", inMood("picky"), 2);

    await untilOrdered("picky", { "paris-2": 2, "tokyo-1": 2 });
  });

  it.each([
    ["throws", "plugin moody failed for cluster paris-1: filter threw Error: no mood for this"],
    ["hangs", "plugin moody failed for cluster paris-1: filter did not answer within 300 ms"],
    ["nan", "plugin moody failed for cluster paris-1: score answered NaN, not a number from 0 to 100"],
  ])("keeps the placement while a plugin %s, says so, and goes on when it is well again", async (name, message) => {
    const namespace = `mood-${name}`;
    await deploy(namespace, inMood("calm"), 2);
    await eventually(async () => {
      const binding = await readBinding(plane, namespace, "web-deployment");
      expect(conditionOf(binding, "Scheduled")).toMatchObject({ status: "True" });
    });
    const before = targetsOf(await readBinding(plane, namespace, "web-deployment"));
    expect(Object.keys(before)).toHaveLength(2);

    await applyAll(plane.client, policy({ namespace, placement: inMood(name) }));

    await eventually(async () => {
      const binding = await readBinding(plane, namespace, "web-deployment");
      expect(conditionOf(binding, "Scheduled")).toMatchObject({ status: "False", reason: "SchedulerError", message });
    });
    expect(targetsOf(await readBinding(plane, namespace, "web-deployment"))).toEqual(before);
    expect(await eventReasons(plane, namespace, "ResourceBinding", "web-deployment")).toContain(
      "ScheduleBindingFailed",
    );

    await applyAll(plane.client, policy({ namespace, placement: inMood("picky") }));

    await eventually(async () => {
      const binding = await readBinding(plane, namespace, "web-deployment");
      expect(conditionOf(binding, "Scheduled")).toMatchObject({ status: "True", reason: "Success" });
    });
    await untilOrdered(namespace, { "paris-2": 2, "tokyo-1": 2 });
  });
});
