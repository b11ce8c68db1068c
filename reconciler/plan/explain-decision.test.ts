// The decision as it was made, beside what is now.
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { PropagationPolicy } from "../../api/policy.ts";
import type { Condition } from "../../kube/object.ts";
import { refOf } from "../../kube/object.ts";
import { binding, claimed, cluster, deployment, policy, weighted, world } from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { type DecisionOptions, decideScheduling } from "../scheduler/decide-scheduling.ts";
import { DECISION_FLEET_ANNOTATION, recordDecision } from "../scheduler/explanation/decision-record.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import type { AnyBinding } from "../works/binding.ts";
import { explain } from "./explain.ts";
import type { Explanation } from "./explanation.ts";

const THEN = Date.parse("2026-01-01T00:00:00Z");
const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: THEN + 60_000 };
const FULL = { key: "full", effect: "NoSchedule" as const };
const tokyo = cluster({ name: "tokyo-1", allocatable: { pods: "10" } });
const paris = cluster({ name: "paris-1", allocatable: { pods: "20" } });
const byRoom = policy({
  name: "p",
  placement: {
    replicaScheduling: {
      replicaSchedulingType: "Divided",
      replicaDivisionPreference: "Weighted",
      weightPreference: { dynamicWeight: "AvailableReplicas" },
    },
  },
});
const byWeight = policy({ name: "p", placement: weighted({ "tokyo-1": 1, "paris-1": 2 }) });

/** The binding of web as the loop writes it, decided over these clusters. */
function decided(owner: PropagationPolicy, clusters: readonly Cluster[], given: DecisionOptions = {}): AnyBinding {
  const template = claimed(deployment({ replicas: 6 }), owner);
  const before = binding({ template, policy: owner, replicas: 6, clusters: [] });
  const labels = { "propagationpolicy.karmada.io/permanent-id": "id-of-p" };
  const fresh: AnyBinding = { ...before, metadata: { ...before.metadata, labels, annotations: {} } };
  const fleet = new FleetIndex(clusters);
  const decision = decideScheduling(fresh, fleet, THEN, given);
  const record = recordDecision({ binding: fresh, fleet, options: given, decision, now: THEN });
  const annotations = { ...decision.annotations, ...record };
  return {
    ...fresh,
    metadata: { ...fresh.metadata, annotations },
    spec: { ...fresh.spec, clusters: [...(decision.clusters ?? [])] },
  };
}

function explainNow(stored: AnyBinding, owner: PropagationPolicy, clusters: readonly Cluster[]): Explanation {
  const template = claimed(deployment({ replicas: 6 }), owner);
  return explain(
    world({ clusters, templates: [template], policies: [owner], bindings: [stored] }),
    refOf(template),
    options,
  );
}

describe("explain: the decision as it was made", () => {
  it("says when and why, and shows the arithmetic of then although there is other room now", () => {
    const explanation = explainNow(decided(byRoom, [tokyo, paris]), byRoom, [
      cluster({ name: "tokyo-1", allocatable: { pods: "500" } }),
      paris,
    ]);

    expect(explanation.decision).toMatchObject({
      decidedAt: "2026-01-01T00:00:00Z",
      occasion: "it had never been placed",
      problem: undefined,
      since: [],
    });
    expect(explanation.divisions[0]?.weights).toEqual([
      { name: "paris-1", weight: 20 },
      { name: "tokyo-1", weight: 10 },
    ]);
  });

  it("names the estimator that knew of less room than the cluster reports", () => {
    const estimates = [{ name: "nodes and pods", replicasOf: (of: string) => (of === "paris-1" ? 2 : undefined) }];
    const explanation = explainNow(decided(byRoom, [tokyo, paris], { estimates }), byRoom, [tokyo, paris]);

    expect(explanation.clusters.find((entry) => entry.cluster === "paris-1")?.room).toBe(
      "room for 2 (nodes and pods says so; its own report has room for 20)",
    );
  });

  it("tells a plugin's refusal, and whom to ask", () => {
    const pluginRefusals = new Map([["paris-1", { plugin: "cost", reason: "is dear" }]]);
    const explanation = explainNow(decided(byRoom, [tokyo, paris], { pluginRefusals }), byRoom, [tokyo, paris]);

    expect(explanation.clusters.find((entry) => entry.cluster === "paris-1")).toMatchObject({
      verdict: "refused",
      refusals: [{ words: "plugin cost: is dear", change: "ask whoever keeps plugin cost" }],
    });
  });

  it("says which clusters came, went, and are judged otherwise since", () => {
    const oslo = cluster({ name: "oslo", taints: [FULL] });
    const explanation = explainNow(decided(byWeight, [tokyo, paris, oslo]), byWeight, [
      tokyo,
      cluster({ name: "oslo" }),
      cluster({ name: "rome", taints: [FULL] }),
    ]);

    expect(explanation.decision?.since).toEqual([
      "cluster paris-1 is gone",
      "oslo would fit now",
      "cluster rome joined: taint full:NoSchedule is not tolerated",
    ]);
  });

  it("says what became of the clusters that were chosen", () => {
    const stored = decided(byWeight, [tokyo, paris]);
    const moved = { ...stored, spec: { ...stored.spec, clusters: [{ name: "tokyo-1", replicas: 6 }] } } as AnyBinding;

    expect(explainNow(moved, byWeight, [tokyo, paris]).decision?.since).toEqual([
      "paris-1 was chosen, and is no longer: its copy was moved away",
      "tokyo-1 was given 2, and has 6",
    ]);
  });

  it("works everything out from the present state when the record is broken, and says so", () => {
    const stored = decided(byWeight, [tokyo, paris]);
    const annotations = { ...stored.metadata.annotations, [DECISION_FLEET_ANNOTATION]: "x.y.z" };
    const broken = { ...stored, metadata: { ...stored.metadata, annotations } } as AnyBinding;

    const explanation = explainNow(broken, byWeight, [tokyo, paris]);

    expect(explanation.decision?.problem).toContain("its names cannot be read");
    expect(explanation.divisions[0]?.seats).toHaveLength(6);
  });

  it("does not take the record for the last attempt when that failed", () => {
    const stored = decided(byRoom, [tokyo, paris]);
    const failed: Condition = {
      type: "Scheduled",
      status: "False",
      reason: "Unschedulable",
      message: "Clusters available replicas 3 are not enough to schedule.",
      lastTransitionTime: "2026-01-01T00:00:30Z",
    };
    const behind = { ...stored, status: { ...stored.status, conditions: [failed] } } as AnyBinding;

    expect(explainNow(behind, byRoom, [tokyo, paris]).decision).toMatchObject({
      problem: "it is of the decision before: the last attempt failed (Unschedulable)",
    });
  });
});
