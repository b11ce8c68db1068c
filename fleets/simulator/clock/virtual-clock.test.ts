import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../runtime/clock.ts";
import { type Participant, VirtualClock } from "./virtual-clock.ts";

const START = Date.UTC(2026, 0, 1);

/** Somebody who needs two turns of the event loop for each piece of work. */
function worker(): Participant & { begin(done: () => void): void } {
  let pending = 0;
  let waiting: (() => void)[] = [];
  return {
    get isBusy() {
      return pending > 0;
    },
    whenIdle: () => new Promise((resolve) => (pending === 0 ? resolve() : waiting.push(resolve))),
    begin: (done) => {
      pending++;
      setImmediate(() =>
        setImmediate(() => {
          pending--;
          done();
          if (pending > 0) return;
          for (const resolve of waiting) resolve();
          waiting = [];
        }),
      );
    },
  };
}

describe("a stepped clock", () => {
  it("stands still until it is moved, and fires timers in the order of their time, then of their making", async () => {
    const clock = new VirtualClock({ pace: "stepped", startMs: START });
    const fired: string[] = [];
    clock.after(20, () => fired.push("b"));
    clock.after(10, () => fired.push("a"));
    clock.after(20, () => fired.push("c"));
    clock.after(15, () => fired.push("never")).cancel();

    await clock.advance(19);
    expect(fired).toEqual(["a"]);
    expect(clock.now()).toBe(START + 19);
    await clock.advance(1);

    expect(fired).toEqual(["a", "b", "c"]);
  });

  it("does not leave an instant before everything that it brought is done", async () => {
    const clock = new VirtualClock({ pace: "stepped", startMs: START });
    const someone = worker();
    clock.join(someone);
    const done: number[] = [];
    clock.after(10, () => someone.begin(() => clock.after(5, () => done.push(clock.now() - START))));

    await clock.advance(15);

    expect(done).toEqual([15]);
  });

  it("runs until something holds, or says that it never will", async () => {
    const clock = new VirtualClock({ pace: "stepped", startMs: START });
    let ready = false;
    clock.after(30_000, () => {
      ready = true;
    });

    expect(await clock.runUntil(() => ready, 20_000)).toBe(false);
    expect(await clock.runUntil(() => ready, 60_000)).toBe(true);
    expect(clock.now()).toBe(START + 30_000);
  });
});

describe("an accelerated clock", () => {
  it("runs so many times as fast as the machine's", async () => {
    const machine = new FakeClock();
    const clock = new VirtualClock({ pace: 60, startMs: START, machine });
    const fired: number[] = [];
    clock.after(60_000, () => fired.push(clock.now() - START));

    await machine.advance(999);
    expect(fired).toEqual([]);
    expect(clock.now() - START).toBe(59_940);
    await machine.advance(10);
    await clock.settled();

    expect(fired).toEqual([60_000]);
  });

  it("never shows a time at which something that was due has not happened yet", async () => {
    const machine = new FakeClock();
    const clock = new VirtualClock({ pace: 1000, startMs: START, machine });
    clock.after(500, () => {});
    clock.after(10_000, () => {});

    const ahead = machine.advance(5);
    expect(clock.now() - START).toBeLessThanOrEqual(500);
    await ahead;
  });

  it("stands still for whoever has something to do, and never goes back", async () => {
    const machine = new FakeClock();
    const clock = new VirtualClock({ pace: 60, startMs: START, machine });
    const { promise: whenDone, resolve: finish } = Promise.withResolvers<void>();
    let isBusy = false;
    clock.join({
      get isBusy() {
        return isBusy;
      },
      whenIdle: () => whenDone,
    });
    const seen: number[] = [];
    const fired = new Promise<void>((resolve) => {
      clock.after(120_000, () => {
        seen.push(clock.now());
        resolve();
      });
    });
    await machine.advance(1_000);
    seen.push(clock.now());

    isBusy = true;
    await machine.advance(500);
    seen.push(clock.now());
    // Something is due, and the clock waits to play it.
    await machine.advance(1_000);
    seen.push(clock.now());
    isBusy = false;
    finish();
    await fired;

    expect(seen.map((at) => at - START)).toEqual([60_000, 60_000, 60_000, 120_000]);
  });

  it("shows one time to whoever reads it twice in a turn", async () => {
    const machine = new FakeClock();
    const clock = new VirtualClock({ pace: 60, startMs: START, machine });
    await machine.advance(100);

    const first = clock.now();
    void machine.advance(100);

    expect(clock.now()).toBe(first);
    await clock.settled();
    expect(clock.now() - first).toBe(6_000);
  });

  it("goes on from where it is held, however long that is", async () => {
    const machine = new FakeClock();
    const clock = new VirtualClock({ pace: 60, startMs: START, machine });
    const fired: number[] = [];
    const release = clock.hold();
    clock.after(30_000, () => fired.push(clock.now() - START));

    await machine.advance(600_000);
    expect(clock.now()).toBe(START);
    release();
    await clock.settled();
    expect(fired).toEqual([]);
    await machine.advance(500);
    await clock.settled();

    expect(fired).toEqual([30_000]);
  });

  it("without a bound, goes from timer to timer", async () => {
    const clock = new VirtualClock({ pace: Number.POSITIVE_INFINITY, startMs: START });
    const fired: number[] = [];
    const done = new Promise<void>((resolve) => {
      clock.after(3_600_000, () => {
        fired.push(clock.now() - START);
        clock.after(3_600_000, () => {
          fired.push(clock.now() - START);
          resolve();
        });
      });
    });

    await done;

    expect(fired).toEqual([3_600_000, 7_200_000]);
  });
});

describe("a real clock", () => {
  it("is the machine's, whatever there is to do", async () => {
    const machine = new FakeClock();
    const clock = new VirtualClock({ pace: "real", machine });
    const fired: number[] = [];
    clock.after(100, () => fired.push(clock.now()));

    await machine.advance(100);

    expect(fired).toEqual([machine.now()]);
    expect(clock.now()).toBe(machine.now());
  });
});
