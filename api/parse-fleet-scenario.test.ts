import { describe, expect, it } from "vitest";
import { AppError } from "../runtime/errors.ts";
import type { FleetScenario } from "./fleet-scenario.ts";
import { fleetScenarioProblems, type ParseScenarioOptions, parseFleetScenario } from "./parse-fleet-scenario.ts";

const HEAD = `apiVersion: config.flaghoist.io/v1alpha1
kind: FleetScenario
metadata: {name: test}
`;
const CLUSTERS = `clusters:
  - {name: tokyo-1, region: asia, provider: aws, zones: [a, b]}
  - {names: "edge-{number:2}", count: 3, region: eu, provider: gcp, labels: {tier: edge}}
`;

/** The problems of a scenario, without their places. */
function problems(text: string, options: ParseScenarioOptions = {}): string[] {
  return fleetScenarioProblems(text, "fleet.yaml", options).map(({ field, words }) => `${field}: ${words}`);
}

function ofClusters(text: string): string[] {
  return problems(`${HEAD}clusters:\n${text}`);
}

function ofTimeline(text: string): string[] {
  return problems(`${HEAD}${CLUSTERS}timeline:\n${text}`);
}

function ofResources(text: string): string[] {
  return ofClusters(`  - {name: a, nodePools: [{name: p, ${text}}]}\n`);
}

function parse(text: string): FleetScenario {
  return parseFleetScenario(text, "fleet.yaml");
}

describe("parseFleetScenario", () => {
  it("answers with the defaults filled in", () => {
    const scenario = parse(`${HEAD}${CLUSTERS}`);

    expect(scenario).toMatchObject({ seed: 1, level: "full", metadata: { name: "test" } });
    expect(scenario.clusters).toHaveLength(2);
  });

  it("names every problem at once, with line, column and field, in the order of the text", () => {
    const text = `${HEAD}seed: -1
clusters:
  - name: Tokyo_1
    nodePool: []
    nodePools:
      - {name: workers, resources: {cpu: "-4", memory: 64}}
  - name: paris-1
timeline:
  - at: 5m
    fault: {type: nodedown, target: {clusters: [paris-1]}}
  - at: 1m
    comment: too late
`;

    const attempt = () => parse(text);

    expect(attempt).toThrow(AppError);
    expect(attempt).toThrow(`fleet.yaml:4:1: seed: must be at least 0
fleet.yaml:6:5: clusters[0].name: is "Tokyo_1", which is no name of a cluster: a lowercase RFC 1123 label must`);
    expect(fleetScenarioProblems(text, "f").map(({ line, column, field }) => `${line}:${column} ${field}`)).toEqual([
      "4:1 seed",
      "6:5 clusters[0].name",
      "7:5 clusters[0].nodePool",
      "9:37 clusters[0].nodePools[0].resources.cpu",
      "9:48 clusters[0].nodePools[0].resources.memory",
      "13:13 timeline[0].fault.type",
      "14:5 timeline[1].at",
    ]);
  });

  it("tells of text that is no YAML where it breaks", () => {
    expect(() => parse("clusters: [")).toThrow(/fleet\.yaml:\d+:\d+: /);
  });

  it.each([
    ["", "the file must hold one object, a FleetScenario"],
    ["- a", "the file must hold one object, a FleetScenario"],
    ["apiVersion: apps/v1\nkind: Deployment\nspec: {}\n", 'kind: "Deployment" is not FleetScenario'],
    [
      "apiVersion: config.flaghoist.io/v1alpha1\nkind: FleetSnapshot\n",
      `kind: "FleetSnapshot" is not FleetScenario; a scenario's cluster names it as its snapshot`,
    ],
  ])("says no more of another kind of file: %j", (text, words) => {
    expect(problems(text)).toEqual([words.includes(": ") ? words : `: ${words}`]);
  });

  it("knows a misspelt kind and another version, and goes on", () => {
    const text = `apiVersion: config.flaghoist.io/v1beta7\nkind: FleetScenaro\nmetadata: {name: x}\nclusters: [{nam: a}]\n`;

    expect(problems(text)).toEqual([
      'apiVersion: "config.flaghoist.io/v1beta7" is no version of FleetScenario that this program reads; it reads config.flaghoist.io/v1alpha1',
      'kind: "FleetScenaro" is not FleetScenario. Did you mean FleetScenario?',
      "clusters[0]: needs name, or names and count for a group of clusters",
      "clusters[0].nam: there is no such field. Did you mean name?",
    ]);
  });

  it("tells of keys that stand twice, and of everything else beside them", () => {
    expect(problems(`${HEAD}seed: 1\nseed: 2\nclusters: [{name: a, regon: eu}]\n`)).toEqual([
      "seed: is there twice; it stands on line 4 already",
      "clusters[0].regon: there is no such field. Did you mean region?",
    ]);
  });
});

