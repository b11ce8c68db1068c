import { describe, expect, it } from "vitest";
import { refOf } from "../../kube/object.ts";
import { binding, claimed, cluster, deployment, overridePolicy, policy, weighted, world } from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { explain } from "../plan/explain.ts";
import type { Origin } from "../plan/origin.ts";
import type { World } from "../plan/world.ts";
import { explainText } from "./explain-text.ts";

const now = Date.parse("2026-01-01T00:00:12Z");
const plain = {
  bold: (text: string) => text,
  dim: (text: string) => text,
  green: (text: string) => text,
  yellow: (text: string) => text,
  red: (text: string) => text,
};
const owner = policy({ name: "two-regions", placement: weighted({ "tokyo-1": 1, "paris-1": 2, oslo: 5 }) });
const web = claimed(deployment({ replicas: 6 }), owner);
const fleet = [
  cluster({ name: "tokyo-1" }),
  cluster({ name: "paris-1" }),
  cluster({ name: "paris-2", taints: [{ key: "maintenance", value: "true", effect: "NoSchedule" }] }),
];

function textOf(parts: Partial<World>, originOf: () => Origin | undefined = () => undefined): string {
  const interpreter = createInterpreter({ native: nativeLevel() });
  const given = world({ clusters: fleet, templates: [web], ...parts });
  return explainText(explain(given, refOf(web), { interpreter, now, originOf }), { nowMs: now, paint: plain });
}

describe("explainText", () => {
  it("says the outcome first, then each cluster, then the arithmetic", () => {
    const rules = [
      {
        targetCluster: { clusterNames: ["paris-1"] },
        overriders: {
          imageOverrider: [{ component: "Registry" as const, operator: "add" as const, value: "eu.example" }],
        },
      },
    ];
    const clusters = [
      { name: "paris-1", replicas: 4 },
      { name: "tokyo-1", replicas: 2 },
    ];
    const status = { lastScheduledTime: "2026-01-01T00:00:00Z" };

    const text = textOf(
      {
        policies: [owner],
        overridePolicies: [overridePolicy({ name: "registry", rules })],
        bindings: [binding({ template: web, policy: owner, clusters, replicas: 6, status })],
      },
      () => ({ file: "deploy/policies.yaml:3", revision: "main@sha1:3f9c2abd00", sync: "shop/apps" }),
    );

    expect(text).toBe(
      [
        "web is on 2 of 3 clusters, as policy shop/two-regions (deploy/policies.yaml:3, commit 3f9c2ab) asks.",
        "",
        "  paris-1   4 replicas   image eu.example/shop/web:1 (was shop/web:1) ← override shop/registry, rule 1 (deploy/policies.yaml:3, commit 3f9c2ab)",
        "  tokyo-1   2 replicas",
        "  paris-2   refused      taint maintenance=true:NoSchedule is not tolerated (spec.placement.clusterTolerations)",
        "                         → tolerate it there, or take maintenance=true:NoSchedule off paris-2",
        "",
        "How 6 replicas were divided: weights paris-1 2, tokyo-1 1 (static rules 1 and 2; rule 3 matches none)",
        "  seat 1 paris-1 2.00 > 1.00 · seat 2 tokyo-1 1.00 > 0.67 · seat 3 paris-1 0.67 > 0.33",
        "  seat 4 paris-1 0.40 > 0.33 · seat 5 tokyo-1 0.33 > 0.29 · seat 6 paris-1 0.29 > 0.20",
        "  → paris-1 4 · tokyo-1 2",
        "",
        "Decided 12s ago.",
      ].join("\n"),
    );
  });

  it("elides the seats after twelve and keeps the result", () => {
    const many = claimed(deployment({ replicas: 30 }), owner);
    const interpreter = createInterpreter({ native: nativeLevel() });
    const explanation = explain(world({ clusters: fleet, templates: [many], policies: [owner] }), refOf(many), {
      interpreter,
      now,
    });

    const text = explainText(explanation, { nowMs: now, paint: plain });

    expect(text).toContain("seat 12 ");
    expect(text).not.toContain("seat 13 ");
    expect(text).toContain("…");
    expect(text).toContain("→ paris-1 20 · tokyo-1 10");
  });

  it("groups clusters that are refused alike when there are many", () => {
    const many = Array.from({ length: 30 }, (_, i) => cluster({ name: `edge-${String(i).padStart(2, "0")}` }));
    const named = policy({ name: "two-regions", clusters: ["paris-1"] });

    const text = textOf({ clusters: [...fleet, ...many], policies: [named] });

    expect(text).toContain("edge-00 … tokyo-1 (31)");
    expect(text.split("\n").length).toBeLessThan(12);
  });

  it("names what would have to change when no policy selects the object", () => {
    const near = policy({ name: "two-regions", selects: [{ apiVersion: "apps/v1", kind: "Deployment", name: "api" }] });
    const unclaimed = deployment();
    const explanation = explain(
      world({ clusters: fleet, templates: [unclaimed], policies: [near] }),
      refOf(unclaimed),
      {
        interpreter: createInterpreter({ native: nativeLevel() }),
        now,
      },
    );

    expect(explainText(explanation, { nowMs: now, paint: plain })).toBe(
      [
        "No policy selects Deployment shop/web, so it is on no cluster.",
        "",
        "The nearest policies:",
        "  shop/two-regions: names api; the object is called web (spec.resourceSelectors[0].name)",
      ].join("\n"),
    );
  });

  it("shows one cluster alone", () => {
    const interpreter = createInterpreter({ native: nativeLevel() });
    const explanation = explain(world({ clusters: fleet, templates: [web], policies: [owner] }), refOf(web), {
      interpreter,
      now,
    });

    const text = explainText(explanation, { nowMs: now, paint: plain, cluster: "paris-2" });

    expect(text).toContain("paris-2   refused");
    expect(text).not.toContain("paris-1");
    expect(text).not.toContain("seat");
  });
});
