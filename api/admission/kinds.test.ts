import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import type { ResourceInterpreterCustomization } from "../config.ts";
import { defaultObject, validateObject } from "./admit.ts";
import { customizationWarnings, validateCustomization, validateCustomizationAmong } from "./interpreter.ts";
import { isCron } from "./schedules.ts";

function refused(
  apiVersion: string,
  kind: string,
  rest: Record<string, unknown>,
  old?: Record<string, unknown>,
): string[] {
  const object: KubeObject = { apiVersion, kind, metadata: { name: "web", namespace: "shop" }, ...rest };
  const stored = old === undefined ? undefined : { ...object, ...old };
  return validateObject(object, stored).map(({ field }) => field);
}

describe("a GitRepository", () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{ schedule: "0 6 * * 1-5", timeZone: "Europe/Paris" }, []],
    [{ schedule: "@daily" }, []],
    [{ schedule: "CRON_TZ=Europe/Paris 0 6 * * *" }, []],
    [{ interval: "30s", ref: {} }, []],
    [{ schedule: "every morning" }, ["spec.schedule"]],
    [{ timeZone: "Mars/Olympus" }, ["spec.timeZone"]],
    [{ interval: "0s" }, ["spec.interval"]],
  ])("with %j is refused at %j", (spec, fields) => {
    expect(
      refused("gitops.flaghoist.io/v1alpha1", "GitRepository", { spec: { url: "https://x/y.git", ...spec } }),
    ).toEqual(fields);
  });
});

describe("a Sync", () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{ path: "./apps/shop" }, []],
    [{ path: "apps/../../etc" }, ["spec.path"]],
    [{ dependsOn: [{ name: "base" }, { name: "web", namespace: "bank" }] }, []],
    [{ dependsOn: [{ name: "web" }] }, ["spec.dependsOn[0]"]],
  ])("with %j is refused at %j", (spec, fields) => {
    const sourceRef = { kind: "GitRepository", name: "shop" };

    expect(refused("gitops.flaghoist.io/v1alpha1", "Sync", { spec: { sourceRef, ...spec } })).toEqual(fields);
  });
});

describe("a ResourceInterpreterWebhookConfiguration", () => {
  const webhook = {
    name: "workloads.example.com",
    clientConfig: { url: "https://interpreter:8443/x" },
    interpreterContextVersions: ["v1alpha1"],
    rules: [{ operations: ["InterpretHealth"], apiGroups: ["*"], apiVersions: ["*"], kinds: ["*"] }],
  };

  it.each<[string, Record<string, unknown>[], string[]]>([
    ["nothing", [webhook], []],
    ["a name twice", [webhook, webhook], ["webhooks[1].name"]],
    ["a short name", [{ ...webhook, name: "workloads" }], ["webhooks[0].name"]],
    [
      "two ways to reach it",
      [{ ...webhook, clientConfig: { url: "https://x", service: {} } }],
      ["webhooks[0].clientConfig"],
    ],
    ["no way to reach it", [{ ...webhook, clientConfig: {} }], ["webhooks[0].clientConfig"]],
    ["plain http", [{ ...webhook, clientConfig: { url: "http://x" } }], ["webhooks[0].clientConfig.url"]],
    ["a long wait", [{ ...webhook, timeoutSeconds: 31 }], ["webhooks[0].timeoutSeconds"]],
    [
      "another version",
      [{ ...webhook, interpreterContextVersions: ["v2"] }],
      ["webhooks[0].interpreterContextVersions"],
    ],
    [
      "an unknown operation",
      [{ ...webhook, rules: [{ operations: ["Guess"], apiGroups: [], apiVersions: [], kinds: [] }] }],
      ["webhooks[0].rules[0].operations[0]"],
    ],
  ])("is refused for %s", (_, webhooks, fields) => {
    expect(refused("config.karmada.io/v1alpha1", "ResourceInterpreterWebhookConfiguration", { webhooks })).toEqual(
      fields,
    );
  });
});

