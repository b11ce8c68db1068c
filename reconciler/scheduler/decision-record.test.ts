// A record is a smaller problem with the same answer.
import { describe, expect, it } from "vitest";
import { APPLIED_PLACEMENT_ANNOTATION } from "./applied-placement.ts";
import { decideScheduling } from "./decide-scheduling.ts";
import { DECISION_ANNOTATION, DECISION_FLEET_ANNOTATION, recordDecision } from "./decision-record.ts";
import { FleetIndex } from "./fleet-index.ts";
import type { Binding } from "./occasion.ts";
import type { SchedulingOptions } from "./options.ts";
import { Dice, type RandomCase, randomCase, randomFleet } from "./random-cases.ts";
import { readDecision } from "./read-decision.ts";
import { answerText, recordAnswer } from "./recorded-decision.ts";

const SEED = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000_000);
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
    ...(dice.chance(0.2) ? { disabledFilters: ["TaintToleration" as const] } : {}),
    ...(dice.chance(0.3) ? { affinityMembers: members(), antiAffinityMembers: members() } : {}),
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
      const binding = bindingOf({ ...example, spec: { ...example.spec, ...components, ...groups } });
      const { decision, stored } = decideAndRecord(binding, new FleetIndex(example.clusters), options);
      if (decision.grouped === undefined || stored.metadata.annotations?.[DECISION_ANNOTATION] === undefined) continue;

      const read = readDecision(stored);

      const seed = `TEST_SEED=${SEED}, case ${i}`;
      if (read.state !== "whole") throw new Error(`${seed}: ${JSON.stringify(read)}`);
      expect(answerText(read.decision.answer), seed).toBe(answerText(recordAnswer(decision.grouped)));
    }
  });
});
