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
    const queue = new SchedulingQueue(clock, () => calls++);
    queue.push("a");
    queue.done(queue.pop() ?? "", "backoff");
    expect(calls).toBe(1);

    await clock.advance(1_000);

    expect(calls).toBe(2);
    queue.stop();
  });
});
