// Traces as files: written, read, replayed, changed; run as the command line runs them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cluster, weighted } from "../../../test/builders.ts";
import { type Ran, runFlaghoist } from "../../../test/run-flaghoist.ts";
import { testSeed } from "../../../test/seed.ts";
import { recordAnswer, recordOptions } from "../../scheduler/explanation/recorded-decision.ts";
import { formatTrace, parseTrace } from "../../scheduler/explanation/trace-file.ts";
import { FleetIndex } from "../../scheduler/fleet/fleet-index.ts";
import type { Binding } from "../../scheduler/occasion.ts";
import { scheduleInGroups } from "../../scheduler/schedule-in-groups.ts";
import { Dice, type RandomCase, randomCase } from "../../scheduler/testing/random-cases.ts";
import { EXIT } from "../command.ts";
import { writeTraceFile } from "../trace-files.ts";

const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 60);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-replay-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function flaghoist(...args: string[]): Promise<Ran> {
  return runFlaghoist(args, { cwd: folder });
}

function traceOf({ spec, status, clusters }: RandomCase): string {
  const grouped = scheduleInGroups({ spec, status, fleet: new FleetIndex(clusters) });
  const binding: Binding = {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name: "web-deployment", namespace: "shop" },
    spec,
  };
  const decision = {
    decidedAt: "2026-11-28T12:00:00Z",
    occasion: { kind: "replicas-changed" as const, reason: "0 of 6 replicas are placed" },
    fleetVersion: 118,
    spec,
    status,
    clusters,
    options: recordOptions({}, []),
    answer: recordAnswer(grouped),
  };
  return formatTrace(decision, binding, "fleet");
}

const SHOP: RandomCase = {
  clusters: [
    cluster({ name: "tokyo-1" }),
    cluster({ name: "paris-1" }),
    cluster({ name: "paris-2", taints: [{ key: "maintenance", value: "true", effect: "NoSchedule" }] }),
  ],
  spec: {
    resource: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web", uid: "a" },
    placement: weighted({ "tokyo-1": 1, "paris-1": 2 }),
    replicas: 6,
    replicaRequirements: { resourceRequest: { cpu: "1" } },
  },
  status: {},
};

