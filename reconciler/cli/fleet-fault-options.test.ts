import { describe, expect, it } from "vitest";
import { faultProblems } from "../../api/fleet-faults.ts";
import { parseArguments } from "./command.ts";
import { fleetFaultCommand } from "./commands/fleet-fault.ts";
import { faultOfOptions } from "./fleet-fault-options.ts";

function faultOf(line: string): unknown {
  return faultOfOptions(parseArguments(line.split(" "), fleetFaultCommand));
}

const member1 = { clusters: ["member1"] };

describe("faults of a command line", () => {
  it.each<[string, unknown]>([
    ["member1 --down --for 5m", { type: "down", target: member1, for: "5m" }],
    ["member1 member2 --hang", { type: "hang", target: { clusters: ["member1", "member2"] } }],
    ["edge-* --slow --latency 2s", { type: "slow", target: { clusters: ["edge-*"] }, latency: { fixed: "2s" } }],
    ["member1 --slow --latency 1s..3s", { type: "slow", target: member1, latency: { min: "1s", max: "3s" } }],
    ["member1 --slow --latency 1s/9s", { type: "slow", target: member1, latency: { p50: "1s", p99: "9s" } }],
    ["member1 --errors --percent 20 --status 503", { type: "errors", target: member1, percent: 20, status: 503 }],
    ["member1 --throttle --retry-after 7s", { type: "throttle", target: member1, retryAfter: "7s" }],
    ["member1 --node n-0 --down", { type: "node-down", target: { ...member1, nodes: ["n-0"] } }],
    ["--region eu --node-down --count 2", { type: "node-down", target: { region: "eu" }, count: 2 }],
    ["-l tier=edge,site=7 --outage", { type: "outage", target: { labels: { tier: "edge", site: "7" } } }],
    [
      "member1 --shrink cpu=50% --shrink memory=1Gi",
      { type: "capacity-shrink", target: member1, by: { cpu: "50%", memory: "1Gi" } },
    ],
    ["member1 --clock-skew=-90s", { type: "clock-skew", target: member1, by: "-90s" }],
    [
      "member1 --api-group-missing apps/v1",
      { type: "api-group-missing", target: member1, group: "apps", version: "v1" },
    ],
    [
      "member1 --partition nodes --partition cluster:member2 --mode reject",
      { type: "partition", target: member1, from: ["nodes", "cluster:member2"], mode: "reject" },
    ],
    ["member1 --down --caller users", { type: "down", target: member1, callers: ["users"] }],
    ["member1 --crash-loop web:*", { type: "crash-loop", target: member1, images: ["web:*"] }],
    ["member1 --backup --name nightly", { type: "backup", target: member1, name: "nightly" }],
    ["member1 --restore --from-backup nightly", { type: "restore", target: member1, backup: "nightly" }],
    [
      "member1 --upgrade v1.37.0 --max-unavailable 2",
      { type: "upgrade", target: member1, to: "v1.37.0", maxUnavailable: 2 },
    ],
    [
      "member1 --down --for 1m --every 5m --times 3",
      { type: "down", target: member1, for: "1m", every: "5m", times: 3 },
    ],
  ])("are made of %s", (line, fault) => {
    expect(faultOf(line)).toEqual(fault);
    expect(faultProblems(fault)).toEqual([]);
  });

  it.each<[string, string]>([
    ["member1 --down --hang", "one fault at a time: --down and --hang are two commands"],
    ["--down", "which cluster? Name one, or --region, --provider, --zone or --selector; '*' is all"],
    ["member1 --shrink cpu", '--shrink takes KEY=VALUE, not "cpu"'],
    ["member1 --errors --percent many", '--percent takes a whole number, not "many"'],
  ])("are not made of %s", (line, message) => {
    expect(() => faultOf(line)).toThrow(message);
  });

  it("are none without an option that begins one", () => {
    expect(faultOf("member1 --for 5m")).toBeUndefined();
  });
});
