import { describe, expect, it } from "vitest";
import type { Fields } from "../../field-access.ts";
import { aggregatedStatus, customResource, NOW, reported, rulesOf } from "../testing/custom-resources.ts";
import { WORKLOAD_RULES } from "../workloads.ts";

const KIND = "argoproj.io/v1alpha1/Application";
const rules = rulesOf(WORKLOAD_RULES.more, KIND);

function state(health: string, sync = "Synced", fields: Fields = {}): Fields {
  return { health: { status: health }, sync: { status: sync, revision: "abc" }, ...fields };
}

describe("Application", () => {
  it.each([
    ["Healthy", "Synced", true],
    ["Healthy", "OutOfSync", true],
    ["Suspended", "Synced", true],
    ["Healthy", "Unknown", false],
    ["Progressing", "Synced", false],
    ["Degraded", "Synced", false],
    ["Missing", "OutOfSync", false],
  ])("that is %s and %s is healthy: %s", (health, sync, healthy) => {
    expect(rules.interpretHealth(customResource(KIND, { status: state(health, sync) }))).toBe(healthy);
  });

  it("is not healthy before Argo CD has looked at it", () => {
    expect(rules.interpretHealth(customResource(KIND))).toBe(false);
    expect(rules.interpretHealth(customResource(KIND, { status: { health: {}, sync: null } }))).toBe(false);
  });

  it("names a health that is no object", () => {
    expect(() => rules.interpretHealth(customResource(KIND, { status: { health: "Healthy" } }))).toThrow(
      "field status.health is not an object",
    );
  });

  it("keeps the status and the operation of the member", () => {
    const observed = customResource(KIND, { status: state("Healthy"), operation: { sync: { revision: "abc" } } });
    const retained = rules.retain(
      customResource(KIND, { spec: { project: "shop" }, status: state("Degraded") }),
      observed,
    );

    expect(retained).toEqual({ ...observed, spec: { project: "shop" } });
  });

  it("does not begin an operation of the template again that the member has begun", () => {
    const asked = customResource(KIND, { operation: { sync: {} } });

    expect(rules.retain(asked, customResource(KIND))).not.toHaveProperty("operation");
  });

  it("does not repeat a request to refresh that the member has handled", () => {
    const annotations = { "argocd.argoproj.io/refresh": "hard", team: "a" };
    const asked = customResource(KIND, { metadata: { name: "web", annotations } });

    expect(rules.retain(asked, customResource(KIND)).metadata.annotations).toEqual({ team: "a" });
    expect(rules.retain(asked, asked).metadata.annotations).toEqual(annotations);
  });

  it("needs its project, but not the one that is always there", () => {
    const names = (spec?: Fields) => rules.getDependencies(customResource(KIND, { spec })).map(({ name }) => name);

    expect(names({ project: "shop" })).toEqual(["shop"]);
    expect(names({ project: "default" })).toEqual([]);
    expect(names()).toEqual([]);
  });

  it("collects what is to be told, not every resource, nor times that pass by themselves", () => {
    const status = {
      ...state("Healthy"),
      sync: { status: "Synced", revision: "abc", comparedTo: { source: {} } },
      reconciledAt: NOW,
      history: [{ id: 1 }],
      resources: [{ kind: "Deployment" }],
      summary: { images: ["nginx:1"] },
      operationState: { phase: "Succeeded", startedAt: NOW, operation: { retry: {} }, syncResult: { resources: [] } },
    };

    expect(rules.reflectStatus(customResource(KIND, { status }))).toEqual({
      ...state("Healthy"),
      summary: { images: ["nginx:1"] },
      operationState: { phase: "Succeeded", startedAt: NOW, operation: {} },
    });
    expect(rules.reflectStatus(customResource(KIND))).toEqual({});
  });
});

describe("status of an Application", () => {
  const aggregate = (...statuses: readonly (Fields | undefined)[]): Fields =>
    aggregatedStatus(
      rules,
      customResource(KIND),
      ...statuses.map((status, at) => reported(`m${at}`, status)),
    ) as Fields;

  it("is healthy and synced when every cluster's is", () => {
    expect(aggregate(state("Healthy"), state("Healthy"))).toEqual(state("Healthy"));
  });

  it.each([
    ["Degraded", "Progressing", "Degraded"],
    ["Missing", "Progressing", "Missing"],
    ["Suspended", "Progressing", "Progressing"],
    ["Suspended", "Healthy", "Suspended"],
    ["Unknown", "Degraded", "Unknown"],
  ])("with %s in one cluster and %s in another is %s", (one, other, health) => {
    expect(aggregate(state(one), state(other))["health"]).toMatchObject({ status: health });
  });

  it("waits for clusters that say nothing yet", () => {
    expect(aggregate(state("Healthy"), undefined)).toMatchObject({
      health: { status: "Progressing" },
      sync: { status: "OutOfSync" },
    });
  });

  it("says in which clusters it is bad, and why", () => {
    const broken = { health: { status: "Degraded", message: "no pods" }, sync: { status: "Synced" } };

    expect(aggregate(broken, state("Healthy"))["health"]).toEqual({ status: "Degraded", message: "m0: no pods" });
  });

  it("tells a revision only when all clusters have the same", () => {
    const other = { health: { status: "Healthy" }, sync: { status: "Synced", revision: "def" } };

    expect(aggregate(state("Healthy"), other)["sync"]).toEqual({ status: "Synced" });
  });

  it("lists the images and addresses of all clusters once, and merges what Argo CD warns of", () => {
    const conditions = [{ type: "SyncError", message: "denied" }];
    const summary = { images: ["b", "a"], externalURLs: ["https://a"] };

    expect(
      aggregate(state("Healthy", "Synced", { summary, conditions }), state("Healthy", "Synced", { summary })),
    ).toMatchObject({
      summary: { images: ["a", "b"], externalURLs: ["https://a"] },
      conditions: [{ type: "SyncError", message: "m0=denied" }],
    });
  });

  it("tells the operation that went worst, as a whole", () => {
    const operation = (phase: string): Fields => ({
      operationState: { phase, startedAt: NOW, operation: { initiatedBy: { automated: true } } },
    });

    expect(
      aggregate(state("Healthy", "Synced", operation("Succeeded")), state("Healthy", "Synced", operation("Failed"))),
    ).toMatchObject(operation("Failed"));
    expect(aggregate(state("Healthy", "Synced", { operationState: { phase: "Running" } }))).not.toHaveProperty(
      "operationState",
    );
  });

  it("stays as it is while no cluster has a copy", () => {
    expect(aggregate()).toBeUndefined();
  });
});

