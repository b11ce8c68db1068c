import { describe, expect, it } from "vitest";
import { cluster } from "../../test/builders.ts";
import { type BlastRadiusSettings, type ClusterStanding, decideBlastRadius, standingOf } from "./blast-radius.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const MINUTE = 60_000;
const SETTINGS: BlastRadiusSettings = {
  unreachableAfterMs: MINUTE,
  fleetShare: 0.5,
  windowMs: 10 * MINUTE,
  settleMs: MINUTE,
};

function standing(name: string, change: Partial<ClusterStanding> = {}): ClusterStanding {
  return {
    name,
    state: "ready",
    since: NOW - 1_000 * MINUTE,
    evictingSince: undefined,
    override: undefined,
    wasHeld: false,
    ...change,
  };
}

/** Clusters that were lost two minutes ago, and are due unless something holds them. */
function lost(name: string, change: Partial<ClusterStanding> = {}): ClusterStanding {
  return standing(name, { state: "lost", since: NOW - 2 * MINUTE, ...change });
}

function ready(count: number): ClusterStanding[] {
  return Array.from({ length: count }, (_, index) => standing(`ready-${index + 1}`));
}

function decide(standings: readonly ClusterStanding[], ...more: [now?: number, doubtful?: ReadonlySet<string>]) {
  const { held, due, nextMs } = decideBlastRadius(standings, more[0] ?? NOW, SETTINGS, more[1]);
  return { held: [...held.keys()], reasons: [...new Set([...held.values()].map((hold) => hold.reason))], due, nextMs };
}

describe("decideBlastRadius", () => {
  it("gives up a cluster that has been lost for long enough, and says when one will have been", () => {
    const young = lost("b", { since: NOW - 10_000 });

    expect(decide([lost("a"), young, ...ready(3)])).toMatchObject({ due: ["a"], held: [], nextMs: NOW + 50_000 });
  });

  it.each<[fleet: string, gone: number, there: number, verdict: "given up" | "held"]>([
    ["one cluster", 1, 0, "held"],
    ["two clusters", 1, 1, "given up"],
    ["two clusters, both gone", 2, 0, "held"],
    ["three clusters", 1, 2, "given up"],
    ["three clusters, two gone", 2, 1, "held"],
    ["three clusters, all gone", 3, 0, "held"],
    ["four clusters, half of them gone", 2, 2, "given up"],
    ["four clusters, three gone", 3, 1, "held"],
    ["a hundred clusters, a region of fifty gone", 50, 50, "given up"],
    ["a hundred clusters, a region of fifty-one gone", 51, 49, "held"],
  ])("of %s: %j gone of those and %j there: %s", (_fleet, gone, there, verdict) => {
    const names = Array.from({ length: gone }, (_, index) => `gone-${index + 1}`);

    const { held, due } = decide([...names.map((name) => lost(name)), ...ready(there)]);

    expect(verdict === "held" ? held : due).toEqual(names);
    expect(verdict === "held" ? due : held).toEqual([]);
  });

  it("tells a lost network, where nobody answers, from most of the fleet being lost", () => {
    expect(decide([lost("a"), lost("b")]).reasons).toEqual(["NoClusterReachable"]);
    expect(decide([lost("a"), lost("b"), ...ready(1)]).reasons).toEqual(["MostClustersLost"]);
  });

  it("says how to go on", () => {
    const { held } = decideBlastRadius([lost("a"), lost("b"), ...ready(1)], NOW, SETTINGS);

    expect(held.get("a")?.message).toBe(
      "Its workloads stay: 2 of 3 clusters do not answer, which is more than the 50% that may be given up at once; the network of the control plane may be what is lost. If the cluster is really dead: kubectl annotate cluster a gitops.flaghoist.io/failover=evict",
    );
  });

  it("holds what vanished together for as long as it is gone, however long that is", () => {
    const long = { since: NOW - 100_000 * MINUTE, wasHeld: true };

    expect(decide([lost("a", long), lost("b", long), ...ready(1)]).due).toEqual([]);
  });

  it("counts clusters that were given up a moment ago, and forgets them after the window", () => {
    const a = lost("a", { since: NOW - 5 * MINUTE, evictingSince: NOW - 4 * MINUTE });

    const soon = decide([a, lost("b"), ...ready(1)]);
    const later = decide([a, lost("b"), ...ready(1)], NOW + 7 * MINUTE);

    // What was under way when the second one vanished stops, too.
    expect(soon).toMatchObject({ held: ["b", "a"], due: [], nextMs: NOW + 6 * MINUTE + 1 });
    expect(later).toMatchObject({ held: [], due: ["b"] });
  });

  it("counts clusters that do not answer when they are asked, although they are called ready", () => {
    expect(decide([lost("a"), ...ready(2)], NOW, new Set(["ready-1"]))).toMatchObject({ held: ["a"], due: [] });
  });

  it("waits for a moment without recoveries before it gives up what it held", () => {
    const back = standing("b", { since: NOW - 10_000 });

    const first = decide([lost("a", { wasHeld: true }), back, ...ready(1)]);
    const settled = decide([lost("a", { wasHeld: true }), back, ...ready(1)], NOW + 50_000);
    const neverHeld = decide([lost("a"), back, ...ready(1)]);

    expect(first).toMatchObject({ held: ["a"], reasons: ["FleetNotSettled"], due: [], nextMs: NOW + 50_000 });
    expect(settled.due).toEqual(["a"]);
    expect(neverHeld.due).toEqual(["a"]);
  });

  it("gives up what a person calls dead, at once and whatever else is lost", () => {
    const dead = lost("a", { override: "evict", since: NOW - 1_000 });

    const { held, due } = decide([dead, lost("b"), lost("c"), ...ready(1)]);

    expect(due).toEqual(["a"]);
    expect(held).toEqual(["b", "c"]);
  });

  it("no longer holds the rest when enough of it is called dead", () => {
    const dead = ["a", "b", "c"].map((name) => lost(name, { override: "evict" }));

    expect(decide([...dead, lost("d"), ...ready(1)]).due).toEqual(["a", "b", "c", "d"]);
  });

  it("holds what a person wants held, and does not count it", () => {
    const kept = ["a", "b"].map((name) => lost(name, { override: "hold" }));

    expect(decide([...kept, lost("c"), ...ready(1)])).toMatchObject({
      held: ["a", "b"],
      reasons: ["HeldByAnnotation"],
      due: ["c"],
    });
  });

  it("lets one cluster go however small the share", () => {
    const { due } = decideBlastRadius([lost("a"), ...ready(2)], NOW, { ...SETTINGS, fleetShare: 0 });

    expect(due).toEqual(["a"]);
  });
});

