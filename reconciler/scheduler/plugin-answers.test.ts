import { describe, expect, it } from "vitest";
import { cluster } from "../../test/builders.ts";
import type { SchedulingOptions } from "./options.ts";
import { schedule } from "./schedule.ts";

const RESOURCE = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };
const FLEET = ["a", "b", "c"].map((name) => cluster({ name, allocatable: { pods: "20" } }));

function place(options: SchedulingOptions, max = 3, placed: string[] = []) {
  const placement = { spreadConstraints: [{ spreadByField: "cluster" as const, minGroups: 1, maxGroups: max }] };
  const clusters = placed.map((name) => ({ name, replicas: 2 }));
  const result = schedule({
    spec: { placement, replicas: 2, resource: RESOURCE, clusters },
    fleet: FLEET,
    options: { ...options, explain: true },
  });
  return { ...result, names: result.clusters?.map((target) => target.name) ?? result.error?.message };
}

const REFUSES_B = { pluginRefusals: new Map([["b", { plugin: "carbon", reason: "480 g/kWh" }]]) };

describe("what plugins answer", () => {
  it("keeps a cluster out, and those that are there already too", () => {
    expect(place(REFUSES_B).names).toEqual(["a", "c"]);
    expect(place(REFUSES_B, 3, ["b"]).names).toEqual(["a", "c"]);
  });

  it("is told as a refusal with the plugin's name and reason", () => {
    const { trace } = place(REFUSES_B);

    expect(trace?.clusters[1]).toMatchObject({
      verdict: "refused",
      refusals: [
        {
          filter: "carbon",
          reason: "cluster(s) were refused by plugin carbon: 480 g/kWh",
          path: "plugins.modules: carbon",
        },
      ],
    });
    const refusals = ["a", "b", "c"].map((name) => [name, { plugin: "carbon", reason: "closed" }] as const);
    expect(place({ pluginRefusals: new Map(refusals) }).names).toBe(
      "0/3 clusters are available: 3 cluster(s) were refused by plugin carbon: closed.",
    );
  });

  it("keeps clusters out that came after the plugins were asked", () => {
    expect(place({ pluginsAsked: new Set(["a", "b"]) }).names).toEqual(["a", "b"]);
    expect(place({ pluginsAsked: new Set(["a", "b"]) }).trace?.clusters[2]?.refusals[0]?.detail).toBe(
      "plugin all: not asked about this cluster yet",
    );
  });

  it("prefers clusters, by value times weight", () => {
    const pluginScores = new Map([
      ["a", [{ name: "carbon", value: 30, weight: 1 }]],
      [
        "c",
        [
          { name: "carbon", value: 10, weight: 1 },
          { name: "price", value: 15, weight: 2 },
        ],
      ],
    ]);

    expect(place({ pluginScores }, 1).names).toEqual(["c"]);
  });

  it("decides nothing where a plugin failed, and says what it did", () => {
    const { error } = place({ pluginFailure: "plugin carbon failed for cluster a: score answered NaN" }, 3, ["a"]);

    expect(error).toMatchObject({
      kind: "SchedulerError",
      message: "plugin carbon failed for cluster a: score answered NaN",
    });
  });
});
