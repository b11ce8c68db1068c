import { describe, expect, it } from "vitest";
import type { Rollout } from "../../api/rollout.ts";
import { type ClusterView, decideRollout, type RolloutControls, type RolloutDecision } from "./decide-rollout.ts";
import type { RolloutState } from "./rollout-state.ts";
import { readRolloutSettings } from "./settings.ts";

const CANARY: Rollout = {
  waves: [{ name: "canary", clusterAffinity: { clusterNames: ["a"] } }],
  minSuccessTime: "30s",
  progressDeadline: "2m",
  skipUnavailableAfter: "1m",
};

/** An object in clusters a (the canary), b and c, over time. */
class Rolling {
  settings: Rollout;
  revision = "v1";
  controls: RolloutControls = { paused: false };
  now = 1_000_000;
  state: RolloutState | undefined;
  last: RolloutDecision | undefined;
  names = ["a", "b", "c"];
  /** What copies show; healthy when nothing is said. */
  readonly copies: Record<string, ClusterView["copy"]> = {};
  readonly away = new Map<string, number>();
  present: string | undefined;

  constructor(settings: Rollout = CANARY) {
    this.settings = settings;
  }

  decide(afterSeconds = 0): Record<string, string> {
    this.now += afterSeconds * 1_000;
    this.last = decideRollout({
      settings: readRolloutSettings(this.settings),
      revision: this.revision,
      previous: this.state,
      controls: this.controls,
      now: this.now,
      clusters: this.names.map((name) => ({
        name,
        wave: name === "a" && this.settings.waves !== undefined ? 0 : (this.settings.waves?.length ?? 0),
        copy: this.copies[name] ?? "healthy",
        message: "0 of 2 replicas updated",
        unavailableSince: this.away.get(name),
        ...(this.state === undefined && this.present !== undefined ? { present: this.present } : {}),
      })),
    });
    this.state = this.last.state;
    return this.revisions;
  }

  get revisions(): Record<string, string> {
    const { clusters = {} } = this.state ?? {};
    return Object.fromEntries(Object.entries(clusters).map(([name, { revision }]) => [name, revision]));
  }

  get isComplete(): boolean {
    return this.state?.phase === "Complete" && this.state.target === this.revision;
  }

  /** To the end of the rollout of the present revision. */
  complete(): this {
    for (let i = 0; i < 20 && !this.isComplete; i++) this.decide(30);
    expect(this.isComplete).toBe(true);
    return this;
  }
}

function running(settings?: Rollout): Rolling {
  const rolling = new Rolling(settings);
  rolling.present = "v1";
  rolling.decide();
  expect(rolling.state?.phase).toBe("Complete");
  rolling.revision = "v2";
  return rolling;
}