describe("a ResourceInterpreterCustomization", () => {
  function customization(name: string, kind: string): ResourceInterpreterCustomization {
    const rule = { luaScript: "function f() end" };
    return {
      apiVersion: "config.karmada.io/v1alpha1",
      kind: "ResourceInterpreterCustomization",
      metadata: { name },
      spec: {
        target: { apiVersion: "example.io/v1", kind },
        customizations: { retention: rule, dependencyInterpretation: rule },
      },
    };
  }

  it("is the only one to say how a kind is kept, while dependencies add up", () => {
    const mine = customization("mine", "Workload");

    expect(validateCustomizationAmong(mine, [mine, customization("other", "Task")])).toEqual([]);
    expect(validateCustomizationAmong(mine, [customization("theirs", "Workload")]).map(({ field }) => field)).toEqual([
      "spec.customizations.retention",
    ]);
  });

  it("is refused at the script that does not load, and warned of one that will not work", () => {
    const mine = customization("mine", "Workload");
    const unloadable = validateCustomization(mine, (_, functionName) =>
      functionName === "Retain" ? { severity: "error", words: "line 1, column 3: unexpected end" } : undefined,
    );
    const idle = customizationWarnings(mine, (_, functionName) =>
      functionName === "Retain" ? undefined : { severity: "warning", words: `defines no function ${functionName}` },
    );

    expect(unloadable).toMatchObject([
      {
        field: "spec.customizations.retention.luaScript",
        message: "Invalid value: line 1, column 3: unexpected end",
      },
    ]);
    expect(idle).toEqual([
      {
        field: "spec.customizations.dependencyInterpretation.luaScript",
        words: "defines no function GetDependencies",
      },
    ]);
  });

  it("is warned of when it says nothing, and leaves empty scripts to others", () => {
    const empty: ResourceInterpreterCustomization = {
      ...customization("empty", ""),
      spec: { target: { apiVersion: "example.io/v1", kind: "" }, customizations: { retention: { luaScript: "" } } },
    };

    expect(customizationWarnings(empty, undefined).map(({ field }) => field)).toEqual([
      "spec.target.kind",
      "spec.customizations",
    ]);
    expect(validateCustomizationAmong(empty, [customization("other", "")])).toEqual([]);
    expect(validateCustomizationAmong(customization("other", ""), [empty])).toEqual([]);
  });
});

describe("isCron", () => {
  it.each([
    ["0 6 * * 1-5", true],
    ["*/5 0,12 1 JAN-MAR mon", true],
    ["0 0 6 * * *", true],
    ["0 6 * * * 2030", true],
    ["0 0 6 L * 5L 2030", true],
    ["0 6 15W * 1#2", true],
    ["@Daily", true],
    ["@sometimes", false],
    ["60 * * * *", false],
    ["* 24 * * *", false],
    ["* * 0 * *", false],
    ["* * * 13 *", false],
    ["*/0 * * * *", false],
    ["5-1 * * * *", false],
    ["1- * * * *", false],
    ["* * * *", false],
    ["every morning at six o'clock", false],
    ["", false],
  ])("%j: %s", (text, isTaken) => {
    expect(isCron(text)).toBe(isTaken);
  });
});

