import { describe, expect, it } from "vitest";
import type { Fields } from "../../field-access.ts";
import { progressOf } from "../rules/kstatus.ts";
import { aggregatedStatus, customResource, NOW, podTemplate, reported, rulesOf } from "../testing/custom-resources.ts";
import { CURRENT_KRUISE_RULES as RULES } from "./current.ts";

const CURRENT = { generation: 4, observedGeneration: 4, resourceTemplateGeneration: 2 };

function template(kind: string, fields: Fields = {}) {
  return customResource(kind, { metadata: { name: "sample", namespace: "shop", generation: 2 }, ...fields });
}

describe("current OpenKruise", () => {
  it.each(["v1alpha1", "v1beta1"])("knows every workload in %s", (version) => {
    const kinds = ["AdvancedCronJob", "BroadcastJob", "CloneSet", "DaemonSet", "SidecarSet", "StatefulSet"];

    for (const kind of [...kinds, "UnitedDeployment"])
      expect(RULES).toHaveProperty([`apps.kruise.io/${version}/${kind}`]);
  });

  it("collects and adds up all that Argo CD asks of a CloneSet", () => {
    const rules = rulesOf(RULES, "apps.kruise.io/v1beta1/CloneSet");
    const copy = (replicas: number) => ({
      ...customResource("apps.kruise.io/v1beta1/CloneSet", {
        status: {
          replicas,
          updatedReplicas: replicas,
          updatedAvailableReplicas: replicas,
          availableReplicas: replicas,
          observedGeneration: 4,
        },
      }),
      metadata: { generation: 4, annotations: { "resourcetemplate.karmada.io/generation": "2" } },
    });
    const aggregated = rules.aggregateStatus(
      template("apps.kruise.io/v1beta1/CloneSet"),
      [reported("a", rules.reflectStatus(copy(2))), reported("b", rules.reflectStatus(copy(1)))],
      NOW,
    );

    expect(aggregated["status"]).toMatchObject({ observedGeneration: 2, replicas: 3, updatedAvailableReplicas: 3 });
    expect(progressOf(aggregated)).toBe("Current");
  });

  it("does not call the pods of an OpenKruise that does not count availability unavailable", () => {
    const rules = rulesOf(RULES, "apps.kruise.io/v1beta1/CloneSet");
    const status = (replicas: number): unknown =>
      aggregatedStatus(rules, template("apps.kruise.io/v1beta1/CloneSet"), reported("a", { replicas }));

    expect(status(2)).not.toHaveProperty("updatedAvailableReplicas");
    expect(status(0)).toHaveProperty("updatedAvailableReplicas", 0);
  });

  it("takes trouble in one cluster for trouble", () => {
    const rules = rulesOf(RULES, "apps.kruise.io/v1beta1/CloneSet");
    const scale = (status: string) => ({
      conditions: [{ type: "FailedScale", status, reason: "Quota", message: "no" }],
    });
    const own = template("apps.kruise.io/v1beta1/CloneSet");

    expect(aggregatedStatus(rules, own, reported("a", scale("False")), reported("b", scale("True")))).toMatchObject({
      conditions: [{ type: "FailedScale", status: "True", message: "b: no" }],
    });
  });

  it("writes the hash of a DaemonSet as its definition has it, a text", () => {
    const rules = rulesOf(RULES, "apps.kruise.io/v1beta1/DaemonSet");

    expect(aggregatedStatus(rules, template("apps.kruise.io/v1beta1/DaemonSet"))).toHaveProperty("daemonSetHash", "");
  });

  it("writes the revision that the definition of a UnitedDeployment asks for", () => {
    const rules = rulesOf(RULES, "apps.kruise.io/v1alpha1/UnitedDeployment");
    const own = template("apps.kruise.io/v1alpha1/UnitedDeployment");

    expect(aggregatedStatus(rules, own, reported("a", { ...CURRENT, currentRevision: "x-1" }))).toMatchObject({
      currentRevision: "x-1",
      observedGeneration: 2,
    });
  });

  it.each(["statefulSetTemplate", "advancedStatefulSetTemplate", "cloneSetTemplate", "deploymentTemplate"])(
    "reads the pods of a UnitedDeployment in its %s",
    (field) => {
      const rules = rulesOf(RULES, "apps.kruise.io/v1beta1/UnitedDeployment");
      const pods = podTemplate({ cpu: "1" }, { serviceAccountName: "runner" });
      const object = template("apps.kruise.io/v1beta1/UnitedDeployment", {
        spec: { replicas: 2, template: { [field]: { spec: { template: pods } } } },
      });

      expect(rules.getReplicas(object)).toEqual({ replicas: 2, requirements: { resourceRequest: { cpu: "1" } } });
      expect(rules.getDependencies(object)).toMatchObject([{ kind: "ServiceAccount", name: "runner" }]);
    },
  );

  it("keeps the replicas of a member's autoscaler where the author says so", () => {
    const { retain } = rulesOf(RULES, "apps.kruise.io/v1beta1/CloneSet");
    const observed = customResource("apps.kruise.io/v1beta1/CloneSet", { spec: { replicas: 7 } });
    const own = (labels: Record<string, string>) =>
      customResource("apps.kruise.io/v1beta1/CloneSet", { metadata: { name: "web", labels }, spec: { replicas: 2 } });

    expect(retain(own({ "resourcetemplate.karmada.io/retain-replicas": "true" }), observed)["spec"]).toEqual({
      replicas: 7,
    });
    expect(retain(own({}), observed)["spec"]).toEqual({ replicas: 2 });
  });

  it("counts init containers and image pulls among what sidecars need", () => {
    const rules = rulesOf(RULES, "apps.kruise.io/v1beta1/SidecarSet");
    const spec = {
      initContainers: [{ envFrom: [{ configMapRef: { name: "init" } }] }],
      imagePullSecrets: [{ name: "pull" }],
    };

    expect(
      rules.getDependencies(customResource("apps.kruise.io/v1beta1/SidecarSet", { spec })).map(({ name }) => name),
    ).toEqual(["init", "pull"]);
  });
});

