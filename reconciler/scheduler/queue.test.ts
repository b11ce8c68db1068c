import { describe, expect, it } from "vitest";
import { FakeClock } from "../../runtime/clock.ts";
import { backoffMs, SchedulingQueue } from "./queue.ts";

describe("SchedulingQueue", () => {
  it("gives the higher priority first, then the one waiting longest", async () => {
    const clock = new FakeClock();
    const queue = new SchedulingQueue(clock);
    queue.push("late-low");
    await clock.advance(10);
    queue.push("later-low");
    queue.push("high", 100);
    queue.push("negative", -1);

    const order = [queue.pop(), queue.pop(), queue.pop(), queue.pop(), queue.pop()];

    expect(order).toEqual(["high", "late-low", "later-low", "negative", undefined]);
  });

  it("holds a key once, however often it is pushed", () => {
    const queue = new SchedulingQueue(new FakeClock());
    queue.push("a");
    queue.push("a");

    expect(queue.size).toBe(1);
    expect([queue.pop(), queue.pop()]).toEqual(["a", undefined]);
  });

  it("gives a key that was pushed while in progress again when it is done", () => {
    const queue = new SchedulingQueue(new FakeClock());
    queue.push("a");
    queue.pop();
    queue.push("a", 5);
    expect(queue.size).toBe(0);

    queue.done("a", "unschedulable");

    expect(queue.pop()).toBe("a");
  });

  it("lets failures rest 1, 2, 4, 8 and then always 10 seconds", () => {
    expect([1, 2, 3, 4, 5, 6].map(backoffMs)).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it("brings a failed key back after its rest, counted from when it became ready", async () => {
    const clock = new FakeClock();
    const queue = new SchedulingQueue(clock);
    queue.push("a");
    queue.done(queue.pop() ?? "", "backoff");
    await clock.advance(1_000);
    queue.done(queue.pop() ?? "", "backoff");

    await clock.advance(1_000);
    expect(queue.pop()).toBeUndefined();
    await clock.advance(1_000);
    expect(queue.pop()).toBe("a");
  });

  it("lets an unschedulable key rest five minutes, unless it is pushed", async () => {
    const clock = new FakeClock();
    const queue = new SchedulingQueue(clock);
    queue.push("rests");
    queue.push("pushed");
    queue.done(queue.pop() ?? "", "unschedulable");
    queue.done(queue.pop() ?? "", "unschedulable");

    queue.push("pushed");
    expect([queue.pop(), queue.pop()]).toEqual(["pushed", undefined]);
    await clock.advance(300_000);
    expect(queue.pop()).toBeUndefined();
    await clock.advance(30_000);
    expect(queue.pop()).toBe("rests");
  });

  it("forgets what is done, and what is gone", () => {
    const queue = new SchedulingQueue(new FakeClock());
    queue.push("done");
    queue.done(queue.pop() ?? "", "done");
    queue.push("gone");
    queue.forget("gone");

    expect(queue.pop()).toBeUndefined();
  });

  it("says when there is something to pop", async () => {
    const clock = new FakeClock();
    let calls = 0;
    const queue = new SchedulingQueue(clock, { onReady: () => calls++ });
    queue.push("a");
    queue.done(queue.pop() ?? "", "backoff");
    expect(calls).toBe(1);

    await clock.advance(1_000);

    expect(calls).toBe(2);
    queue.stop();
  });

  it("lets a pushed key begin its rests anew", async () => {
    const clock = new FakeClock();
    const queue = new SchedulingQueue(clock);
    for (const rest of [1_000, 2_000, 4_000]) {
      queue.push("a");
      queue.done(queue.pop() ?? "", "backoff");
      await clock.advance(rest);
    }
    queue.done(queue.pop() ?? "", "done");
    queue.push("a");
    queue.done(queue.pop() ?? "", "backoff");

    await clock.advance(1_000);

    expect(queue.pop()).toBe("a");
  });

  it("lets an attempt that was made elsewhere count as one of its own", async () => {
    const clock = new FakeClock();
    const queue = new SchedulingQueue(clock);
    queue.attempted("a", 0, "backoff");
    queue.attempted("b", 0, "unschedulable");
    queue.attempted("c", 0, "done");
    queue.push("ready");
    queue.attempted("ready", 0, "backoff");

    expect(queue.pending).toEqual({ active: 1, backoff: 1, unschedulable: 1 });
    expect([queue.pop(), queue.pop()]).toEqual(["ready", undefined]);
    await clock.advance(1_000);
    expect(queue.pop()).toBe("a");
  });

  it("wakes an unschedulable key no sooner than a failed one would come back", async () => {
    const clock = new FakeClock();
    const queue = new SchedulingQueue(clock);
    queue.attempted("fresh", 0, "unschedulable");
    queue.attempted("others", 0, "unschedulable");

    expect([...queue.unschedulable()]).toEqual(["fresh", "others"]);
    queue.wake("fresh");
    expect(queue.pop()).toBeUndefined();
    await clock.advance(1_000);

    expect([queue.pop(), queue.pop()]).toEqual(["fresh", undefined]);
  });

  it("keeps no timer while nothing rests", async () => {
    const clock = new FakeClock();
    const after = clock.after.bind(clock);
    let armed = 0;
    clock.after = (ms, fn) => {
      armed++;
      return after(ms, fn);
    };
    const queue = new SchedulingQueue(clock);
    queue.push("a");
    queue.done(queue.pop() ?? "", "done");
    await clock.advance(60_000);
    expect(armed).toBe(0);

    queue.attempted("a", 0, "backoff");
    await clock.advance(60_000);

    expect(queue.pop()).toBe("a");
    expect(armed).toBe(1);
  });
});

describe("SchedulingQueue without priorities", () => {
  it("gives keys in the order in which they came", () => {
    const queue = new SchedulingQueue(new FakeClock(), { byPriority: false });
    queue.push("low");
    queue.push("high", 100);

    expect([queue.pop(), queue.pop()]).toEqual(["low", "high"]);
  });

  it("lets all that failed rest alike, each twice as long as before", async () => {
    const clock = new FakeClock();
    const queue = new SchedulingQueue(clock, { byPriority: false });
    for (const rest of [5, 10, 20]) {
      if (rest === 5) queue.push("a");
      queue.done(queue.pop() ?? "", rest === 10 ? "unschedulable" : "backoff");
      await clock.advance(rest - 1);
      expect(queue.size).toBe(0);
      await clock.advance(1);
      expect(queue.size).toBe(1);
    }
  });
});
