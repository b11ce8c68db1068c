import { describe, expect, it } from "vitest";
import type { Fields } from "../../field-access.ts";
import { aggregatedStatus, customResource, podTemplate, reported, rulesOf } from "../testing/custom-resources.ts";
import { WORKLOAD_RULES } from "../workloads.ts";

const KIND = "argoproj.io/v1alpha1/Rollout";
const rules = rulesOf(WORKLOAD_RULES.more, KIND);

function rollout(fields: Fields = {}) {
  return customResource(KIND, { metadata: { name: "web", namespace: "shop", generation: 3 }, ...fields });
}

/** What a cluster says whose controller has seen the copy of the template's third generation. */
function seen(phase: string, fields: Fields = {}): Fields {
  return { phase, observedGeneration: "7", generation: 7, resourceTemplateGeneration: 3, ...fields };
}

/** As Argo CD reads a Rollout: unobserved generations and the phase. */
function argoHealth(status: Fields): unknown {
  if (Number(status["observedGeneration"]) !== 3) return "Progressing";
  return status["phase"] === "Paused" ? "Suspended" : status["phase"];
}

describe("Rollout", () => {
  it("asks for its replicas with what its pods need, one where the author leaves it open", () => {
    expect(rules.getReplicas(rollout({ spec: { replicas: 4, template: podTemplate({ cpu: "1" }) } }))).toEqual({
      replicas: 4,
      requirements: { resourceRequest: { cpu: "1" } },
    });
    expect(rules.getReplicas(rollout({ spec: { workloadRef: { kind: "Deployment", name: "web" } } }))).toEqual({
      replicas: 1,
    });
  });

  it("keeps the replicas of a member's autoscaler where the author says so", () => {
    const labels = { "resourcetemplate.karmada.io/retain-replicas": "true" };
    const own = rollout({ metadata: { name: "web", labels }, spec: { replicas: 2 } });

    expect(rules.retain(own, rollout({ spec: { replicas: 7 } }))["spec"]).toEqual({ replicas: 7 });
    expect(rules.retain(rollout({ spec: { replicas: 2 } }), rollout({ spec: { replicas: 7 } }))["spec"]).toEqual({
      replicas: 2,
    });
  });

  it("keeps the progress of a release that old definitions have in the object itself", () => {
    const observed = rollout({ spec: {}, status: { currentStepIndex: 2 } });

    expect(rules.retain(rollout({ spec: {} }), observed)["status"]).toEqual({ currentStepIndex: 2 });
  });

  it.each([
    ["Healthy", true],
    ["Paused", true],
    ["Progressing", false],
    ["Degraded", false],
  ])("in phase %s is healthy: %s", (phase, healthy) => {
    expect(rules.interpretHealth(rollout({ status: { phase, observedGeneration: "3" } }))).toBe(healthy);
  });

  it("is not healthy before its controller has seen its generation, or while its spec is invalid", () => {
    const conditions = [{ type: "InvalidSpec", status: "True" }];

    expect(rules.interpretHealth(rollout())).toBe(false);
    expect(rules.interpretHealth(rollout({ status: { phase: "Healthy", observedGeneration: "2" } }))).toBe(false);
    expect(rules.interpretHealth(rollout({ status: { phase: "Healthy", observedGeneration: "3", conditions } }))).toBe(
      false,
    );
  });

  it("without a phase is healthy when its newest pods are the stable ones", () => {
    const status = { observedGeneration: "7f5b", updatedReplicas: 1, availableReplicas: 1, currentPodHash: "abc" };

    expect(rules.interpretHealth(rollout({ status: { ...status, stableRS: "abc" } }))).toBe(true);
    expect(rules.interpretHealth(rollout({ status: { ...status, stableRS: "old" } }))).toBe(false);
    expect(rules.interpretHealth(rollout({ status }))).toBe(false);
  });

  it("is healthy for Argo CD when every cluster's is", () => {
    const status = aggregatedStatus(
      rules,
      rollout(),
      reported("a", seen("Healthy", { replicas: 2, availableReplicas: 2, currentPodHash: "abc" })),
      reported("b", seen("Healthy", { replicas: 1, availableReplicas: 1, currentPodHash: "abc" })),
    ) as Fields;

    expect(status).toMatchObject({ observedGeneration: "3", replicas: 3, availableReplicas: 3, currentPodHash: "abc" });
    expect(argoHealth(status)).toBe("Healthy");
  });

  it.each([
    ["Degraded", "Progressing", "Degraded"],
    ["Paused", "Progressing", "Progressing"],
    ["Paused", "Healthy", "Suspended"],
  ])("is, with one cluster %s and another %s, %s for Argo CD", (one, other, health) => {
    const status = aggregatedStatus(rules, rollout(), reported("a", seen(one)), reported("b", seen(other)));

    expect(argoHealth(status as Fields)).toBe(health);
  });

  it("progresses while a cluster is silent or speaks of an older generation, and says which", () => {
    const silent = aggregatedStatus(rules, rollout(), reported("a", seen("Healthy")), reported("b"));
    const stale = aggregatedStatus(
      rules,
      rollout(),
      reported("a", seen("Healthy")),
      reported("b", seen("Healthy", { resourceTemplateGeneration: 2 })),
    );

    expect(silent).toMatchObject({ phase: "Progressing", message: "b: nothing reported yet" });
    expect(silent).not.toHaveProperty("observedGeneration");
    expect(stale).toMatchObject({ phase: "Progressing", message: "b" });
  });

  it("needs its pods' references, its Services, analyses and the workload whose pods it takes over", () => {
    const strategy = {
      canary: {
        canaryService: "web-canary",
        stableService: "web-stable",
        analysis: { templates: [{ templateName: "errors" }, { templateName: "shared", clusterScope: true }] },
        steps: [{ analysis: { templates: [{ templateName: "latency" }] } }, { setWeight: 20 }],
      },
    };
    const spec = {
      strategy,
      template: podTemplate({}, { serviceAccountName: "runner" }),
      workloadRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    };

    expect(rules.getDependencies(rollout({ spec })).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "Deployment web",
      "AnalysisTemplate errors",
      "AnalysisTemplate latency",
      "Service web-canary",
      "Service web-stable",
      "ServiceAccount runner",
    ]);
    expect(rules.getDependencies(rollout())).toEqual([]);
  });
});

describe.each(["AnalysisRun", "Experiment"])("%s", (name) => {
  const kind = `argoproj.io/v1alpha1/${name}`;
  const runRules = rulesOf(WORKLOAD_RULES.more, kind);

  it("is healthy when it has begun and has not failed", () => {
    const healthy = (phase: string): boolean => runRules.interpretHealth(customResource(kind, { status: { phase } }));

    expect(["Pending", "Running", "Successful"].map(healthy)).toEqual([true, true, true]);
    expect(["Failed", "Error", "Inconclusive", ""].map(healthy)).toEqual([false, false, false, false]);
  });

  it("succeeds when it has in every cluster", () => {
    const status = (...phases: string[]): unknown =>
      aggregatedStatus(runRules, customResource(kind), ...phases.map((phase, at) => reported(`m${at}`, { phase })));

    expect(status("Successful", "Successful")).toMatchObject({ phase: "Successful" });
    expect(status("Successful", "Running")).toMatchObject({ phase: "Running" });
    expect(status("Failed", "Running")).toMatchObject({ phase: "Failed" });
  });

  it("keeps its status, without which the member would begin anew", () => {
    const observed = customResource(kind, { status: { phase: "Running" } });

    expect(runRules.retain(customResource(kind), observed)["status"]).toEqual({ phase: "Running" });
  });
});