describe("names in a scenario", () => {
  it.each([
    ["- {name: a}\n  - {name: a}", 'clusters[1].name: is "a", which clusters[0] is called already'],
    [
      "- {name: e-2}\n  - {names: 'e-{number}', count: 3}",
      'clusters[1].names: makes "e-2", which clusters[0] is called already',
    ],
    [
      "- {names: edge, count: 2}",
      'clusters[0].names: makes "edge" more than once; a group of clusters needs {number} in its names',
    ],
    [
      "- {names: 'e-{nummer}', count: 2}",
      "clusters[0].names: there is no placeholder {nummer}. Did you mean {number}?",
    ],
    ["- {name: a, count: 2}", "clusters[0].count: is for groups of clusters; this one has a name"],
    ["- {name: a, zones: [z, z]}", 'clusters[0].zones[1]: "z" is there already'],
    [
      "- {name: a, nodes: 1, nodePools: [{name: node}]}",
      'clusters[0].nodePools[0].name: "node" is the name of other nodes of the cluster already; each pool has its own',
    ],
    [
      `- {name: ${"a".repeat(40)}, nodePools: [{name: ${"b".repeat(30)}}]}`,
      "clusters[0].nodePools[0].name: makes names of nodes of 73 characters; CLUSTER-POOL-N has at most 63",
    ],
  ])("%s", (text, problem) => {
    expect(ofClusters(`  ${text}\n`)).toEqual([problem]);
  });

  it.each([
    ["name: 'a b'", /clusters\[0\]\.name: is "a b", which is no name of a cluster/],
    ["name: a, labels: {'-x': y}", /clusters\[0\]\.labels\[-x\]|clusters\[0\]\.labels\.-x/],
    ["name: a, labels: {x: 'y z'}", /clusters\[0\]\.labels\[x\]: "y z" cannot be the value of a label/],
    [`name: ${"a".repeat(49)}`, /has 49 characters; the name of a cluster has at most 48/],
    ["name: a, taints: [{key: k, effect: NoRun}]", /"NoRun" is not one of NoExecute, NoSchedule, PreferNoSchedule/],
  ])("%s is refused", (text, words) => {
    expect(ofClusters(`  - {${text}}\n`)).toEqual([expect.stringMatching(words)]);
  });
});

