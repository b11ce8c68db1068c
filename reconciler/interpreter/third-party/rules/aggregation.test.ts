import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { NOTHING_REPORTED } from "../../interpreter.ts";
import { aggregating, lastFilledOf, lastOf, observedGenerationOf, sumsOf, unchanged } from "./aggregation.ts";
import { mergedConditions } from "./conditions.ts";
import { retaining, revising } from "./fields.ts";
import { reflecting, reflectingWithGenerations } from "./reflection.ts";

const NOW = "2026-01-01T00:00:00Z";

function template(status?: Record<string, unknown>, generation = 3): KubeObject {
  return {
    apiVersion: "example.io/v1",
    kind: "Thing",
    metadata: { name: "web", generation },
    spec: { limits: {} },
    ...(status === undefined ? {} : { status }),
  };
}

function item(clusterName: string, status?: Record<string, unknown>): AggregatedStatusItem {
  return { clusterName, applied: true, ...(status === undefined ? {} : { status }) };
}

describe("aggregating", () => {
  const aggregate = aggregating((report) => ({
    ...sumsOf(report.members, ["replicas"]),
    revision: lastFilledOf(report.members, "revision") ?? "",
    hosts: report.members.flatMap(({ status }) => (status["hosts"] as string[] | undefined) ?? []),
    phase: lastOf(report.members, "phase"),
    observedGeneration: observedGenerationOf(report),
  }));

  it("adds counters up, written as numbers or as texts, and takes those of silent clusters for 0", () => {
    const { status } = aggregate(
      template(),
      [item("a", { replicas: 2 }), item("b", { replicas: "3" }), item("c")],
      NOW,
    );

    expect(status).toMatchObject({ replicas: 5 });
  });

  it("names the field of a counter that is no number", () => {
    expect(() => aggregate(template(), [item("a", { replicas: "many" })], NOW)).toThrow(
      "field status.replicas is not a number",
    );
  });

  it("keeps what it does not write, and takes away what has become empty", () => {
    const { status } = aggregate(template({ hosts: ["old"], phase: "Old", selector: "a=b", none: {} }), [], NOW);

    expect(status).toEqual({ replicas: 0, revision: "", selector: "a=b", observedGeneration: 3 });
  });

  it("leaves everything beside the status as its author wrote it", () => {
    expect(aggregate(template(), [], NOW)["spec"]).toEqual({ limits: {} });
  });

  it("may write something else for a binding without any aggregated status", () => {
    const careful = aggregating(() => ({ replicas: 0 }), unchanged);

    expect(careful(template({ replicas: 2 }), NOTHING_REPORTED, NOW)["status"]).toEqual({ replicas: 2 });
    expect(careful(template({ replicas: 2 }), [], NOW)["status"]).toEqual({ replicas: 0 });
  });

  it("gives back the same object when nothing has changed", () => {
    const once = aggregate(template(), [item("a", { replicas: 2 })], NOW);

    expect(aggregate(once, [item("a", { replicas: 2 })], NOW)).toBe(once);
  });

  it("calls the template observed once every cluster has seen a copy of this generation", () => {
    const current = { resourceTemplateGeneration: 3, generation: 7, observedGeneration: 7 };
    const observed = (...items: AggregatedStatusItem[]): unknown =>
      (aggregate(template({ observedGeneration: 2 }), items, NOW)["status"] as Record<string, unknown>)[
        "observedGeneration"
      ];

    expect(observed(item("a", current), item("b", current))).toBe(3);
    expect(observed(item("a", current), item("b", { ...current, resourceTemplateGeneration: 2 }))).toBe(2);
    expect(observed(item("a", current), item("b", { ...current, observedGeneration: 6 }))).toBe(2);
    expect(observed(item("a", current), item("b"))).toBe(2);
  });
});

describe("observedGenerationOf", () => {
  it("takes a silent cluster for one that has seen generation 0, unless told otherwise", () => {
    const observed = (silentHaveSeen: boolean): unknown =>
      aggregating((report) => ({ observedGeneration: observedGenerationOf(report, silentHaveSeen) }))(
        template({ observedGeneration: 1 }, 0),
        [item("a")],
        NOW,
      )["status"];

    expect(observed(true)).toEqual({ observedGeneration: 0 });
    expect(observed(false)).toEqual({ observedGeneration: 1 });
  });
});

describe("mergedConditions", () => {
  it("joins the messages of conditions that agree in type, status and reason", () => {
    const ready = (status: string, message?: string) => ({ type: "Ready", status, reason: "Why", message });
    const merged = mergedConditions([
      { clusterName: "a", status: { conditions: [ready("True", "fine")] } },
      { clusterName: "b", status: { conditions: [ready("False", "broken")] } },
      { clusterName: "c", status: { conditions: [ready("True")] } },
      { clusterName: "d", status: {} },
    ]);

    expect(merged).toEqual([ready("True", "a=fine, c="), ready("False", "b=broken")]);
  });
});

describe("reflecting", () => {
  const observed = (annotation?: string): KubeObject => ({
    ...template({ replicas: 0, conditions: [], secret: "x" }, 7),
    metadata: {
      generation: 7,
      ...(annotation === undefined ? {} : { annotations: { "resourcetemplate.karmada.io/generation": annotation } }),
    },
  });

  it("collects the named fields that are there, zeros included, empty lists not", () => {
    expect(reflecting(["replicas", "conditions", "phase"])(observed())).toEqual({ replicas: 0 });
  });

  it("collects an empty status of an object without one", () => {
    expect(reflectingWithGenerations(["replicas"])(template())).toEqual({});
  });

  it.each([
    ["4", 4],
    ["four", undefined],
    [undefined, undefined],
  ])("tells the generation of the template from the annotation %s", (annotation, resourceTemplateGeneration) => {
    expect(reflectingWithGenerations(["replicas"])(observed(annotation))).toEqual({
      replicas: 0,
      generation: 7,
      ...(resourceTemplateGeneration === undefined ? {} : { resourceTemplateGeneration }),
    });
  });
});

describe("retaining", () => {
  const retain = retaining(["spec", "suspend"], ["spec", "deep", "labels"]);

  it("takes the member's fields, false ones too, and makes what leads to them", () => {
    const retained = retain(template(), { ...template(), spec: { suspend: false, deep: { labels: { a: "b" } } } });

    expect(retained["spec"]).toEqual({ limits: {}, suspend: false, deep: { labels: { a: "b" } } });
  });

  it("leaves alone what the member does not have", () => {
    expect(retain(template(), { ...template(), spec: { suspend: null } })["spec"]).toEqual({ limits: {} });
  });

  it("says where an object is none", () => {
    expect(() => retain(template(), { ...template(), spec: { deep: "x" } })).toThrow(
      "field spec.deep is not an object",
    );
  });
});

describe("revising", () => {
  it("writes the replicas also where there were none, without touching the original", () => {
    const object = template();

    expect(revising("spec", "replicas")(object, 4)["spec"]).toEqual({ limits: {}, replicas: 4 });
    expect(object["spec"]).toEqual({ limits: {} });
  });
});