describe("standingOf", () => {
  const made = cluster({ name: "paris-1" });

  function withReady(status: "True" | "False" | "Unknown", version: string | undefined = "v1.36.0") {
    const condition = {
      type: "Ready",
      status,
      reason: "Probe",
      message: "",
      lastTransitionTime: "2026-01-01T11:00:00Z",
    };
    const { kubernetesVersion: _, ...rest } = made.status ?? {};
    return {
      ...made,
      status: { ...rest, ...(version ? { kubernetesVersion: version } : {}), conditions: [condition] },
    };
  }

  it("takes Unknown for lost, as a cluster that reports for itself is when it is silent", () => {
    expect(standingOf(withReady("Unknown"))?.state).toBe("lost");
    expect(standingOf(withReady("False"))).toMatchObject({ state: "lost", since: Date.parse("2026-01-01T11:00:00Z") });
    expect(standingOf(withReady("True"))?.state).toBe("ready");
  });

  it("passes over clusters that are being removed, and those that never were ready", () => {
    const leaving = { ...withReady("True"), metadata: { name: "paris-1", deletionTimestamp: "2026-01-01T00:00:00Z" } };

    expect(standingOf(leaving)).toBeUndefined();
    expect(standingOf(withReady("False", ""))).toBeUndefined();
    expect(standingOf({ ...made, status: {} })).toBeUndefined();
  });

  it.each([
    ["evict", "evict"],
    ["hold", "hold"],
    ["yes please", undefined],
    ["", undefined],
  ])("reads the annotation %j as %j", (text, override) => {
    const annotated = withReady("False");
    const metadata = { ...annotated.metadata, annotations: { "gitops.flaghoist.io/failover": text } };

    expect(standingOf({ ...annotated, metadata })?.override).toBe(override);
  });
});
