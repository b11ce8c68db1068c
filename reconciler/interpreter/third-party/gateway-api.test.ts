import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { standardInterpreter } from "../standard-interpreter.ts";

const NOW = "2026-01-01T00:00:00Z";
const interpreter = standardInterpreter("flaghoist");

function object(kind: string, fields: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata: { name: "web", namespace: "shop", generation: 2 },
    ...fields,
  };
}

function condition(type: string, status = "True", observedGeneration = 2): Record<string, unknown> {
  return { type, status, reason: type, message: "", lastTransitionTime: NOW, observedGeneration };
}

function report(clusterName: string, kind: string, status: Record<string, unknown>): AggregatedStatusItem {
  const copy = object(kind, { status });
  copy.metadata.annotations = { "resourcetemplate.karmada.io/generation": "2" };
  return { clusterName, status: { ...interpreter.reflectStatus(copy) } };
}

function parent(name: string, ...conditions: unknown[]): Record<string, unknown> {
  return { parentRef: { name }, controllerName: "example.com/gateway", conditions };
}

describe("a route", () => {
  const health = (...parents: unknown[]): boolean =>
    interpreter.interpretHealth(object("HTTPRoute", { status: { parents } }));

  it("is healthy when a gateway has seen it as it is and none refuses it", () => {
    expect(health(parent("a", condition("Accepted"), condition("ResolvedRefs")))).toBe(true);
    expect(health(parent("a", condition("Accepted")), parent("b", condition("ResolvedRefs", "False")))).toBe(false);
    expect(health(parent("a", condition("Accepted", "True", 1)))).toBe(false);
    expect(health(parent("a", condition("Accepted")), parent("b", condition("Accepted", "False", 1)))).toBe(true);
    expect(health()).toBe(false);
  });

  it("has each gateway once, with what it says in the clusters that have it", () => {
    const { status } = interpreter.aggregateStatus(
      object("HTTPRoute"),
      [
        report("east", "HTTPRoute", {
          parents: [parent("a", condition("Accepted")), parent("b", condition("Accepted"))],
        }),
        report("west", "HTTPRoute", { parents: [parent("a", condition("Accepted", "False"))] }),
      ],
      NOW,
    );

    expect(status).toEqual({
      parents: [
        parent("a", { ...condition("Accepted", "False"), message: "west" }),
        parent("b", condition("Accepted")),
      ],
    });
  });

  it("is of the generation that every cluster has seen, as Argo CD asks", () => {
    const parents = [parent("a", condition("Accepted", "True", 1))];
    const { status } = interpreter.aggregateStatus(
      object("HTTPRoute"),
      [report("east", "HTTPRoute", { parents })],
      NOW,
    );

    expect(status).toMatchObject({ parents: [{ conditions: [{ type: "Accepted" }] }] });
    expect(JSON.stringify(status)).not.toContain("observedGeneration");
  });
});

describe("a Gateway", () => {
  const good = [condition("Accepted"), condition("Programmed")];
  const listener = (attachedRoutes: number, ...conditions: unknown[]): Record<string, unknown> => ({
    name: "https",
    attachedRoutes,
    supportedKinds: [{ kind: "HTTPRoute" }],
    conditions,
  });

  it("is healthy when it is accepted and programmed", () => {
    expect(interpreter.interpretHealth(object("Gateway", { status: { conditions: good } }))).toBe(true);
    expect(interpreter.interpretHealth(object("Gateway", { status: { conditions: [condition("Accepted")] } }))).toBe(
      false,
    );
    expect(interpreter.interpretHealth(object("Gateway"))).toBe(false);
  });

  it("has the addresses of all clusters and the routes of all listeners", () => {
    const address = (value: string): Record<string, unknown> => ({ type: "IPAddress", value });
    const { status } = interpreter.aggregateStatus(
      object("Gateway"),
      [
        report("east", "Gateway", {
          conditions: good,
          addresses: [address("10.0.0.1")],
          listeners: [listener(1, condition("Programmed"))],
        }),
        report("west", "Gateway", {
          conditions: good,
          addresses: [address("10.0.0.2"), address("10.0.0.1")],
          listeners: [listener(2, condition("Programmed", "False"))],
        }),
      ],
      NOW,
    );

    expect(status).toEqual({
      conditions: good,
      addresses: [address("10.0.0.1"), address("10.0.0.2")],
      listeners: [listener(3, { ...condition("Programmed", "False"), message: "west" })],
    });
  });

  it("takes its certificates along", () => {
    const listeners = [
      { name: "http" },
      { name: "https", tls: { certificateRefs: [{ name: "web-tls" }, { name: "far", namespace: "other" }] } },
    ];

    expect(interpreter.getDependencies(object("Gateway", { spec: { listeners } }))).toEqual([
      { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "web-tls" },
    ]);
  });
});
