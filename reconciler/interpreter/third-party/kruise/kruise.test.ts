import { describe, expect, it } from "vitest";
import type { Fields } from "../../field-access.ts";
import { NOTHING_REPORTED } from "../../interpreter.ts";
import { aggregatedStatus, customResource, NOW, podTemplate, reported, rulesOf } from "../testing/custom-resources.ts";
import { WORKLOAD_RULES } from "../workloads.ts";

const RULES = WORKLOAD_RULES.karmada;
const CLONE_SET = "apps.kruise.io/v1alpha1/CloneSet";
const CURRENT = { generation: 4, observedGeneration: 4, resourceTemplateGeneration: 1 };

function template(kind: string, fields: Fields = {}) {
  return customResource(kind, { metadata: { name: "sample", namespace: "shop", generation: 1 }, ...fields });
}

describe.each([CLONE_SET, "apps.kruise.io/v1alpha1/UnitedDeployment", "apps.kruise.io/v1beta1/StatefulSet"])(
  "%s",
  (kind) => {
    const rules = rulesOf(RULES, kind);

    it("asks for its replicas, one where the author leaves it open", () => {
      const replicas = (spec: Fields): number => rules.getReplicas(customResource(kind, { spec })).replicas;

      expect(replicas({ replicas: 3, template: podTemplate() })).toBe(3);
      expect(replicas({ template: podTemplate() })).toBe(1);
      expect(replicas({})).toBe(1);
    });

    it("names replicas that are no number", () => {
      expect(() => rules.getReplicas(customResource(kind, { spec: { replicas: {} } }))).toThrow(
        "field spec.replicas is not a number",
      );
    });

    it("writes replicas also where the author left them open", () => {
      expect(rules.reviseReplica(customResource(kind, {}), 2)["spec"]).toEqual({ replicas: 2 });
    });

    it("is healthy when the newest generation is rolled out and available", () => {
      const healthy = (status?: Fields): boolean =>
        rules.interpretHealth(template(kind, { spec: { replicas: 2 }, ...(status === undefined ? {} : { status }) }));

      expect(healthy({ observedGeneration: 1, updatedReplicas: 2, availableReplicas: 2 })).toBe(true);
      expect(healthy({ observedGeneration: 1, updatedReplicas: 1, availableReplicas: 2 })).toBe(false);
      expect(healthy({ observedGeneration: 1, updatedReplicas: 2, availableReplicas: 1 })).toBe(false);
      expect(healthy({ observedGeneration: 0, updatedReplicas: 2, availableReplicas: 2 })).toBe(false);
      expect(healthy()).toBe(false);
    });

    it("needs nothing when its pods refer to nothing", () => {
      expect(rules.getDependencies(customResource(kind, { spec: { template: podTemplate() } }))).toEqual([]);
      expect(rules.getDependencies(customResource(kind, {}))).toEqual([]);
    });

    it("collects an empty status of an object without one", () => {
      expect(rules.reflectStatus(customResource(kind, {}))).toEqual({});
    });
  },
);

describe("UnitedDeployment", () => {
  it("is judged by what is ready, for it does not tell what is available", () => {
    const status = { observedGeneration: 1, updatedReplicas: 2, readyReplicas: 2, replicas: 2 };
    const { interpretHealth } = rulesOf(RULES, "apps.kruise.io/v1alpha1/UnitedDeployment");
    const copy = (fields: Fields) =>
      template("apps.kruise.io/v1alpha1/UnitedDeployment", { spec: { replicas: 2 }, status: fields });

    expect(interpretHealth(copy(status))).toBe(true);
    expect(interpretHealth(copy({ ...status, readyReplicas: 1 }))).toBe(false);
  });

  it("tells the last condition of each type, and keeps the template's while no cluster has any", () => {
    const rules = rulesOf(RULES, "apps.kruise.io/v1alpha1/UnitedDeployment");
    const condition = (status: string) => ({ type: "SubsetUpdated", status });
    const own = template("apps.kruise.io/v1alpha1/UnitedDeployment", { status: { conditions: [condition("False")] } });

    expect(aggregatedStatus(rules, own, reported("a", {}))).toMatchObject({ conditions: [condition("False")] });
    expect(
      aggregatedStatus(
        rules,
        own,
        reported("a", { conditions: [condition("Unknown"), { status: "True" }] }),
        reported("b", { conditions: [condition("True")] }),
      ),
    ).toMatchObject({ conditions: [condition("True")] });
  });
});

describe("status of a CloneSet", () => {
  const { aggregateStatus } = rulesOf(RULES, CLONE_SET);
  const rules = rulesOf(RULES, CLONE_SET);

  it("is the sum over the clusters, with the revisions of the last", () => {
    const status = aggregatedStatus(
      rules,
      template(CLONE_SET),
      reported("a", { ...CURRENT, replicas: 2, updatedReplicas: 2, updateRevision: "web-1" }),
      reported("b", { ...CURRENT, replicas: "1", updateRevision: "web-2", currentRevision: "" }),
    );

    expect(status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 2,
      updateRevision: "web-2",
      currentRevision: "",
    });
  });

  it("has no revisions before anything is reported", () => {
    expect(aggregateStatus(template(CLONE_SET), NOTHING_REPORTED, NOW)["status"]).not.toHaveProperty("updateRevision");
    expect(aggregateStatus(template(CLONE_SET), [], NOW)["status"]).toHaveProperty("updateRevision", "");
  });
});

