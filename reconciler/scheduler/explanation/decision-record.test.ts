// A record is a smaller problem with the same answer.
import { describe, expect, it } from "vitest";
import type { Placement } from "../../../api/policy.ts";
import { cluster } from "../../../test/builders.ts";
import { testSeed } from "../../../test/seed.ts";
import { APPLIED_PLACEMENT_ANNOTATION } from "../applied-placement.ts";
import { decideScheduling } from "../decide-scheduling.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import type { Binding } from "../occasion.ts";
import type { SchedulingOptions } from "../options.ts";
import { Dice, type RandomCase, randomCase } from "../testing/random-cases.ts";
import { DECISION_ANNOTATION, DECISION_FLEET_ANNOTATION, recordDecision } from "./decision-record.ts";
import { readDecision } from "./read-decision.ts";
import { answerText, recordAnswer } from "./recorded-decision.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 400);
const NOW = Date.parse("2026-11-28T12:00:00Z");

function bindingOf({ spec, status }: Pick<RandomCase, "spec" | "status">): Binding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: "web-deployment",
      namespace: "shop",
      generation: 1,
      labels: { "propagationpolicy.karmada.io/permanent-id": "id" },
    },
    spec,
    status,
  };
}

/** Decides and writes the decision down as the loop does. */
function decideAndRecord(binding: Binding, fleet: FleetIndex, options: SchedulingOptions = {}) {
  const decision = decideScheduling(binding, fleet, NOW, options);
  const recorded = recordDecision({ binding, fleet, options, decision, now: NOW });
  const annotations = { ...binding.metadata.annotations, ...decision.annotations, ...recorded };
  const stored: Binding = JSON.parse(
    JSON.stringify({
      ...binding,
      metadata: { ...binding.metadata, annotations },
      spec: { ...binding.spec, clusters: decision.clusters ?? binding.spec.clusters },
    }),
  );
  return { decision, stored, size: Object.values(recorded).join("").length };
}

function randomOptions(dice: Dice, names: readonly string[]): SchedulingOptions {
  const members = () =>
    Array.from({ length: dice.between(0, 3) }, () => ({ clusters: dice.some(names, 0.4).map((name) => ({ name })) }));
  const room = new Map(dice.some(names, 0.5).map((name) => [name, dice.between(-1, 20)]));
  return {
    ...(dice.chance(0.3) ? { estimates: [{ name: "estimator", replicasOf: (name) => room.get(name) }] } : {}),
    ...(dice.chance(0.2) ? { emptyWorkloadPropagation: true } : {}),
    ...(dice.chance(0.2) ? { compatibility: "1.19" as const } : {}),
    ...(dice.chance(0.2) ? { withoutLocality: true } : {}),
    ...(dice.chance(0.2) ? { disabledFilters: ["TaintToleration" as const] } : {}),
    ...(dice.chance(0.3) ? { affinityMembers: members(), antiAffinityMembers: members() } : {}),
    ...(dice.chance(0.2)
      ? { pluginRefusals: new Map(dice.some(names, 0.3).map((name) => [name, { plugin: "cost", reason: "dear" }])) }
      : {}),
    ...(dice.chance(0.2)
      ? {
          pluginScores: new Map(
            names.map((name) => [name, [{ name: "cost", value: dice.between(0, 100), weight: dice.between(1, 3) }]]),
          ),
        }
      : {}),
    ...(dice.chance(0.3)
      ? {
          assumedWorkloads: new Map(
            dice
              .some(names, 0.3)
              .map((name) => [
                name,
                [{ components: [{ replicas: 3, replicaRequirements: { resourceRequest: { cpu: "1" } } }] }],
              ]),
          ),
        }
      : {}),
    featureGates: {
      WorkloadAffinity: dice.chance(0.3),
      SchedulingOvercommitProtection: dice.chance(0.3),
      CustomizedClusterResourceModeling: dice.chance(0.7),
      MultiplePodTemplatesScheduling: dice.chance(0.3),
    },
  };
}

/** What `placement.flaghoist` adds. */
function beyondKarmada(dice: Dice): Placement {
  if (dice.chance(0.5)) return {};
  return {
    flaghoist: {
      ...(dice.chance(0.5) ? { strictSpread: true } : {}),
      ...(dice.chance(0.3) ? { minReplicasPerCluster: dice.between(1, 2) } : {}),
      ...(dice.chance(0.4)
        ? { scores: [{ expression: "cluster.region == 'eu-west' ? 90 : 10", weight: dice.between(1, 3) }] }
        : {}),
    },
  };
}

