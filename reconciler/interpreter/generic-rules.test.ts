import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../kube/object.ts";
import { createInterpreter } from "./levels.ts";
import { builtInLevels } from "./standard-interpreter.ts";
import { progressOf } from "./third-party/rules/kstatus.ts";

const NOW = "2026-01-01T00:00:00Z";
const WIDGET = { group: "example.com", version: "v1", kind: "Widget" };
const interpreter = createInterpreter(builtInLevels("flaghoist", ({ kind }) => kind !== "Plain"));

function widget(status?: unknown, more: Partial<KubeObject["metadata"]> = {}, kind = "Widget"): KubeObject {
  return {
    apiVersion: "example.com/v1",
    kind,
    metadata: { name: "web", generation: 2, ...more },
    spec: {},
    ...(status === undefined ? {} : { status }),
  };
}

function condition(type: string, status: string): Record<string, unknown> {
  return { type, status, reason: "Said", message: "said", lastTransitionTime: NOW };
}

/** What a cluster reports of a copy of the second generation of the template. */
function report(clusterName: string, status: unknown): AggregatedStatusItem {
  const copy = widget(status, { generation: 2, annotations: { "resourcetemplate.karmada.io/generation": "2" } });
  return { clusterName, applied: true, status: { ...interpreter.reflectStatus(copy) } };
}

function aggregated(...items: AggregatedStatusItem[]): KubeObject {
  return interpreter.aggregateStatus(widget(), items, NOW);
}

describe("a kind that nobody knows", () => {
  const good = { observedGeneration: 2, phase: "Running", conditions: [condition("Ready", "True")] };

  it("is read as its copies are: Current when all are, InProgress or Failed when one is", () => {
    const other = (...conditions: unknown[]): AggregatedStatusItem => report("b", { ...good, conditions });

    expect(progressOf(aggregated(report("a", good), report("b", good)))).toBe("Current");
    expect(progressOf(aggregated(report("a", good), other(condition("Ready", "False"))))).toBe("InProgress");
    expect(progressOf(aggregated(report("a", good), other(condition("Stalled", "True"))))).toBe("Failed");
    expect(progressOf(aggregated(report("a", good), report("b", { ...good, observedGeneration: 1 })))).toBe(
      "InProgress",
    );
    expect(progressOf(aggregated(report("a", good), { clusterName: "b" }))).toBe("InProgress");
  });

  it("gets what every cluster says alike, and nothing that they do not", () => {
    const a = report("a", { ...good, address: "10.0.0.1", pools: { small: {} } });
    const b = report("b", { ...good, address: "10.0.0.2", pools: { small: {} } });

    expect(aggregated(a, b)["status"]).toEqual({
      observedGeneration: 2,
      phase: "Running",
      pools: {},
      conditions: [condition("Ready", "True")],
    });
    expect(aggregated(a)["status"]).toMatchObject({ address: "10.0.0.1" });
  });

  it("is unknown again once a cluster falls silent", () => {
    const template = aggregated(report("a", good));
    const later = interpreter.aggregateStatus(template, [{ clusterName: "a" }], NOW);

    expect(later["status"]).toMatchObject({ conditions: [{ type: "Ready", status: "Unknown" }] });
  });

  it("does not seem to have a generation when it tells none", () => {
    expect(aggregated(report("a", { conditions: [condition("Ready", "True")] }))["status"]).toEqual({
      conditions: [condition("Ready", "True")],
    });
  });

  it("keeps its template untouched when its copies keep no conditions, or something else under that name", () => {
    for (const status of [
      { phase: "Running" },
      { conditions: [] },
      { conditions: "good" },
      { conditions: { Ready: "True" } },
      { conditions: ["Ready"] },
      { conditions: [{ type: "Ready", status: true }] },
      { conditions: [condition("Ready", "True")], observedGeneration: "two" },
    ]) {
      const template = widget();

      expect(interpreter.aggregateStatus(template, [report("a", status)], NOW)).toBe(template);
    }
  });

  it("leaves the status to whoever has a rule of their own for collecting it", () => {
    const template = widget();
    const collected = { clusterName: "a", status: { conditions: [condition("Ready", "True")] } };

    expect(interpreter.aggregateStatus(template, [collected], NOW)).toBe(template);
  });

  it("waits for a cluster whose copy has no conditions yet", () => {
    const template = aggregated(report("a", good), report("b", { conditions: [] }));

    expect(template["status"]).toMatchObject({ conditions: [{ type: "Ready", status: "Unknown" }] });
  });

  it("keeps the status that a controller on the control plane writes", () => {
    const entry = (manager: string): ManagedFieldsEntry => ({
      manager,
      subresource: "status",
      fieldsV1: { "f:status": { "f:phase": {} } },
    });
    const theirs = widget({ phase: "Here" }, { managedFields: [entry("widget-controller")] });
    const ours = widget({ phase: "Here" }, { managedFields: [entry("flaghoist-status")] });

    expect(interpreter.aggregateStatus(theirs, [report("a", good)], NOW)).toBe(theirs);
    expect(interpreter.aggregateStatus(ours, [report("a", good)], NOW)["status"]).toMatchObject({ phase: "Running" });
  });

  it("is aggregated only where its status can be written without changing the template", () => {
    expect(interpreter.hookEnabled(WIDGET, "AggregateStatus")).toBe(true);
    expect(interpreter.hookEnabled({ ...WIDGET, kind: "Plain" }, "AggregateStatus")).toBe(false);
  });

  it("is not judged: application failover moves only what is known to be unhealthy", () => {
    expect(interpreter.hookEnabled(WIDGET, "InterpretHealth")).toBe(false);
  });

  it.each(["", "apps", "networking.k8s.io", "apiextensions.k8s.io", "policy.karmada.io", "multicluster.x-k8s.io"])(
    "is none of the group '%s'",
    (group) => {
      expect(interpreter.hookEnabled({ group, version: "v1", kind: "Any" }, "AggregateStatus")).toBe(false);
    },
  );

  it.each(["gateway.networking.k8s.io", "external-secrets.io", "cluster.example.com"])(
    "may be one of the group '%s'",
    (group) => {
      expect(interpreter.hookEnabled({ group, version: "v1", kind: "Any" }, "AggregateStatus")).toBe(true);
    },
  );

  it("is left to itself with compatibility karmada", () => {
    const karmada = createInterpreter(builtInLevels("karmada", () => true));
    const copy = widget(good);

    expect(karmada.hookEnabled(WIDGET, "AggregateStatus")).toBe(false);
    expect(karmada.reflectStatus(copy)).toEqual(good);
  });

  it("is collected as it is where it keeps no conditions", () => {
    expect(interpreter.reflectStatus(widget({ phase: "Running" }))).toEqual({ phase: "Running" });
    expect(interpreter.reflectStatus(widget())).toBeUndefined();
  });
});

describe("kinds that somebody knows", () => {
  it("are answered as before", () => {
    const ingress: KubeObject = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "web" },
      status: { loadBalancer: {}, conditions: [condition("Ready", "True")] },
    };

    expect(interpreter.reflectStatus(ingress)).toEqual(ingress["status"]);
    expect(interpreter.hookEnabled({ group: "", version: "v1", kind: "Namespace" }, "AggregateStatus")).toBe(false);
  });
});