describe("decideRollout", () => {
  it("starts nothing where everything that runs is of the present revision", () => {
    const rolling = new Rolling();
    rolling.present = "v1";

    expect(rolling.decide()).toEqual({ a: "v1", b: "v1", c: "v1" });
    expect(rolling.state).toMatchObject({ phase: "Complete", stable: "v1" });
  });

  it("goes from wave to wave, each once the one before was healthy for minSuccessTime", () => {
    const rolling = running();

    expect(rolling.decide()).toEqual({ a: "v2", b: "v1", c: "v1" });
    rolling.decide(1);
    expect(rolling.decide(28)).toEqual({ a: "v2", b: "v1", c: "v1" });
    expect(rolling.last?.nextAt).toBe(rolling.now + 2_000);
    expect(rolling.decide(2)).toEqual({ a: "v2", b: "v2", c: "v2" });
    rolling.decide(1);
    rolling.decide(30);
    expect(rolling.state).toMatchObject({ phase: "Complete", stable: "v2" });
  });

  it("sends the first revision in waves, too", () => {
    const rolling = new Rolling();

    expect(rolling.decide()).toEqual({ a: "v1" });
    expect(rolling.complete().revisions).toEqual({ a: "v1", b: "v1", c: "v1" });
  });

  it("keeps to maxConcurrency", () => {
    const rolling = running({ maxConcurrency: 1 });

    expect(rolling.decide()).toEqual({ a: "v2", b: "v1", c: "v1" });
    expect(rolling.decide(1)).toEqual({ a: "v2", b: "v2", c: "v1" });
    expect(rolling.decide(1)).toEqual({ a: "v2", b: "v2", c: "v2" });
  });

  it("returns every cluster to the last healthy revision when one does not become healthy", () => {
    const rolling = running();
    rolling.copies["a"] = "unhealthy";
    rolling.decide();

    expect(rolling.decide(119)).toEqual({ a: "v2", b: "v1", c: "v1" });
    expect(rolling.decide(1)).toEqual({ a: "v1", b: "v1", c: "v1" });
    expect(rolling.state).toMatchObject({
      phase: "Returning",
      failure: { a: "not healthy within 2m: 0 of 2 replicas updated" },
    });
    rolling.copies["a"] = "healthy";
    rolling.decide(5);
    expect(rolling.state?.phase).toBe("Returned");
    expect(rolling.decide(3_600)).toEqual({ a: "v1", b: "v1", c: "v1" });
  });

  it("stops where it is with onFailure Stop", () => {
    const rolling = running({ ...CANARY, onFailure: "Stop" });
    rolling.copies["a"] = "unhealthy";
    rolling.decide();

    expect(rolling.decide(120)).toEqual({ a: "v2", b: "v1", c: "v1" });
    expect(rolling.state?.phase).toBe("Stopped");
  });

  it("bears as many failures as maxFailures allows", () => {
    const rolling = running({ progressDeadline: "1m", maxConcurrency: 1, maxFailures: "34%" });
    rolling.copies["a"] = "unhealthy";
    rolling.decide();

    expect(rolling.decide(60)).toEqual({ a: "v2", b: "v2", c: "v1" });
    rolling.copies["b"] = "unhealthy";
    rolling.decide(1);
    expect(rolling.decide(60)).toEqual({ a: "v1", b: "v1", c: "v1" });
  });

  it("soaks anew after a cluster fell ill, and gives it its time again", () => {
    const rolling = running();
    rolling.decide();
    rolling.decide(20);
    rolling.copies["a"] = "unhealthy";
    rolling.decide(5);
    rolling.copies["a"] = "healthy";
    rolling.decide(100);

    expect(rolling.decide(29)).toMatchObject({ b: "v1" });
    expect(rolling.decide(1)).toMatchObject({ b: "v2" });
  });

  it("never takes a cluster that is away for done, and counts it as failed in the end", () => {
    const rolling = running();
    rolling.decide();
    rolling.away.set("a", rolling.now);
    rolling.decide(1);

    expect(rolling.decide(100)).toEqual({ a: "v2", b: "v1", c: "v1" });
    rolling.decide(30);
    expect(rolling.state?.failure).toEqual({ a: "not healthy within 2m: the cluster is not ready" });
  });

  it("passes over clusters that are away for long; they follow when they are back", () => {
    const rolling = running();
    rolling.away.set("b", rolling.now - 60_000);
    rolling.complete();

    expect(rolling.last?.skipped).toEqual(["b"]);
    expect(rolling.revisions).toEqual({ a: "v2", b: "v2", c: "v2" });
    expect(rolling.state?.clusters["b"]?.done).toBeUndefined();
  });

  it("waits for a cluster that went away just now", () => {
    const rolling = running();
    rolling.away.set("a", rolling.now - 50_000);

    expect(rolling.decide()).toEqual({ a: "v1", b: "v1", c: "v1" });
    expect(rolling.last?.nextAt).toBe(rolling.now + 10_000);
  });

  it("goes one by one when nobody of the first wave could be asked", () => {
    const rolling = running();
    rolling.away.set("a", rolling.now - 60_000);

    expect(rolling.decide()).toEqual({ a: "v1", b: "v2", c: "v1" });
    rolling.decide(1);
    expect(rolling.decide(30)).toEqual({ a: "v1", b: "v2", c: "v2" });
  });

  it("begins anew with another revision, and takes back what the superseded one had not finished", () => {
    const rolling = running();
    rolling.decide();
    rolling.decide(1);
    rolling.decide(30);
    expect(rolling.revisions).toEqual({ a: "v2", b: "v2", c: "v2" });
    rolling.revision = "v3";

    expect(rolling.decide(1)).toEqual({ a: "v3", b: "v1", c: "v1" });
  });

  it("goes back at once everywhere when Git goes back to the last healthy revision", () => {
    const rolling = running();
    rolling.decide();
    rolling.revision = "v1";

    expect(rolling.decide(5)).toEqual({ a: "v1", b: "v1", c: "v1" });
    rolling.decide(1);
    expect(rolling.state?.phase).toBe("Complete");
  });

  it("holds everything while paused: nobody begins, nobody fails, and the time does not count", () => {
    const rolling = running();
    rolling.copies["a"] = "unhealthy";
    rolling.decide();
    rolling.controls = { paused: true };
    rolling.decide(60);

    expect(rolling.decide(3_600)).toEqual({ a: "v2", b: "v1", c: "v1" });
    expect(rolling.state?.phase).toBe("Paused");
    rolling.controls = { paused: false };
    expect(rolling.decide(59)).toEqual({ a: "v2", b: "v1", c: "v1" });
    expect(rolling.decide(60)).toEqual({ a: "v1", b: "v1", c: "v1" });
  });

  it("aborts one revision, and no other", () => {
    const rolling = running();
    rolling.decide();
    rolling.controls = { paused: false, abort: "v2" };

    expect(rolling.decide(1)).toEqual({ a: "v1", b: "v1", c: "v1" });
    rolling.revision = "v3";
    expect(rolling.decide(1)).toEqual({ a: "v3", b: "v1", c: "v1" });
  });

  it("tries again once for each word to", () => {
    const rolling = running();
    rolling.copies["a"] = "unhealthy";
    rolling.decide();
    rolling.decide(120);
    rolling.controls = { paused: false, retry: "1" };

    expect(rolling.decide(1)).toEqual({ a: "v2", b: "v1", c: "v1" });
    expect(rolling.decide(120)).toEqual({ a: "v1", b: "v1", c: "v1" });
    expect(rolling.decide(600)).toEqual({ a: "v1", b: "v1", c: "v1" });
  });

  it("gives a cluster that joins the last healthy revision until its turn, and afterwards the new one", () => {
    const rolling = running();
    rolling.decide();
    rolling.names = ["a", "b", "c", "d"];

    expect(rolling.decide(1)).toMatchObject({ d: "v1" });
    rolling.complete();
    rolling.names = ["a", "b", "c", "d", "e"];
    expect(rolling.decide(1)).toMatchObject({ d: "v2", e: "v2" });
  });

  it("goes one by one where the object is placed on no cluster of the first wave, which is waited for once it joins", () => {
    const rolling = new Rolling();
    rolling.names = ["b", "c", "d"];
    expect(rolling.decide()).toEqual({ b: "v1" });
    rolling.names = ["a", "b", "c", "d"];

    expect(rolling.decide(1)).toEqual({ a: "v1", b: "v1" });
    expect(rolling.decide(29)).toEqual({ a: "v1", b: "v1" });
    expect(rolling.complete().revisions).toEqual({ a: "v1", b: "v1", c: "v1", d: "v1" });
  });

  it("forgets a cluster that leaves, but goes one by one when that alone would have proven something", () => {
    const rolling = running();
    rolling.copies["a"] = "unhealthy";
    rolling.decide();
    rolling.names = ["b", "c"];

    expect(rolling.decide(1)).toEqual({ b: "v2", c: "v1" });
    rolling.decide(1);
    expect(rolling.decide(30)).toEqual({ b: "v2", c: "v2" });
  });

  it("does not wait for a cluster that leaves after others have proven the revision", () => {
    const rolling = running();
    rolling.decide();
    rolling.decide(1);
    expect(rolling.decide(30)).toEqual({ a: "v2", b: "v2", c: "v2" });
    rolling.copies["b"] = "unhealthy";
    rolling.names = ["a", "c"];
    rolling.decide(1);

    rolling.decide(30);

    expect(rolling.last?.state.phase).toBe("Complete");
  });

  it("has nothing to return to before the first revision was well anywhere, and says so by stopping", () => {
    const rolling = new Rolling();
    rolling.copies["a"] = "failed";
    rolling.decide();

    expect(rolling.decide(1)).toEqual({ a: "v1" });
    expect(rolling.state).toMatchObject({ phase: "Stopped", failure: { a: "0 of 2 replicas updated" } });
  });

  it("leaves copies that nobody recorded as they are until their turn", () => {
    const rolling = new Rolling();
    rolling.present = "unknown";

    expect(rolling.decide()).toEqual({ a: "v1", b: "unknown", c: "unknown" });
    expect(rolling.complete().revisions).toEqual({ a: "v1", b: "v1", c: "v1" });
  });

  it("does not mind a clock that is set back", () => {
    const rolling = running();
    rolling.decide();
    rolling.decide(1);
    rolling.decide(-1_000);

    expect(rolling.decide(29)).toMatchObject({ b: "v1" });
    expect(rolling.decide(1)).toMatchObject({ b: "v2" });
  });
});