describe("capacities in a scenario", () => {
  it.each([
    ["resources: {cpu: lots}", 'resources.cpu: "lots" is no quantity such as 500m, 8 or 64Gi'],
    ["resources: {cpu: -1}", "resources.cpu: -1 is negative; a node cannot have less than nothing"],
    ["resources: {cpu: 0}", "resources.cpu: is 0: a node without cpu cannot run"],
    ["resources: {pods: 0}", "resources.pods: is 0: nothing could run there; take the pool away, or taint its nodes"],
    ["resources: {pods: 1.5}", "resources.pods: 1.5 is no whole number of pods"],
    ["resources: {memroy: 4Gi}", 'resources.memroy: there is no resource "memroy". Did you mean memory?'],
    ["resources: {memory: 64}", "resources.memory: 64 is less than any node has (it counts bytes). Did you mean 64Gi?"],
    [
      "resources: {gpu: 1}",
      'resources.gpu: there is no resource "gpu"; names of devices have a domain, such as nvidia.com/gpu',
    ],
    ["resources: {nvidia.com/gpu: 0.5}", "resources[nvidia.com/gpu]: 0.5 is no whole number; devices are not divided"],
    [
      "resources: {cpu: 4}, allocatable: {cpu: 4100m}",
      'allocatable.cpu: "4100m" is more than the node has: resources.cpu is 4',
    ],
    ["allocatable: {memory: 65Gi}", 'allocatable.memory: "65Gi" is more than the node has: resources.memory is "64Gi"'],
    [
      "allocatable: {nvidia.com/gpu: 1}",
      "allocatable[nvidia.com/gpu]: is more than the node has: resources does not name it",
    ],
    ["count: -1", "count: must be at least 0"],
  ])("%s", (text, problem) => {
    expect(ofResources(text)).toEqual([`clusters[0].nodePools[0].${problem}`]);
  });

  it("may be written as numbers and as text", () => {
    expect(ofResources("resources: {cpu: 3.5, memory: 16Gi, pods: '250', nvidia.com/gpu: 8}")).toEqual([]);
  });

  it.each([
    ["latency: {min: 5ms, max: 1ms}", "network.latency.min: 5ms is more than max 1ms"],
    ["latency: {fixed: 5ms, p50: 1ms}", "network.latency: takes fixed, or min and max, or p50 and p99"],
    ["loss: 1.5", "network.loss: 1.5 is more than 1"],
  ])("of links: %s", (text, problem) => {
    expect(ofClusters(`  - {name: a, network: {${text}}}\n`)).toEqual([`clusters[0].${problem}`]);
  });
});

describe("the timeline of a scenario", () => {
  it.each([
    [
      "{at: 1m}",
      "timeline[0]: does nothing: it needs one of fault, end, apply, delete, scale, patch, expect, or a comment",
    ],
    ["{at: soon, comment: x}", 'timeline[0].at: must be a duration such as 300ms, 30s or 1h30m, not "soon"'],
    ["{at: -5s, comment: x}", 'timeline[0].at: must be a duration such as 300ms, 30s or 1h30m, not "-5s"'],
    ["{at: 1m, times: 2, comment: x}", "timeline[0].times: needs every"],
    ["{at: 2m, every: 1m, until: 1m, comment: x}", "timeline[0].until: 1m is before 2m, when the step is taken first"],
    ["{at: 1m, every: 0s, comment: x}", "timeline[0].every: must be at least 1ms"],
    ["{at: 1m, end: outage}", 'timeline[0].end: there is no fault "outage"; give the fault that is meant a name'],
    [
      "{at: 1m, every: 1m, fault: {type: down, target: {clusters: [tokyo-1]}, for: 2m}}",
      "timeline[0].fault.for: 2m is longer than every 1m: the fault would begin while it lasts",
    ],
    [
      "{at: 1m, fault: {type: down, at: 2m, target: {clusters: [tokyo-1]}}}",
      "timeline[0].fault.at: there is no such field. Did you mean timeline.at?",
    ],
    [
      "{at: 1m, fault: {type: down, target: {}}}",
      'timeline[0].fault.target: says nothing; for all clusters write clusters: ["*"]',
    ],
    [
      "{at: 1m, apply: {objects: [{apiVersion: apps/v1, kind: Deploymnt, metadata: {name: x}}]}}",
      "timeline[0].apply.objects[0]: there is no kind Deploymnt in apps/v1. Did you mean Deployment?",
    ],
    [
      "{at: 1m, expect: {apiVersion: v1, kind: Pod}}",
      "timeline[0].expect: says nothing of the objects: it needs condition, equals, atLeast or atMost",
    ],
  ])("%s", (step, problem) => {
    expect(ofTimeline(`  - ${step}\n`)).toEqual([problem]);
  });

  it("has each fault ended once, while it lasts", () => {
    const fault = "  - {at: 1m, fault: {type: down, name: cut, target: {clusters: [tokyo-1]}}}\n";

    expect(ofTimeline(`  - {at: 0s, end: cut}\n${fault}  - {at: 3m, end: cutt}\n`)).toEqual([
      'timeline[0].end: "cut" has not begun then: it begins at 1m',
      'timeline[2].end: there is no fault "cutt". Did you mean cut?',
    ]);
    expect(ofTimeline(`${fault}  - {at: 3m, end: cut}\n`)).toEqual([]);
  });
});

