import { describe, expect, it } from "vitest";
import type { Component, NodeClaim, ReplicaRequirements } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";
import { testSeed } from "../../test/seed.ts";
import { ClusterRoom } from "./cluster-room.ts";
import { NaiveCluster } from "./naive-placement.ts";
import { readComponentRequests, readNodeRequest } from "./node-request.ts";
import { PodReader, readNodeDetails } from "./pod-facts.ts";

const CASES = Number(process.env["ESTIMATOR_CASES"] ?? 150);
const SEED = testSeed();

const TAINTS = [
  { key: "dedicated", value: "gpu", effect: "NoSchedule" },
  { key: "flaky", effect: "NoExecute" },
  { key: "slow", effect: "PreferNoSchedule" },
];

function randomNode(dice: Dice, name: string): KubeObject {
  const allocatable: Record<string, string> = {
    cpu: dice.pick(["500m", "2", "4", "7500m"]),
    memory: dice.pick(["1Gi", "4Gi", "3000M"]),
    pods: String(dice.pick([0, 3, 10])),
  };
  if (dice.chance(0.5)) allocatable["ephemeral-storage"] = dice.pick(["1G", "10Gi"]);
  if (dice.chance(0.3)) allocatable["example.com/gpu"] = "4";
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { disk: dice.pick(["ssd", "hdd"]), tier: dice.pick(["a", "b", "c"]) } },
    spec: { taints: dice.some(TAINTS, 0.2), ...(dice.chance(0.1) ? { unschedulable: true } : {}) },
    status: { allocatable },
  };
}

function randomRequests(dice: Dice): Record<string, string> {
  const requests: Record<string, string> = {};
  if (dice.chance(0.8)) requests["cpu"] = dice.pick(["0", "50m", "250m", "0.3", "1", "3"]);
  if (dice.chance(0.7)) requests["memory"] = dice.pick(["16Mi", "300M", "1Gi", "1e9"]);
  if (dice.chance(0.2)) requests["ephemeral-storage"] = dice.pick(["100M", "1Gi"]);
  if (dice.chance(0.2)) requests["example.com/gpu"] = dice.pick(["1", "3"]);
  if (dice.chance(0.1)) requests["unheard-of"] = "1";
  return requests;
}

function randomPod(dice: Dice, uid: string, nodes: readonly string[]): KubeObject {
  const nodeName = dice.chance(0.85) ? dice.pick([...nodes, "gone"]) : undefined;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: uid, namespace: "shop", uid },
    spec: { nodeName, containers: [{ name: "c", resources: { requests: randomRequests(dice) } }] },
    status: { phase: dice.pick(["Running", "Running", "Pending", "Succeeded", "Failed"]) },
  };
}

function randomClaim(dice: Dice): NodeClaim {
  const affinity = {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: "tier", operator: dice.pick(["In", "NotIn"]), values: dice.some(["a", "b"], 0.6) }] },
    ].filter((term) => term.matchExpressions[0]?.values.length !== 0),
  };
  return {
    ...(dice.chance(0.3) ? { nodeSelector: { disk: "ssd" } } : {}),
    ...(dice.chance(0.4) ? { hardNodeAffinity: affinity } : {}),
    ...(dice.chance(0.4)
      ? {
          tolerations: dice.some(
            [
              { key: "dedicated", operator: "Equal", value: dice.pick(["gpu", "db"]), effect: "NoSchedule" },
              { key: "flaky", operator: "Exists" },
              { key: "node.kubernetes.io/unschedulable", operator: "Exists" },
              { operator: "Exists", effect: "NoSchedule" },
            ],
            0.5,
          ),
        }
      : {}),
  };
}

function randomRequirements(dice: Dice): ReplicaRequirements {
  return { resourceRequest: randomRequests(dice), ...(dice.chance(0.6) ? { nodeClaim: randomClaim(dice) } : {}) };
}

/** A cluster that changes, seen by both models. */
class World {
  readonly room = new ClusterRoom();
  readonly #reader = new PodReader("karmada");
  readonly #nodes = new Map<string, KubeObject>();
  readonly #pods = new Map<string, KubeObject>();

  change(dice: Dice): void {
    const name = `node-${dice.between(1, 6)}`;
    const uid = `pod-${dice.between(1, 25)}`;
    const what = dice.next();
    if (what < 0.25) {
      const node = randomNode(dice, name);
      this.#nodes.set(name, node);
      this.room.setNode(readNodeDetails(node));
    } else if (what < 0.3) {
      this.#nodes.delete(name);
      this.room.deleteNode(name);
    } else if (what < 0.85) {
      const pod = randomPod(dice, uid, [...this.#nodes.keys()]);
      this.#pods.set(uid, pod);
      this.room.setPod(uid, this.#reader.read(pod));
    } else {
      this.#pods.delete(uid);
      this.room.deletePod(uid);
    }
  }

  naive(): NaiveCluster {
    // Without zones, nodes are tried by name.
    const names = [...this.#nodes.keys()].sort();
    return new NaiveCluster(
      names.flatMap((name) => this.#nodes.get(name) ?? []),
      [...this.#pods.values()],
    );
  }
}

describe(`ClusterRoom, at random (TEST_SEED=${SEED})`, () => {
  it("has room for as many replicas as can be put there one by one, after every change", () => {
    const dice = new Dice(SEED);
    for (let each = 0; each < CASES; each++) {
      const world = new World();
      // Both are asked for again and again, so that kept answers meet changes.
      const asked = [randomRequirements(dice), randomRequirements(dice)].map((requirements) => ({
        requirements,
        request: readNodeRequest(requirements),
      }));
      for (let step = 0; step < 40; step++) {
        world.change(dice);
        const { requirements, request } = dice.pick(asked);
        const where = `case ${each}, step ${step}: ${JSON.stringify(requirements)}`;
        expect(world.room.replicas(request), where).toBe(world.naive().fillWith(requirements));
      }
    }
  });

  it("has room for as many sets of components as can be put there one by one, beside those on their way", () => {
    const dice = new Dice(SEED + 1);
    const limit = 200;
    const randomSet = (): Component[] =>
      Array.from({ length: dice.between(1, 3) }, (_, index) => ({
        name: `c${index}`,
        replicas: dice.between(0, 4),
        replicaRequirements: randomRequirements(dice),
      }));
    for (let each = 0; each < CASES; each++) {
      const world = new World();
      for (let step = 0; step < 40; step++) world.change(dice);
      const components = randomSet();
      const pending = Array.from({ length: dice.between(0, 2) }, randomSet);
      const naive = world.naive();
      for (const set of pending) naive.fillWithSets(set, 1);

      const sets = world.room.sets(readComponentRequests(components), pending.map(readComponentRequests));

      const where = `case ${each}: ${JSON.stringify({ components, pending })}`;
      if (world.room.nodeCount > 0) expect(Math.min(sets, limit), where).toBe(naive.fillWithSets(components, limit));
    }
  });
});