describe("AppProject", () => {
  const project = rulesOf(WORKLOAD_RULES.more, "argoproj.io/v1alpha1/AppProject");

  it("keeps the tokens that the member has issued, role by role", () => {
    const own = customResource("argoproj.io/v1alpha1/AppProject", {
      spec: { roles: [{ name: "ci", policies: ["p"] }, { name: "new" }] },
    });
    const observed = customResource("argoproj.io/v1alpha1/AppProject", {
      spec: { roles: [{ name: "ci", jwtTokens: [{ iat: 1 }] }] },
      status: { jwtTokensByRole: {} },
    });

    expect(project.retain(own, observed)).toMatchObject({
      spec: { roles: [{ name: "ci", policies: ["p"], jwtTokens: [{ iat: 1 }] }, { name: "new" }] },
      status: { jwtTokensByRole: {} },
    });
  });

  it("is left as it is by a member without roles", () => {
    const own = customResource("argoproj.io/v1alpha1/AppProject", { spec: { sourceRepos: ["*"] } });

    expect(project.retain(own, customResource("argoproj.io/v1alpha1/AppProject"))).toEqual(own);
  });
});

describe("ApplicationSet", () => {
  const kind = "argoproj.io/v1alpha1/ApplicationSet";
  const set = rulesOf(WORKLOAD_RULES.more, kind);
  const saying = (...types: readonly (readonly [string, string])[]): Fields => ({
    conditions: types.map(([type, status]) => ({ type, status, reason: "Said", message: type })),
  });

  it("is healthy when its Applications are up to date and no rollout over them is under way", () => {
    const healthy = (status?: Fields): boolean => set.interpretHealth(customResource(kind, { status }));

    expect(healthy(saying(["ErrorOccurred", "False"], ["ResourcesUpToDate", "True"]))).toBe(true);
    expect(healthy(saying(["ErrorOccurred", "True"], ["ResourcesUpToDate", "True"]))).toBe(false);
    expect(healthy(saying(["RolloutProgressing", "True"], ["ResourcesUpToDate", "True"]))).toBe(false);
    expect(healthy()).toBe(false);
  });

  it("has an error when it has one in any cluster, and is up to date when it is in all", () => {
    const good = saying(["ErrorOccurred", "False"], ["ResourcesUpToDate", "True"]);
    const bad = saying(["ErrorOccurred", "True"], ["ResourcesUpToDate", "False"]);
    const statuses = (...members: readonly (Fields | undefined)[]) =>
      (
        aggregatedStatus(set, customResource(kind), ...members.map((one, at) => reported(`m${at}`, one))) as {
          readonly conditions: readonly Fields[];
        }
      ).conditions.map(({ type, status }) => `${type} ${status}`);

    expect(statuses(good, good)).toEqual(["ResourcesUpToDate True", "ErrorOccurred False"]);
    expect(statuses(good, bad)).toEqual(["ResourcesUpToDate False", "ErrorOccurred True"]);
    expect(statuses(good, undefined)).toContain("ResourcesUpToDate Unknown");
  });

  it("needs the credentials its generators read, however deep, and its project", () => {
    const spec = {
      generators: [
        {
          matrix: {
            generators: [
              { scmProvider: { github: { tokenRef: { secretName: "github", key: "token" } } } },
              { plugin: { configMapRef: { name: "plugin" } } },
            ],
          },
        },
        { pullRequest: { gitlab: { caRef: { configMapName: "ca", key: "ca" } } } },
      ],
      template: { spec: { project: "shop" } },
    };
    const names = (value: Fields) =>
      set.getDependencies(customResource(kind, { spec: value })).map((one) => `${one.kind} ${one.name}`);

    expect(names(spec)).toEqual(["AppProject shop", "ConfigMap ca", "ConfigMap plugin", "Secret github"].sort(byApi));
    expect(names({ template: { spec: { project: "{{ .name }}" } } })).toEqual([]);
  });
});

/** The group comes before the kind. */
function byApi(one: string, other: string): number {
  const key = (text: string): string => (text.startsWith("AppProject") ? `a ${text}` : `v ${text}`);
  return key(one) < key(other) ? -1 : 1;
}