describe("what a scenario refers to", () => {
  it.each([
    ["clusters: [tokio-1]", 'clusters[0]: there is no cluster "tokio-1". Did you mean tokyo-1?'],
    ["region: asai", 'region: there is no region "asai". Did you mean asia?'],
    ["provider: azure", 'provider: there is no provider "azure"; there are aws, gcp'],
    ["zone: c", 'zone: there is no zone "c"; there are a, b'],
    ["labels: {tier: core}", "labels[tier]: no cluster has the label tier=core"],
  ])("must be there: %s", (target, problem) => {
    expect(ofTimeline(`  - {at: 1m, fault: {type: down, target: {${target}}}}\n`)).toEqual([
      `timeline[0].fault.target.${problem}`,
    ]);
  });

  it("must be there all at once", () => {
    expect(ofTimeline("  - {at: 1m, fault: {type: down, target: {region: asia, provider: gcp}}}\n")).toEqual([
      "timeline[0].fault.target: means no cluster: there is none with all of this",
    ]);
  });

  it("may be a group's cluster, or a node of it", () => {
    expect(
      ofTimeline("  - {at: 1m, fault: {type: node-down, target: {clusters: [edge-03], nodes: [edge-03-node-2]}}}\n"),
    ).toEqual([]);
    expect(
      ofTimeline("  - {at: 1m, fault: {type: node-down, target: {clusters: [edge-03], nodes: [edge-03-node-7]}}}\n"),
    ).toEqual([
      'timeline[0].fault.target.nodes[0]: there is no node "edge-03-node-7" in these clusters. Did you mean edge-03-node-0?',
    ]);
  });

  it("includes files", () => {
    const files: Readonly<Record<string, string>> = {
      "good.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n",
      "bad.yaml": "apiVersion: apps/v1\nkind: Deploymnt\nmetadata: {name: x}\n---\nkind: X\n",
    };
    const text = `${HEAD}${CLUSTERS}manifests:\n  - files: [good.yaml, bad.yaml, none.yaml]\n`;

    expect(problems(text, { readFile: (file) => files[file] })).toEqual([
      "manifests[0].files[1]: bad.yaml:1: there is no kind Deploymnt in apps/v1. Did you mean Deployment?",
      "manifests[0].files[1]: bad.yaml:5: apiVersion is required",
      "manifests[0].files[1]: bad.yaml:5: metadata.name is required",
      'manifests[0].files[2]: there is no file "none.yaml"; files are named from the folder of the scenario',
    ]);
  });

  it("includes snapshots that can be used, and have the cluster", () => {
    const text = `${HEAD}clusters: [{name: a, snapshot: s.gz}]\n`;
    const problem = "s.gz: this snapshot has format 9; this version reads format 1";

    expect(problems(text, { snapshotOf: () => ({ problem }) })).toEqual([`clusters[0].snapshot: ${problem}`]);
    expect(problems(text, { snapshotOf: () => ({ clusters: ["ab", "other"] }) })).toEqual([
      'clusters[0].snapshot: s.gz has nothing of a cluster "a"',
    ]);
  });
});

describe("faults of a scenario", () => {
  it("must not contradict one another while they last together", () => {
    const down = "  - {at: 1m, fault: {type: down, for: 5m, target: {clusters: [tokyo-1]}}}\n";
    const slow = (at: string) => `  - {at: ${at}, fault: {type: slow, target: {region: asia}}}\n`;

    expect(ofTimeline(`${down}${slow("2m")}`)).toEqual([
      "timeline[1].fault: contradicts timeline[0]: cluster tokyo-1 cannot both refuse connections and answer late",
    ]);
    expect(ofTimeline(`${down}${slow("6m")}`)).toEqual([]);
  });

  it("last until the step that ends them", () => {
    const text = `  - {at: 1m, fault: {type: hang, name: cut, target: {clusters: [tokyo-1]}}}
  - {at: 2m, end: cut}
  - {at: 3m, fault: {type: slow, target: {clusters: [tokyo-1]}}}
`;

    expect(ofTimeline(text)).toEqual([]);
  });
});