describe(`decision record (seed ${SEED})`, () => {
  it("gives the same answer again bit for bit, after it was stored with the binding and read back", () => {
    for (let i = 0; i < CASES; i++) {
      const dice = new Dice(SEED + i);
      const example = randomCase(dice, 14);
      const names = example.clusters.map((cluster) => cluster.metadata.name ?? "");
      const options = randomOptions(dice, names);
      const components = dice.chance(0.2)
        ? { components: ["a", "b"].map((name) => ({ name, replicas: dice.between(0, 3) })) }
        : {};
      const groups = dice.chance(0.5)
        ? { workloadAffinityGroups: { affinityGroup: "a=b", antiAffinityGroup: "c=d" } }
        : {};
      const placement = { ...example.spec.placement, ...beyondKarmada(dice) };
      const binding = bindingOf({ ...example, spec: { ...example.spec, placement, ...components, ...groups } });
      const { decision, stored } = decideAndRecord(binding, new FleetIndex(example.clusters), options);
      if (decision.grouped === undefined || stored.metadata.annotations?.[DECISION_ANNOTATION] === undefined) continue;

      const read = readDecision(stored);

      const seed = `TEST_SEED=${SEED}, case ${i}`;
      if (read.state !== "whole") throw new Error(`${seed}: ${JSON.stringify(read)}`);
      expect(answerText(read.decision.answer), seed).toBe(answerText(recordAnswer(decision.grouped)));
    }
  });
});

const DYNAMIC = {
  replicaScheduling: {
    replicaSchedulingType: "Divided" as const,
    replicaDivisionPreference: "Weighted" as const,
    weightPreference: { dynamicWeight: "AvailableReplicas" as const },
  },
};

