import { describe, expect, it } from "vitest";
import { cluster } from "../../../test/builders.ts";
import { decideScheduling } from "../decide-scheduling.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import type { Binding } from "../occasion.ts";
import { DecisionHistory, type HistoryLimits } from "./decision-history.ts";
import { compareAnswers, replay } from "./replay.ts";

const NOW = Date.parse("2026-11-28T12:00:00Z");

function binding(name: string, replicas = 6): Binding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name, namespace: "shop", generation: 1, labels: { "propagationpolicy.karmada.io/permanent-id": "id" } },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop" },
      placement: {
        replicaScheduling: {
          replicaSchedulingType: "Divided",
          replicaDivisionPreference: "Weighted",
          weightPreference: { dynamicWeight: "AvailableReplicas" },
        },
      },
      replicas,
    },
  };
}

const room = (name: string, pods: number) => cluster({ name, allocatable: { pods: String(pods) } });

/** A fleet whose changes the history is told of. */
function startFleet(limits?: HistoryLimits) {
  const fleet = new FleetIndex([room("a", 10), room("b", 20)]);
  const history = new DecisionHistory(fleet, limits);
  return {
    history,
    set(changed: ReturnType<typeof cluster>) {
      const position = fleet.position(changed.metadata.name ?? "");
      const before = position === undefined ? undefined : fleet.records[position]?.cluster;
      fleet.set(changed);
      history.changed(changed.metadata.name ?? "", before);
    },
    delete(name: string) {
      const before = fleet.records[fleet.position(name) ?? -1]?.cluster;
      fleet.delete(name);
      history.changed(name, before);
    },
    decide(given: Binding) {
      const options = { estimates: [{ name: "estimator", replicasOf: (of: string) => (of === "b" ? 12 : undefined) }] };
      const decision = decideScheduling(given, fleet, NOW, options);
      history.note({ binding: given, decision, options, now: NOW });
    },
    find: (name: string) => history.find("ResourceBinding", "shop", name),
  };
}

describe("DecisionHistory", () => {
  it("has the fleet as it was, whatever came of it since", () => {
    const world = startFleet();
    world.set(room("c", 30));
    world.decide(binding("web"));
    world.set(room("a", 1));
    world.set(room("d", 5));
    world.delete("b");
    world.set(room("a", 2));

    const found = world.find("web");

    const pods = found?.decision.clusters.map(({ metadata, status }) => [
      metadata.name,
      status?.resourceSummary?.allocatable?.["pods"],
    ]);
    expect(pods).toEqual([
      ["a", "10"],
      ["b", "20"],
      ["c", "30"],
    ]);
    expect(found?.decision.options.estimates).toEqual([{ name: "estimator", replicas: { b: 12 } }]);
  });

  it("gives what a replay comes to the same answer from", () => {
    const world = startFleet();
    world.decide(binding("web"));
    world.set(room("a", 1));

    const found = world.find("web");

    if (found === undefined) throw new Error("forgotten");
    expect(compareAnswers(found.decision.answer, replay(found.decision).answer)).toEqual([]);
    expect(found.decision.answer.clusters).toEqual([
      { name: "a", replicas: 3 },
      { name: "b", replicas: 3 },
    ]);
  });

  it.each([
    { limit: "many decisions", limits: { decisions: 1, changes: 100, bytes: 1e9 }, changes: 0, decisions: 1 },
    { limit: "many changes", limits: { decisions: 10, changes: 3, bytes: 1e9 }, changes: 4, decisions: 0 },
    { limit: "large changes", limits: { decisions: 10, changes: 100, bytes: 5_000 }, changes: 4, decisions: 0 },
  ])("forgets after $limit", ({ limits, changes, decisions }) => {
    const world = startFleet(limits);
    world.decide(binding("web"));
    expect(world.find("web")).toBeDefined();

    for (let i = 0; i < changes; i++) world.set(room("a", 11 + i));
    for (let i = 0; i < decisions; i++) world.decide(binding(`other-${i}`));

    expect(world.find("web")).toBeUndefined();
  });

  it("knows what was decided after a change that it forgot", () => {
    const world = startFleet({ decisions: 10, changes: 2, bytes: 1e9 });
    for (let i = 0; i < 50; i++) world.set(room("a", 11 + i));
    world.decide(binding("web"));
    world.set(room("a", 1));

    expect(world.find("web")?.decision.clusters[0]?.status?.resourceSummary?.allocatable).toEqual({ pods: "60" });
  });
});
