import { describe, expect, it } from "vitest";
import { planClusters } from "./fleet-plan.ts";
import { parseFleetScenario } from "./parse-fleet-scenario.ts";

function plan(text: string) {
  const head = "apiVersion: config.flaghoist.io/v1alpha1\nkind: FleetScenario\nmetadata: {name: x}\n";
  return planClusters(parseFleetScenario(`${head}${text}`, "x.yaml"));
}

describe("planClusters", () => {
  it("gives the clusters of a group their places in turn", () => {
    const clusters = plan(`clusters:
  - names: "{provider}-{region}-{number:2}"
    count: 3
    labels: {tier: edge}
    places:
      - {region: eu, provider: aws, labels: {wave: one}}
      - {region: us, provider: gcp}
`);

    expect(clusters.map(({ name, region, labels }) => ({ name, region, labels }))).toEqual([
      { name: "aws-eu-01", region: "eu", labels: { tier: "edge", wave: "one" } },
      { name: "gcp-us-02", region: "us", labels: { tier: "edge" } },
      { name: "aws-eu-03", region: "eu", labels: { tier: "edge", wave: "one" } },
    ]);
  });

  it("makes as many clusters as there are places when it is not told", () => {
    expect(plan('clusters: [{names: "c-{region}", places: [{region: a}, {region: b}]}]\n')).toHaveLength(2);
  });

  it("takes the defaults for what a cluster does not say, and its own nodes instead of theirs", () => {
    const [one, two] = plan(`defaults: {region: eu, labels: {a: "1"}, kubernetesVersion: v1.35.0, nodes: 5}
clusters:
  - {name: one, labels: {b: "2"}}
  - {name: two, region: us, nodePools: [{name: gpu, resources: {nvidia.com/gpu: 8}}]}
`);

    expect(one).toMatchObject({ region: "eu", labels: { a: "1", b: "2" }, kubernetesVersion: "v1.35.0" });
    expect(one?.nodes).toHaveLength(5);
    expect(two).toMatchObject({ region: "us", pools: [{ name: "gpu", kubernetesVersion: "v1.35.0" }] });
    expect(two?.nodes).toMatchObject([{ name: "two-gpu-0", capacity: { cpu: "16", "nvidia.com/gpu": "8" } }]);
  });

  it("spreads nodes over the zones of the cluster, but for pools with a zone", () => {
    const [cluster] = plan(`clusters:
  - name: a
    zones: [z1, z2]
    nodes: 3
    nodePools: [{name: p, zone: z3}]
`);

    expect(cluster?.nodes.map(({ zone }) => zone)).toEqual(["z1", "z2", "z1", "z3"]);
    expect(cluster?.zones).toEqual(["z1", "z2", "z3"]);
  });
});
