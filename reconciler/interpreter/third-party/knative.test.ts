import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import type { Fields } from "../field-access.ts";
import { KNATIVE_RULES } from "./knative.ts";
import { findCondition } from "./rules/conditions.ts";
import { progressOf } from "./rules/kstatus.ts";
import { aggregatedStatus, customResource, NOW, podTemplate, reported, rulesOf } from "./testing/custom-resources.ts";

const SERVICE = "serving.knative.dev/v1/Service";
const TYPES = ["Ready", "ConfigurationsReady", "RoutesReady"];

function conditions(status: string, types: readonly string[] = TYPES): readonly Fields[] {
  return types.map((type) => ({
    type,
    status,
    ...(status === "True" ? {} : { reason: "RevisionFailed", message: "no" }),
  }));
}

function service(fields: Fields = {}): KubeObject {
  return customResource(SERVICE, { metadata: { name: "web", namespace: "shop", generation: 2 }, ...fields });
}

/** As Argo CD reads a Service: three conditions must be True, none may be False. */
function argoHealth(status: Fields): string {
  const all = (status["conditions"] ?? []) as readonly Fields[];
  if (all.some((condition) => condition["status"] === "False")) return "Degraded";
  return all.filter((condition) => condition["status"] === "True").length === 3 ? "Healthy" : "Progressing";
}

describe("Knative Service", () => {
  const rules = rulesOf(KNATIVE_RULES, SERVICE);
  const copy = (status: string): KubeObject => ({
    ...service({
      status: { observedGeneration: 5, url: "http://web.shop.example.com", conditions: conditions(status) },
    }),
    metadata: { generation: 5, annotations: { "resourcetemplate.karmada.io/generation": "2" } },
  });

  it("is healthy when it is ready, of its newest generation", () => {
    const healthy = (status: Fields): boolean => rules.interpretHealth(service({ status }));

    expect(healthy({ observedGeneration: 2, conditions: conditions("True") })).toBe(true);
    expect(healthy({ observedGeneration: 1, conditions: conditions("True") })).toBe(false);
    expect(healthy({ observedGeneration: 2, conditions: conditions("Unknown") })).toBe(false);
    expect(rules.interpretHealth(service())).toBe(false);
  });

  it("is healthy for Argo CD and Flux when it is so in every cluster", () => {
    const items = ["a", "b"].map((name) => reported(name, rules.reflectStatus(copy("True"))));
    const aggregated = rules.aggregateStatus(service(), items, NOW);

    expect(aggregated["status"]).toMatchObject({ observedGeneration: 2, url: "http://web.shop.example.com" });
    expect(argoHealth(aggregated["status"] as Fields)).toBe("Healthy");
    expect(progressOf(aggregated)).toBe("Current");
  });

  it("is degraded when it is in one cluster, and says in which", () => {
    const status = aggregatedStatus(
      rules,
      service(),
      reported("a", rules.reflectStatus(copy("True"))),
      reported("b", rules.reflectStatus(copy("False"))),
    ) as Fields;

    expect(argoHealth(status)).toBe("Degraded");
    expect(status["conditions"]).toContainEqual(
      expect.objectContaining({ type: "Ready", status: "False", message: "b: no", reason: "RevisionFailed" }),
    );
  });

  it("is on its way while a cluster says nothing", () => {
    const status = aggregatedStatus(rules, service(), reported("a", rules.reflectStatus(copy("True"))), reported("b"));

    expect(argoHealth(status as Fields)).toBe("Progressing");
  });

  it("has a URL only where all clusters give it the same", () => {
    const other = { ...rules.reflectStatus(copy("True")), url: "http://web.shop.other.com" };
    const status = aggregatedStatus(
      rules,
      service(),
      reported("a", rules.reflectStatus(copy("True"))),
      reported("b", other),
    );

    expect(status).not.toHaveProperty("url");
  });

  it("is not divided: its pods come and go with the requests", () => {
    expect(KNATIVE_RULES[SERVICE]).not.toHaveProperty("getReplicas");
  });

  it("needs what its pods refer to", () => {
    const spec = { template: podTemplate({}, { serviceAccountName: "runner" }) };

    expect(rules.getDependencies(service({ spec }))).toMatchObject([{ kind: "ServiceAccount", name: "runner" }]);
    expect(rules.getDependencies(service())).toEqual([]);
  });
});

describe("Knative references", () => {
  const names = (kind: string, spec: Fields): readonly string[] =>
    rulesOf(KNATIVE_RULES, kind)
      .getDependencies(customResource(kind, { spec }))
      .map((one) => `${one.kind} ${one.name}`);

  it("of a Route are Configurations, not the Revisions that a cluster makes", () => {
    const traffic = [{ configurationName: "web" }, { revisionName: "web-00001" }];

    expect(names("serving.knative.dev/v1/Route", { traffic })).toEqual(["Configuration web"]);
  });

  it("of a Trigger are its broker and who gets the events, in its namespace", () => {
    const ref = { apiVersion: SERVICE.slice(0, -8), kind: "Service", name: "sink" };
    const kind = "eventing.knative.dev/v1/Trigger";

    expect(names(kind, { broker: "main", subscriber: { ref } })).toEqual(["Broker main", "Service sink"]);
    expect(names(kind, { broker: "main", subscriber: { ref: { ...ref, namespace: "elsewhere" } } })).toEqual([
      "Broker main",
    ]);
    expect(names(kind, {})).toEqual([]);
  });

  it("of a Sequence are the steps", () => {
    const step = (name: string) => ({ ref: { apiVersion: "v1", kind: "Service", name } });

    expect(names("flows.knative.dev/v1/Sequence", { steps: [step("one"), step("two")] })).toEqual([
      "Service one",
      "Service two",
    ]);
  });

  it("of a source are the sink and the account", () => {
    const sink = { ref: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "main" } };

    expect(names("sources.knative.dev/v1/ApiServerSource", { sink, serviceAccountName: "watcher" })).toEqual([
      "Broker main",
      "ServiceAccount watcher",
    ]);
  });
});

describe("every kind of Knative", () => {
  it.each(Object.keys(KNATIVE_RULES))("%s is ready when it is in all clusters", (kind) => {
    const rules = rulesOf(KNATIVE_RULES, kind);
    const ready = { conditions: conditions("True", ["Ready"]) };

    expect(rules.interpretHealth(customResource(kind, { status: ready }))).toBe(true);
    const readiness = (...items: ReturnType<typeof reported>[]): unknown =>
      findCondition(aggregatedStatus(rules, customResource(kind), ...items) as Fields, "Ready")?.["status"];

    expect(readiness(reported("a", ready), reported("b", ready))).toBe("True");
    expect(readiness(reported("a", ready), reported("b"))).toBe("Unknown");
  });
});