const RESOURCE = { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop", uid: "u" };

function fleetOf(count: number, nameOf: (index: number) => string = (index) => `member${index}`): FleetIndex {
  return new FleetIndex(
    Array.from({ length: count }, (_, index) =>
      cluster({ name: nameOf(index), allocatable: { pods: String(100 + (index % 97)) } }),
    ),
  );
}

describe("the size of a record", () => {
  it("is some hundred characters for a fleet of three", () => {
    const binding = bindingOf({ spec: { resource: RESOURCE, placement: DYNAMIC, replicas: 6 }, status: {} });

    const { size } = decideAndRecord(binding, fleetOf(3));

    expect(size).toBeLessThan(420);
  });

  it.each([100, 1_000, 5_000])("is at most 4 KiB for %i clusters with names that have nothing in common", (count) => {
    const dice = new Dice(1);
    const fleet = fleetOf(count, (index) => `${dice.between(0, 1e9).toString(36)}-${index}`);
    const binding = bindingOf({ spec: { resource: RESOURCE, placement: {}, replicas: 6 }, status: {} });

    const { stored, size } = decideAndRecord(binding, fleet);

    expect(size).toBeLessThanOrEqual(4_096);
    const names = fleet.records.map((record) => record.name);
    const read = readDecision(stored, [names]);
    if (read.state === "partial") expect(read.reason).toContain("too large to keep whole; left out: ");
    else expect(read.state).toBe("whole");
  });

  it("holds a thousand clusters of like names whole", () => {
    const binding = bindingOf({ spec: { resource: RESOURCE, placement: DYNAMIC, replicas: 40 }, status: {} });

    const { stored, size } = decideAndRecord(binding, fleetOf(1_000));

    expect(size).toBeLessThanOrEqual(4_096);
    expect(readDecision(stored, [fleetOf(1_000).records.map((record) => record.name)]).state).toBe("whole");
  });

  it("says that names were left out when the fleet has others by now", () => {
    const dice = new Dice(1);
    const fleet = fleetOf(900, (index) => `${dice.between(0, 1e9).toString(36)}-${index}`);
    const binding = bindingOf({ spec: { resource: RESOURCE, placement: DYNAMIC, replicas: 40 }, status: {} });
    const { stored } = decideAndRecord(binding, fleet);

    expect(readDecision(stored, [["other"]])).toMatchObject({
      state: "partial",
      reason: "it was too large to keep whole; left out: names",
      summary: { clusterCount: 900 },
    });
  });

  it("shares the text of the fleet between bindings of one placement, until a cluster changes", () => {
    const fleet = fleetOf(50);
    const of = (name: string) =>
      decideAndRecord(
        bindingOf({ spec: { resource: { ...RESOURCE, name }, placement: DYNAMIC, replicas: 9 }, status: {} }),
        fleet,
      ).stored.metadata.annotations?.[DECISION_FLEET_ANNOTATION];
    const [first, second] = [of("a"), of("b")];
    expect(second).toBe(first);

    fleet.set(cluster({ name: "member7", allocatable: { pods: "1" } }));
    const third = of("c");
    expect(third).not.toBe(first);

    fleet.set(cluster({ name: "member7", allocatable: { pods: "1" }, taints: [{ key: "a", effect: "NoSchedule" }] }));
    expect(of("d")).not.toBe(third);
  });

  it("is nothing for a decision that changes nothing", () => {
    const fleet = fleetOf(3);
    const binding = bindingOf({ spec: { resource: RESOURCE, placement: {}, replicas: 6 }, status: {} });
    const { stored } = decideAndRecord(binding, fleet);

    const decision = decideScheduling(stored, fleet, NOW);

    expect(decision.verdict).toBe("scheduled");
    expect(recordDecision({ binding: stored, fleet, options: {}, decision, now: NOW })).toEqual({});
  });
});

describe("a record that is not as it should be", () => {
  const fleet = fleetOf(3, (index) => `odd "name" ${index}, \\ ✓\n`);
  const binding = bindingOf({ spec: { resource: RESOURCE, placement: DYNAMIC, replicas: 6 }, status: {} });
  const { stored } = decideAndRecord(binding, fleet);

  function withAnnotation(key: string, change: (text: string) => string): Binding {
    const annotations = stored.metadata.annotations ?? {};
    return {
      ...stored,
      metadata: { ...stored.metadata, annotations: { ...annotations, [key]: change(annotations[key] ?? "") } },
    };
  }

  it("is read with names of any characters", () => {
    expect(readDecision(stored).state).toBe("whole");
  });

  it.each([
    {
      of: "cut off",
      key: DECISION_ANNOTATION,
      change: (text: string) => text.slice(0, 40),
      says: "it is not JSON, or was cut off",
    },
    { of: "no record", key: DECISION_ANNOTATION, change: () => "[]", says: "it is not a JSON object" },
    {
      of: "of a newer version",
      key: DECISION_ANNOTATION,
      change: (text: string) => text.replace('"v":1', '"v":7'),
      says: "it is of version 7, this program reads version 1",
    },
    {
      of: "changed",
      key: DECISION_ANNOTATION,
      change: (text: string) => text.replace('"replicas":6', '"replicas":7'),
      says: "deciding again from it gives another answer",
    },
    {
      of: "without a field",
      key: DECISION_ANNOTATION,
      change: (text: string) => text.replace('"fleet"', '"flit"'),
      says: "its field fleet makes no sense",
    },
    {
      of: "of a cut fleet",
      key: DECISION_FLEET_ANNOTATION,
      change: (text: string) => text.slice(0, -8),
      says: "its estimates cannot be read",
    },
    {
      of: "of a fleet in no code",
      key: DECISION_FLEET_ANNOTATION,
      change: (text: string) => `§${text}`,
      says: "its names cannot be read: not whole base64 text",
    },
    {
      of: "of no fleet",
      key: DECISION_FLEET_ANNOTATION,
      change: () => "",
      says: "it should have three parts: names, clusters, estimates",
    },
  ])("is refused when it is $of", ({ key, change, says }) => {
    const read = readDecision(withAnnotation(key, change));

    expect(read).toMatchObject({ state: "broken" });
    expect(read.state === "broken" ? read.reason : "").toContain(says);
  });

  it("is not mixed with the placement of another decision", () => {
    const read = readDecision(withAnnotation(APPLIED_PLACEMENT_ANNOTATION, () => "{}"));

    expect(read).toMatchObject({ state: "partial", reason: expect.stringContaining("no longer with the binding") });
  });

  it("is none when another scheduler decided", () => {
    expect(readDecision(binding)).toEqual({ state: "none" });
  });
});