describe("flaghoist replay", () => {
  it(`decides every trace of a random decision the same again (seed ${SEED})`, async () => {
    for (let i = 0; i < CASES; i++) {
      const text = traceOf(randomCase(new Dice(SEED + i), 14));
      writeFileSync(join(folder, "case.trace"), text);

      const { code, out } = await flaghoist("replay", "case.trace");

      expect(code, `TEST_SEED=${SEED}, case ${i}: ${out}`).toBe(EXIT.ok);
    }
  });

  it("says when, why and over what the decision was made, and that it comes out the same", async () => {
    await writeTraceFile(folder, "web.trace.gz", traceOf(SHOP));

    expect(await flaghoist("replay", "web.trace.gz")).toEqual({
      code: EXIT.ok,
      out: [
        "Deployment shop/web, decided 2026-11-28T12:00:00Z because 0 of 6 replicas are placed (3 clusters, fleet version 118, with the fleet as the scheduler saw it)",
        "The same again, bit for bit: paris-1 4 · tokyo-1 2",
        "",
      ].join("\n"),
      err: "",
    });
  });

  it("shows the decision on request", async () => {
    await writeTraceFile(folder, "web.trace", traceOf(SHOP));

    const { out } = await flaghoist("replay", "web.trace", "--explain");

    expect(out).toContain("  paris-1   4 replicas\n");
    expect(out).toContain("  paris-2   refused      taint maintenance=true:NoSchedule is not tolerated");
    expect(out).toContain("How 6 replicas were divided: weights paris-1 2, tokyo-1 1 (static rules 1 and 2)\n");
    expect(out).toContain("  seat 1 paris-1 2.00 > 1.00 · seat 2 tokyo-1 1.00 > 0.67");
  });

  it("replays a decision for which no cluster fits", async () => {
    const clusters = SHOP.clusters.map((one) => ({
      ...one,
      spec: { ...one.spec, taints: [{ key: "a", effect: "NoExecute" as const }] },
    }));
    await writeTraceFile(folder, "web.trace", traceOf({ ...SHOP, clusters }));

    const { code, out } = await flaghoist("replay", "web.trace");

    expect(code).toBe(EXIT.ok);
    expect(out).toContain(
      "bit for bit: NoClusterFit: 0/3 clusters are available: 3 cluster(s) had untolerated taint {a:NoExecute}.\n",
    );
  });

  it.each([
    {
      what: "another number of replicas",
      args: ["--replicas", "9"],
      says: ["  paris-1 6 · tokyo-1 3", "  cluster paris-1: recorded 4 replicas, now 6 replicas"],
    },
    {
      what: "a cluster less",
      args: ["--without", "paris-1"],
      says: ["  tokyo-1 6", "  cluster paris-1: recorded 4 replicas, now not chosen"],
    },
    {
      what: "a taint",
      args: ["--set", "tokyo-1.taint=full:NoSchedule"],
      says: ["  paris-1 6", "With tokyo-1.taint=full:NoSchedule:"],
    },
    {
      what: "what changes nothing",
      args: ["--set", "tokyo-1.label.env=prod"],
      says: ["  nothing changes: paris-1 4 · tokyo-1 2"],
    },
  ])("says what would have been with $what", async ({ args, says }) => {
    await writeTraceFile(folder, "web.trace", traceOf(SHOP));

    const { code, out } = await flaghoist("replay", "web.trace", ...args);

    expect(code).toBe(EXIT.ok);
    for (const line of says) expect(out.split("\n")).toContain(line);
  });

  it("says where a decision comes out otherwise, with exit code 3", async () => {
    const { digest: _digest, ...file } = parseTrace(traceOf(SHOP), "web.trace");
    const clusters = [
      { name: "tokyo-1", replicas: 3 },
      { name: "oslo", replicas: 3 },
    ];
    const decision = { ...file.decision, answer: { ...file.decision.answer, clusters } };
    const binding = { apiVersion: "", kind: "ResourceBinding", metadata: file.binding, spec: decision.spec } as Binding;
    await writeTraceFile(folder, "web.trace", formatTrace(decision, binding, "fleet"));

    const { code, out } = await flaghoist("replay", "web.trace");

    expect(code).toBe(EXIT.differences);
    expect(out).toContain(
      [
        "Decided again it comes out otherwise:",
        "  cluster oslo: recorded 3 replicas, now not chosen",
        "  cluster paris-1: recorded not chosen, now 4 replicas",
        "  cluster tokyo-1: recorded 3 replicas, now 2 replicas",
      ].join("\n"),
    );
  });

  it.each([
    { of: "is not there", write: undefined, says: "web.trace cannot be read: ENOENT" },
    { of: "is empty", write: () => "", says: "it is not JSON, or was cut off" },
    { of: "is cut off", write: (text: string) => text.slice(0, 700), says: "it is not JSON, or was cut off" },
    {
      of: "is something else",
      write: () => '{"kind":"Pod"}',
      says: 'field kind should be SchedulingTrace, it is "Pod"',
    },
    {
      of: "is newer",
      write: (text: string) => text.replace('"version": 1', '"version": 9'),
      says: "is a trace of version 9; this program reads up to version 1",
    },
    {
      of: "was changed",
      write: (text: string) => text.replace('"replicas": 6', '"replicas": 7'),
      says: "its digest does not fit its content, so that it was changed after it was written",
    },
    {
      of: "lacks its clusters",
      write: (text: string) => text.replace('"clusters": [', '"clutter": ['),
      says: "field decision.clusters should be a list",
    },
  ])("refuses a file that $of, and says what is wrong", async ({ write, says }) => {
    if (write !== undefined) writeFileSync(join(folder, "web.trace"), write(traceOf(SHOP)));

    const { code, out, err } = await flaghoist("replay", "web.trace");

    expect({ code, out }).toEqual({ code: EXIT.failed, out: "" });
    expect(err).toContain(says);
    expect(err.split("\n")).toHaveLength(2);
  });

  it.each([
    {
      args: ["--without", "oslo"],
      says: "--without oslo: the trace has no cluster oslo; it has tokyo-1, paris-1, paris-2",
    },
    { args: ["--set", "tokyo-1.colour=red"], says: "there is no field colour; use taint, label.KEY" },
    { args: ["--set", "tokyo-1.taint=red"], says: "a taint is KEY=VALUE:EFFECT or KEY:EFFECT" },
    { args: ["--set", "tokyo-1"], says: "wanted CLUSTER.FIELD=VALUE" },
  ])("refuses $args", async ({ args, says }) => {
    await writeTraceFile(folder, "web.trace", traceOf(SHOP));

    const { code, err } = await flaghoist("replay", "web.trace", ...args);

    expect(code).toBe(EXIT.failed);
    expect(err).toContain(says);
  });

  it("keeps nothing in a file but what scheduling looks at", async () => {
    const [first, ...rest] = SHOP.clusters;
    const secretive = {
      ...first,
      metadata: { ...first?.metadata, annotations: { "kubectl.kubernetes.io/last-applied": "secret-1" } },
      spec: { ...first?.spec, apiEndpoint: "https://secret-2", secretRef: { namespace: "a", name: "secret-3" } },
    } as (typeof SHOP.clusters)[0];
    await writeTraceFile(folder, "web.trace", traceOf({ ...SHOP, clusters: [secretive, ...rest] }));

    expect(readFileSync(join(folder, "web.trace"), "utf8")).not.toContain("secret-");
  });
});