describe("scaling", () => {
  const workload = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  const hpa = { apiVersion: "autoscaling.karmada.io/v1alpha1", kind: "FederatedHPA", name: "web" };

  it.each<[unknown, Record<string, unknown>, string[]]>([
    [workload, { targetReplicas: 0 }, []],
    [workload, { targetMinReplicas: 2 }, ["spec.rules[0].targetReplicas"]],
    [workload, { targetReplicas: -1 }, ["spec.rules[0].targetReplicas"]],
    [hpa, { targetMaxReplicas: 5 }, []],
    [hpa, { targetReplicas: 5 }, ["spec.rules[0].targetMaxReplicas"]],
    [hpa, { targetMinReplicas: 5, targetMaxReplicas: 2 }, ["spec.rules[0].targetMinReplicas"]],
    [
      workload,
      { targetReplicas: 1, schedule: "60 * * * *", timeZone: "Mars/Olympus" },
      ["spec.rules[0].schedule", "spec.rules[0].timeZone"],
    ],
    [{ ...hpa, kind: "Pod" }, { targetMaxReplicas: 5 }, ["spec.scaleTargetRef.kind"]],
    [{ ...workload, name: "a/b" }, { targetReplicas: 5 }, ["spec.scaleTargetRef.name"]],
    [
      { ...workload, kind: "", name: ".." },
      { targetReplicas: 5 },
      ["spec.scaleTargetRef.kind", "spec.scaleTargetRef.name"],
    ],
  ])("of %j by the clock with %j is refused at %j", (scaleTargetRef, rule, fields) => {
    const rules = [{ name: "night", schedule: "0 22 * * *", ...rule }];

    expect(refused("autoscaling.karmada.io/v1alpha1", "CronFederatedHPA", { spec: { scaleTargetRef, rules } })).toEqual(
      fields,
    );
  });

  it.each<[Record<string, unknown>, string[]]>([
    [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }, []],
    [{ type: "Resource" }, ["spec.metrics[0].resource"]],
    [{ type: "External" }, ["spec.metrics[0].type"]],
    [
      { type: "Resource", resource: { name: "", target: { type: "Share", averageUtilization: 0, averageValue: "0" } } },
      [
        "spec.metrics[0].resource.name",
        "spec.metrics[0].resource.target.type",
        "spec.metrics[0].resource.target.averageValue",
        "spec.metrics[0].resource.target.averageUtilization",
        "spec.metrics[0].resource.target.averageValue",
      ],
    ],
    [
      { type: "Pods", pods: { metric: { name: "a/b" }, target: { type: "Value", value: "1" } } },
      ["spec.metrics[0].pods.metric.name", "spec.metrics[0].pods.target.averageValue"],
    ],
    [
      {
        type: "Object",
        object: { describedObject: { kind: "", name: "x" }, metric: { name: "m" }, target: { type: "Value" } },
      },
      ["spec.metrics[0].object.describedObject.kind", "spec.metrics[0].object.target.averageValue"],
    ],
    [
      {
        type: "ContainerResource",
        containerResource: { name: "cpu", container: "Web", target: { type: "AverageValue", averageValue: "1" } },
        resource: { name: "cpu", target: { type: "AverageValue", averageValue: "1" } },
      },
      ["spec.metrics[0].resource"],
    ],
    [
      {
        type: "ContainerResource",
        containerResource: { name: "cpu", container: "Web", target: { type: "AverageValue", averageValue: "1" } },
      },
      ["spec.metrics[0].containerResource.container"],
    ],
  ])("by the metric %j is refused at %j", (metric, fields) => {
    const spec = { scaleTargetRef: workload, maxReplicas: 2, metrics: [metric] };

    expect(refused("autoscaling.karmada.io/v1alpha1", "FederatedHPA", { spec })).toEqual(fields);
  });

  it("has bounds for how fast it follows", () => {
    const scaleUp = {
      stabilizationWindowSeconds: 3601,
      selectPolicy: "Most",
      policies: [{ type: "Nodes", value: 0, periodSeconds: 1801 }],
    };
    const spec = { scaleTargetRef: workload, maxReplicas: 2, behavior: { scaleUp, scaleDown: { policies: [] } } };

    expect(refused("autoscaling.karmada.io/v1alpha1", "FederatedHPA", { spec })).toEqual([
      "spec.behavior.scaleUp.stabilizationWindowSeconds",
      "spec.behavior.scaleUp.selectPolicy",
      "spec.behavior.scaleUp.policies[0].type",
      "spec.behavior.scaleUp.policies[0].value",
      "spec.behavior.scaleUp.policies[0].periodSeconds",
      "spec.behavior.scaleDown.policies",
    ]);
  });

  it("by load needs a range, and by the clock names for its rules", () => {
    const rule = { name: "night", schedule: "0 22 * * *", targetReplicas: 1 };
    const spec = { scaleTargetRef: workload, minReplicas: 3, maxReplicas: 2 };

    expect(refused("autoscaling.karmada.io/v1alpha1", "FederatedHPA", { spec })).toEqual(["spec.maxReplicas"]);
    expect(
      refused("autoscaling.karmada.io/v1alpha1", "CronFederatedHPA", {
        spec: { scaleTargetRef: workload, rules: [rule, rule] },
      }),
    ).toEqual(["spec.rules[1].name"]);
  });
});

describe("a MultiClusterService", () => {
  it("has an id whenever it is written", () => {
    const service: KubeObject = {
      apiVersion: "networking.karmada.io/v1alpha1",
      kind: "MultiClusterService",
      metadata: { name: "web", namespace: "shop" },
      spec: { types: ["CrossCluster"] },
    };
    const context = { operation: "UPDATE", requestNamespace: "shop", nowMs: 0, newUuid: () => "fresh" } as const;

    const stored = defaultObject(service, context);

    expect(stored.metadata.labels).toEqual({ "multiclusterservice.karmada.io/permanent-id": "fresh" });
    expect(defaultObject(stored, context)).toBe(stored);
  });

  it.each<[Record<string, unknown>, Record<string, unknown> | undefined, string[]]>([
    [{ types: ["CrossCluster"], ports: [{ name: "a", port: 80 }] }, undefined, []],
    [{ types: [] }, undefined, []],
    [{ types: ["CrossCluster", "LoadBalancer"] }, undefined, ["spec.types"]],
    [{ types: ["NodePort"] }, undefined, ["spec.types[0]"]],
    [{ types: ["LoadBalancer"] }, { types: ["CrossCluster"] }, ["spec.types"]],
    [
      { types: ["CrossCluster"], ports: [{ port: 0 }, { port: 70000 }] },
      undefined,
      ["spec.ports[0].port", "spec.ports[1].port"],
    ],
    [
      {
        types: ["CrossCluster"],
        ports: [
          { name: "a", port: 80 },
          { name: "a", port: 81 },
          { name: "A", port: 82 },
        ],
      },
      undefined,
      ["spec.ports[1].name", "spec.ports[2].name"],
    ],
    [
      { types: ["CrossCluster"], consumerClusters: [{ name: "a".repeat(49) }] },
      undefined,
      ["spec.consumerClusters[0].name"],
    ],
  ])("%j after %j is refused at %j", (spec, old, fields) => {
    const before = old === undefined ? undefined : { spec: old };

    expect(refused("networking.karmada.io/v1alpha1", "MultiClusterService", { spec }, before)).toEqual(fields);
  });
});
