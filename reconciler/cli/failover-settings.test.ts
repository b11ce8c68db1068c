import { describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import { type Invocation, parseArguments, UsageError } from "./command.ts";
import { upCommand } from "./commands/up.ts";
import { type FailoverSettings, readFailoverSettings } from "./failover-settings.ts";

interface Read extends FailoverSettings {
  readonly mode: string | undefined;
}

function read(line: string, compatibility: "flaghoist" | "karmada" = "flaghoist"): Read {
  const { values, positionals } = parseArguments(line === "" ? [] : line.split(" "), upCommand);
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  const { signal } = new AbortController();
  const invocation: Invocation = { values, positionals, io, signal, runCommand: async () => 0 };
  const gates = featureGates(line.includes("Failover=true") ? { Failover: true } : {});
  const choice = readFailoverSettings(invocation, { compatibility, featureGates: gates });
  return { mode: choice.mode, ...choice.settingsFor(choice.mode ?? "safe") };
}

const KARMADA_ON = "--feature-gates Failover=true --enable-no-execute-taint-eviction";

describe("readFailoverSettings", () => {
  it("leaves the mode to the store when nothing is said", () => {
    expect(read("").mode).toBeUndefined();
  });

  it("takes --failover alone for safe, also before other options", () => {
    expect(read("--failover").mode).toBe("safe");
    expect(read("--failover --port 0").mode).toBe("safe");
    expect(read("--failover karmada").mode).toBe("karmada");
    expect(read("--failover=off").mode).toBe("off");
  });

  it("moves nothing by itself in Karmada's mode", () => {
    expect(read("", "karmada")).toMatchObject({ mode: "off", failover: false, safeFailover: undefined });
  });

  it.each([
    [KARMADA_ON, "karmada", true],
    [`${KARMADA_ON}=true`, "karmada", true],
    ["--feature-gates Failover=true", "off", false],
    ["--enable-no-execute-taint-eviction", "off", false],
    [`${KARMADA_ON} --enable-taint-manager=false`, "karmada", false],
    ["--failover safe --enable-taint-manager=false", "safe", false],
  ])("does with %s what Karmada does", (line, mode, failover) => {
    expect(read(line)).toMatchObject({ mode, failover });
  });

  it("has Karmada's defaults, and takes others by its flags", () => {
    expect(read("--failover karmada")).toEqual({
      mode: "karmada",
      failover: true,
      safeFailover: undefined,
      evictionRate: 0.5,
      evictionLimiter: { baseDelayMs: 5, maxDelayMs: 1_000_000, qps: 10, burst: 100 },
      evictionPurgeMode: "Gracefully",
      gracefulEvictionTimeoutMs: 600_000,
      clusterStatusIntervalMs: 10_000,
      clusterThresholds: { failureMs: 30_000, successMs: 30_000 },
    });
    expect(
      read(
        "--failover karmada --resource-eviction-rate 5 --no-execute-taint-eviction-purge-mode Directly --graceful-eviction-timeout 1m --cluster-failure-threshold 5s --cluster-success-threshold 6s --cluster-status-update-frequency 1s",
      ),
    ).toMatchObject({
      evictionRate: 5,
      evictionPurgeMode: "Directly",
      gracefulEvictionTimeoutMs: 60_000,
      clusterStatusIntervalMs: 1_000,
      clusterThresholds: { failureMs: 5_000, successMs: 6_000 },
    });
  });

  it("takes Karmada's limits of queues, and its defaults for what is not above 0", () => {
    expect(
      read(
        "--rate-limiter-base-delay 1s --rate-limiter-max-delay 1m --rate-limiter-qps 50 --rate-limiter-bucket-size=-1",
      ).evictionLimiter,
    ).toEqual({ baseDelayMs: 1_000, maxDelayMs: 60_000, qps: 50, burst: 100 });
    expect(() => read("--rate-limiter-qps many")).toThrow('--rate-limiter-qps takes a whole number, not "many"');
  });

  it("reads the limits of the guard", () => {
    expect(read("--failover safe").safeFailover).toEqual({
      guard: { unreachableAfterMs: 60_000, fleetShare: 0.5, windowMs: 600_000, settleMs: 60_000 },
      workloadShare: 0.5,
      failBackSeconds: 300,
    });
    const line =
      "--failover-after 5s --failover-max-share 20% --failover-window 1h --failover-max-workload-share 10% --fail-back-after never";
    expect(read(line).safeFailover).toEqual({
      guard: { unreachableAfterMs: 5_000, fleetShare: 0.2, windowMs: 3_600_000, settleMs: 60_000 },
      workloadShare: 0.1,
      failBackSeconds: undefined,
    });
    expect(read("--fail-back-after 90s").safeFailover?.failBackSeconds).toBe(90);
  });

  it.each([
    ["--failover perhaps", "--failover takes safe, karmada, off"],
    ["--failover off --enable-no-execute-taint-eviction", "contradict"],
    ["--failover karmada --failover-window 5m", "--failover-window has no effect with --failover karmada"],
    ["--failover-max-share 50", "takes a share such as 50%"],
    ["--failover-max-share 101%", "takes a share such as 50%"],
    ["--failover-after soon", "--failover-after takes a duration"],
    ["--fail-back-after often", "--fail-back-after takes a duration"],
    ["--resource-eviction-rate=-1", "takes a number"],
    ["--resource-eviction-rate=fast", "takes a number"],
    ["--no-execute-taint-eviction-purge-mode Never", "takes Gracefully or Directly"],
    ["--cluster-status-update-frequency 0s", "at least 100ms"],
  ])("refuses %s", (line, message) => {
    expect(() => read(line)).toThrow(UsageError);
    expect(() => read(line)).toThrow(message);
  });
});