describe("current BroadcastJob", () => {
  const kind = "apps.kruise.io/v1beta1/BroadcastJob";
  const rules = rulesOf(RULES, kind);
  const completed = (end: string) => ({
    phase: "completed",
    desired: 1,
    succeeded: 1,
    startTime: "2025-01-01T00:00:00Z",
    completionTime: end,
    conditions: [{ type: "Complete", status: "True", reason: "Done" }],
  });

  it("is completed, as Argo CD asks for it, when every cluster's is", () => {
    const status = aggregatedStatus(
      rules,
      customResource(kind),
      reported("a", completed("2025-01-02T00:00:00Z")),
      reported("b", completed("2025-01-03T00:00:00Z")),
    );

    expect(status).toMatchObject({
      phase: "completed",
      desired: 2,
      succeeded: 2,
      completionTime: "2025-01-03T00:00:00Z",
      conditions: [{ type: "Complete", status: "True" }],
    });
  });

  it("runs on while a cluster says nothing, even after one whose job is complete", () => {
    const status = aggregatedStatus(
      rules,
      customResource(kind),
      reported("a", completed("2025-01-02T00:00:00Z")),
      reported("b"),
    );

    expect(status).toMatchObject({ phase: "running" });
    expect(status).not.toHaveProperty("completionTime");
    expect(status).not.toHaveProperty("conditions");
  });
});

describe("Kruise Rollout", () => {
  const kind = "rollouts.kruise.io/v1beta1/Rollout";
  const rules = rulesOf(RULES, kind);
  const at = (phase: string, currentStepState: string) => ({
    ...CURRENT,
    phase,
    message: `step of ${phase}`,
    canaryStatus: { currentStepState },
  });

  it("is healthy when its release has come to rest", () => {
    const healthy = (status: Fields): boolean => rules.interpretHealth(template(kind, { status }));

    expect(healthy({ observedGeneration: 2, phase: "Healthy" })).toBe(true);
    expect(healthy({ observedGeneration: 2, phase: "Progressing" })).toBe(false);
    expect(healthy({ observedGeneration: 1, phase: "Healthy" })).toBe(false);
  });

  it("is as far as the cluster that is least far", () => {
    const status = aggregatedStatus(
      rules,
      template(kind),
      reported("a", at("Healthy", "Completed")),
      reported("b", at("Progressing", "StepPaused")),
    );

    expect(status).toMatchObject({
      phase: "Progressing",
      message: "b: step of Progressing",
      canaryStatus: { currentStepState: "StepPaused" },
      observedGeneration: 2,
    });
  });
});
