import { describe, expect, it } from "vitest";
import { faultContradictions } from "./fleet-fault-contradictions.ts";
import type { Fault } from "./fleet-faults.ts";
import type { ClusterFacts } from "./fleet-targets.ts";

function cluster(name: string, region: string): ClusterFacts {
  const nodes = ["a", "b"].map((letter) => ({
    name: `${name}-node-${letter}`,
    zone: `${region}-${letter}`,
    capacity: { cpu: "16", memory: "64Gi", pods: "110" },
  }));
  const zones = nodes.map(({ zone }) => zone);
  return { name, region, provider: "aws", labels: { tier: name }, zones, kubernetesVersion: "v1.36.3", nodes };
}

const FLEET = [cluster("paris-1", "eu"), cluster("paris-2", "eu"), cluster("tokyo-1", "asia")];
const paris = { clusters: ["paris-1"] };

/** What the plan of these faults is refused for. */
function words(...faults: Fault[]): string[] {
  const planned = faults.map((fault, index) => ({ fault, label: `fault ${index + 1}`, startMs: 0 }));
  return faultContradictions(planned, FLEET).map((each) => each.words);
}

describe("contradictions of faults", () => {
  it.each<[string, Fault[], string]>([
    [
      "down and slow",
      [
        { type: "down", target: paris },
        { type: "slow", target: { region: "eu" } },
      ],
      "fault 2 contradicts fault 1: cluster paris-1 cannot both refuse connections and answer late",
    ],
    [
      "down and hang, in windows that meet",
      [
        { type: "down", target: paris, at: "10m", for: "5m" },
        { type: "hang", target: paris, at: "14m", for: "5m" },
      ],
      "fault 2 contradicts fault 1: cluster paris-1 cannot both refuse connections and never answer",
    ],
    [
      "repetitions that meet now and then",
      [
        { type: "hang", target: paris, for: "1m", every: "7m" },
        { type: "errors", target: paris, at: "3m", for: "1m", every: "5m" },
      ],
      "fault 2 contradicts fault 1: cluster paris-1 cannot both never answer and answer with errors",
    ],
    [
      "two latencies",
      [
        { type: "slow", target: paris },
        { type: "slow", target: paris },
      ],
      "fault 2 contradicts fault 1: cluster paris-1 cannot have two latencies",
    ],
    [
      "more failures than requests",
      [
        { type: "errors", target: paris, percent: 60 },
        { type: "throttle", target: paris, percent: 50 },
      ],
      "fault 2 contradicts fault 1: cluster paris-1 cannot fail 110 % of its requests (60 % and 50 %)",
    ],
    [
      "a shrink below zero",
      [{ type: "capacity-shrink", target: paris, by: { cpu: "17" } }],
      "fault 1: node paris-1-node-a has 16 of cpu: it cannot lose 17",
    ],
    [
      "shrinks that are below zero together",
      [
        { type: "capacity-shrink", target: paris, by: { memory: "50%" } },
        { type: "capacity-shrink", target: { zone: "eu-b" }, by: { memory: "33Gi" } },
      ],
      "fault 2 contradicts fault 1: node paris-1-node-b has 64Gi of memory: together they take more than that",
    ],
    [
      "a shrink of what nodes do not have",
      [{ type: "capacity-shrink", target: paris, by: { "nvidia.com/gpu": 1 } }],
      "fault 1: node paris-1-node-a has no nvidia.com/gpu",
    ],
    [
      "a partition of a cluster from itself",
      [{ type: "partition", target: paris, from: ["control-plane", "cluster:paris-1"] }],
      "fault 1: cluster paris-1 cannot be parted from itself (target and from both mean it)",
    ],
    [
      "a target that nothing fits",
      [{ type: "down", target: { region: "us" } }],
      "fault 1: the fleet has no cluster for region us",
    ],
    [
      "more nodes than there are",
      [{ type: "node-down", target: paris, count: 3 }],
      "fault 1: 3 nodes cannot go down: clusters paris-1 has 2",
    ],
    [
      "an image that crashes and cannot be pulled",
      [
        { type: "crash-loop", target: paris, images: ["web:*"] },
        { type: "image-pull-failure", target: paris, images: ["web:2"] },
      ],
      "fault 2 contradicts fault 1: cluster paris-1 cannot both fail to pull web:* and see it crash",
    ],
    [
      "an upgrade backwards",
      [{ type: "upgrade", target: paris, to: "v1.35.0" }],
      "fault 1: cluster paris-1 runs v1.36.3: an upgrade to v1.35.0 leads nowhere, or back",
    ],
    [
      "a restore without a backup",
      [{ type: "restore", target: paris }],
      "fault 1: no backup of cluster paris-1 has been taken by then",
    ],
    [
      "a restore before its backup",
      [
        { type: "restore", target: paris, at: "1m" },
        { type: "backup", target: paris, at: "2m" },
      ],
      "fault 1: no backup of cluster paris-1 has been taken by then",
    ],
  ])("names what is contradictory: %s", (_what, faults, expected) => {
    expect(words(...faults)).toEqual([expected]);
  });

  it.each<[string, Fault[]]>([
    [
      "in different clusters",
      [
        { type: "down", target: paris },
        { type: "slow", target: { region: "asia" } },
      ],
    ],
    [
      "one after the other",
      [
        { type: "down", target: paris, for: "5m" },
        { type: "slow", target: paris, at: "5m" },
      ],
    ],
    [
      "repeated in step",
      [
        { type: "down", target: paris, for: "5m", every: "10m" },
        { type: "slow", target: paris, at: "5m", for: "5m", every: "10m" },
      ],
    ],
    [
      "for different callers",
      [
        { type: "down", target: paris, callers: ["users"] },
        { type: "slow", target: paris, callers: ["control-plane"] },
      ],
    ],
    [
      "an outage above bad links",
      [
        { type: "slow", target: { clusters: ["*"] } },
        { type: "outage", target: { provider: "aws" }, at: "5m", for: "5m" },
      ],
    ],
    [
      "the same twice",
      [
        { type: "down", target: paris },
        { type: "down", target: { region: "eu" } },
      ],
    ],
    [
      "a restore after a backup",
      [
        { type: "backup", target: paris, name: "nightly" },
        { type: "restore", target: paris, at: "1h", backup: "nightly" },
      ],
    ],
    ["parting clusters from each other", [{ type: "partition", target: { region: "eu" }, from: ["cluster:paris-*"] }]],
  ])("lets be what goes together: %s", (_what, faults) => {
    expect(words(...faults)).toEqual([]);
  });
});