describe("DaemonSet", () => {
  const kind = "apps.kruise.io/v1alpha1/DaemonSet";
  const rules = rulesOf(RULES, kind);

  it("is healthy when the newest generation is on every node and available", () => {
    const healthy = (status: Fields): boolean => rules.interpretHealth(template(kind, { status }));
    const good = { observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 };

    expect(healthy(good)).toBe(true);
    expect(healthy({ ...good, updatedNumberScheduled: 1 })).toBe(false);
    expect(healthy({ ...good, numberAvailable: 1 })).toBe(false);
    expect(rules.interpretHealth(template(kind))).toBe(false);
  });

  it("has no rule for replicas: it runs on every node", () => {
    expect(RULES[kind]).not.toHaveProperty("getReplicas");
  });
});

describe("BroadcastJob", () => {
  const kind = "apps.kruise.io/v1alpha1/BroadcastJob";
  const rules = rulesOf(RULES, kind);
  const ended = (type: string) => ({ conditions: [{ type, status: "True" }] });

  it("asks for as many pods as may run at once", () => {
    expect(rules.getReplicas(customResource(kind, { spec: { parallelism: 5 } })).replicas).toBe(5);
    expect(rules.getReplicas(customResource(kind, {})).replicas).toBe(1);
  });

  it("keeps the labels that the member gave its pods", () => {
    const observed = customResource(kind, { spec: { template: { metadata: { labels: { job: "x" } } } } });

    expect(rules.retain(customResource(kind, { spec: { parallelism: 1 } }), observed)["spec"]).toEqual({
      parallelism: 1,
      template: { metadata: { labels: { job: "x" } } },
    });
  });

  it("is healthy while something runs or is done, and nothing has failed", () => {
    const healthy = (status: Fields): boolean => rules.interpretHealth(customResource(kind, { status }));

    expect(healthy({ desired: 2, active: 1, succeeded: 0, failed: 0 })).toBe(true);
    expect(healthy({ desired: 2, active: 0, succeeded: 0, failed: 0 })).toBe(false);
    expect(healthy({ desired: 2, active: 1, succeeded: 0, failed: 1 })).toBe(false);
    expect(healthy({ desired: 0, active: 1, succeeded: 0, failed: 0 })).toBe(false);
    expect(rules.interpretHealth(customResource(kind))).toBe(false);
  });

  it("names the clusters it failed in", () => {
    const status = aggregatedStatus(
      rules,
      customResource(kind),
      reported("a", ended("Failed")),
      reported("b", ended("Complete")),
      reported("c", ended("Failed")),
    );

    expect(status).toMatchObject({
      conditions: [{ type: "Failed", message: "Job executed failed in member clusters: a, c" }],
    });
  });

  it("is completed when every cluster's is", () => {
    expect(aggregatedStatus(rules, customResource(kind), reported("a", ended("Complete")))).toMatchObject({
      conditions: [{ type: "Completed", status: "True" }],
    });
  });

  it("stays as it is while nothing is reported", () => {
    expect(rules.aggregateStatus(customResource(kind), NOTHING_REPORTED, NOW)).not.toHaveProperty("status");
  });
});

describe("AdvancedCronJob", () => {
  const kind = "apps.kruise.io/v1alpha1/AdvancedCronJob";
  const rules = rulesOf(RULES, kind);

  it.each(["jobTemplate", "broadcastJobTemplate"])("needs what the pods of its %s refer to", (field) => {
    const jobs = { [field]: { spec: { template: podTemplate({}, { serviceAccountName: "runner" }) } } };

    expect(rules.getDependencies(customResource(kind, { spec: { template: jobs } }))).toMatchObject([
      { kind: "ServiceAccount", name: "runner" },
    ]);
  });

  it("lists the active jobs of all clusters", () => {
    const status = aggregatedStatus(
      rules,
      customResource(kind),
      reported("a", { active: [{ name: "x" }], type: "Job", lastScheduleTime: "2025-01-01T00:00:00Z" }),
      reported("b", { active: [{ name: "y" }] }),
      reported("c"),
    );

    expect(status).toEqual({
      active: [{ name: "x" }, { name: "y" }],
      type: "Job",
      lastScheduleTime: "2025-01-01T00:00:00Z",
    });
  });
});

describe("SidecarSet", () => {
  const kind = "apps.kruise.io/v1alpha1/SidecarSet";
  const rules = rulesOf(RULES, kind);

  it("has no replicas of its own", () => {
    expect(rules.getReplicas(customResource(kind))).toEqual({ replicas: 0 });
  });

  it("is healthy when all pods it is for are up to date, also when there are none", () => {
    const healthy = (status: Fields): boolean => rules.interpretHealth(customResource(kind, { status }));

    expect(healthy({ matchedPods: 2, updatedPods: 2 })).toBe(true);
    expect(healthy({ matchedPods: 2, updatedPods: 1 })).toBe(false);
    expect(healthy({})).toBe(true);
    expect(rules.interpretHealth(customResource(kind))).toBe(false);
  });

  it("needs what its containers and volumes refer to, nameless references left out", () => {
    const spec = {
      containers: [{ envFrom: [{ configMapRef: { name: "conf" } }, { configMapRef: {} }] }],
      volumes: [{ secret: { secretName: "tls" } }, { cephfs: { secretRef: { name: "other" } } }],
    };

    expect(rules.getDependencies(customResource(kind, { spec })).map(({ name }) => name)).toEqual(["conf", "tls"]);
  });

  it("counts over all clusters, and keeps its spec", () => {
    const own = customResource(kind, { spec: { containers: [] }, status: { matchedPods: 9, other: 1 } });
    const aggregated = rules.aggregateStatus(own, [reported("a", { matchedPods: 1 }), reported("b")], NOW);

    expect(aggregated["status"]).toEqual({ matchedPods: 1, updatedPods: 0, readyPods: 0 });
    expect(aggregated["spec"]).toEqual({ containers: [] });
  });
});
