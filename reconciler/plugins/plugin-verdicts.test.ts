import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { PluginCluster, PluginRequest } from "../scheduler/plugin.ts";
import type { PluginAnswer } from "./plugin-messages.ts";
import { PluginVerdictCache } from "./plugin-verdicts.ts";

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment" };
const PLACEMENT = { clusterAffinity: { clusterNames: ["a"] } };

function cluster(name: string, labels: Record<string, string> = {}, resourceVersion = "1"): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, labels, resourceVersion },
    spec: { syncMode: "Push" },
  };
}

/** A plugin that remembers what it was asked. */
function plugin(name: string, answer: (cluster: PluginCluster, request: PluginRequest) => PluginAnswer, weight = 1) {
  const asked: string[] = [];
  return {
    name,
    weight,
    args: {},
    asked,
    ask: async (request: PluginRequest, clusters: readonly PluginCluster[]) => {
      asked.push(clusters.map((each) => each.name).join());
      return clusters.map((each) => answer(each, request));
    },
  };
}

describe("PluginVerdictCache", () => {
  it("tells who refuses a cluster first, and every score with its weight", async () => {
    const strict = plugin("strict", ({ name }) => (name === "a" ? { refusal: "full" } : { score: 10 }));
    const fond = plugin("fond", ({ name }) => (name === "a" ? { refusal: "far" } : { score: 20 }), 3);
    const cache = new PluginVerdictCache([strict, fond], () => [cluster("a"), cluster("b")]);

    const verdicts = await cache.verdicts(PLACEMENT, DEPLOYMENT);

    expect([...verdicts.pluginsAsked]).toEqual(["a", "b"]);
    expect([...verdicts.pluginRefusals]).toEqual([["a", { plugin: "strict", reason: "full" }]]);
    expect([...verdicts.pluginScores]).toEqual([
      [
        "b",
        [
          { name: "strict", value: 10, weight: 1 },
          { name: "fond", value: 20, weight: 3 },
        ],
      ],
    ]);
  });

  it("asks once per placement and kind, and answers at once from then on", async () => {
    const mine = plugin("mine", () => ({}));
    const cache = new PluginVerdictCache([mine], () => [cluster("a")]);

    const first = await cache.verdicts(PLACEMENT, DEPLOYMENT);

    expect(cache.verdicts({ clusterAffinity: { clusterNames: ["a"] } }, DEPLOYMENT)).toBe(first);
    expect(mine.asked).toEqual(["a"]);
    await cache.verdicts(PLACEMENT, { apiVersion: "batch/v1", kind: "Job" });
    await cache.verdicts({}, DEPLOYMENT);
    expect(mine.asked).toEqual(["a", "a", "a"]);
  });

  it("asks again only about clusters that look different to the plugin", async () => {
    const mine = plugin("mine", ({ labels }) => ({ score: Number(labels["rank"]) }));
    let fleet = [cluster("a", { rank: "1" }), cluster("b", { rank: "2" })];
    const cache = new PluginVerdictCache([mine], () => fleet);
    await cache.verdicts(PLACEMENT, DEPLOYMENT);

    fleet = [cluster("a", { rank: "1" }, "2"), cluster("b", { rank: "5" }, "2"), cluster("c", { rank: "3" })];
    cache.noteChange();
    const { pluginScores } = await cache.verdicts(PLACEMENT, DEPLOYMENT);

    expect(mine.asked).toEqual(["a,b", "b,c"]);
    expect([...pluginScores].map(([name, scores]) => [name, scores[0]?.value])).toEqual([
      ["a", 1],
      ["b", 5],
      ["c", 3],
    ]);
    fleet = fleet.slice(0, 2);
    cache.noteDeleted("c");
    expect(cache.verdicts(PLACEMENT, DEPLOYMENT)).toMatchObject({ pluginsAsked: new Set(["a", "b"]) });
  });

  it("lets all who ask meanwhile wait for one answer", async () => {
    const mine = plugin("mine", () => ({ score: 1 }));
    const cache = new PluginVerdictCache([mine], () => [cluster("a")]);

    const answers = await Promise.all([1, 2, 3].map(() => cache.verdicts(PLACEMENT, DEPLOYMENT)));

    expect(new Set(answers).size).toBe(1);
    expect(mine.asked).toEqual(["a"]);
  });

  it("keeps nothing of a question that failed", async () => {
    let isBroken = true;
    const mine = plugin("mine", () => {
      if (isBroken) throw new Error("broken");
      return { score: 1 };
    });
    const cache = new PluginVerdictCache([mine], () => [cluster("a")]);

    await expect(cache.verdicts(PLACEMENT, DEPLOYMENT)).rejects.toThrow("broken");
    isBroken = false;
    expect((await cache.verdicts(PLACEMENT, DEPLOYMENT)).pluginScores.size).toBe(1);
  });
});
