import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "./clock.ts";
import { AppError } from "./errors.ts";
import { createLogger, type Level } from "./logger.ts";
import { type Step, WorkQueue, type WorkQueueOptions } from "./work-queue.ts";

const open: WorkQueue[] = [];
afterEach(async () => {
  for (const queue of open.splice(0)) await queue.stop();
});

function start(step: Step, options: Partial<WorkQueueOptions> = {}) {
  const clock = new FakeClock();
  const lines: { level: Level; message: string; code?: string; stack?: string }[] = [];
  const logger = createLogger({
    level: "debug",
    format: "json",
    write: (line) => lines.push(JSON.parse(line)),
    now: () => clock.now(),
  });
  const queue = new WorkQueue({ name: "test", clock, logger, workers: 2, minBackoffMs: 100, ...options }, step);
  open.push(queue);
  return { queue, clock, lines };
}

/** A step that stops at a gate until it is opened. */
function gate() {
  const opened = Promise.withResolvers<void>();
  return { wait: () => opened.promise, open: () => opened.resolve() };
}

function failure(recovery: "retry" | "wait" | "stall", afterMs?: number): AppError {
  return new AppError("test-failed", "it failed", { recovery, ...(afterMs === undefined ? {} : { afterMs }) });
}

describe("WorkQueue", () => {
  it("runs a key once for a burst of additions", async () => {
    const runs: string[] = [];
    const { queue } = start(async (key) => void runs.push(key));

    for (let i = 0; i < 5; i++) queue.add("a");
    await queue.whenIdle();

    expect(runs).toEqual(["a"]);
  });

  it("lets others have their turn although its steps wait for nothing", async () => {
    let runs = 0;
    const runsAtTurns = new Set<number>();
    const { queue } = start(async () => {
      const begin = performance.now();
      while (performance.now() - begin < 2);
      runs++;
    });
    const watch = (): void => {
      runsAtTurns.add(runs);
      if (runs < 40) setImmediate(watch);
    };

    for (let i = 0; i < 40; i++) queue.add(`key ${i}`);
    watch();
    await queue.whenIdle();

    // Somebody else's turn came before the first, after the last, and in between.
    expect(runsAtTurns.size).toBeGreaterThan(2);
  });

  it("runs a key again that was added while it ran, and never twice at once", async () => {
    const first = gate();
    let running = 0;
    let most = 0;
    let runs = 0;
    const { queue, clock } = start(async () => {
      most = Math.max(most, ++running);
      if (++runs === 1) await first.wait();
      running--;
    });

    queue.add("a");
    await clock.advance(0);
    queue.add("a");
    queue.add("a");
    first.open();
    await queue.whenIdle();

    expect({ runs, most }).toEqual({ runs: 2, most: 1 });
  });

  it("runs at most as many keys at once as it has workers, and all of them in the end", async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    const { queue } = start(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      runs++;
    });

    for (let i = 0; i < 10; i++) queue.add(`key-${i}`);
    await queue.whenIdle();

    expect({ runs, most }).toEqual({ runs: 10, most: 2 });
  });

  it("doubles the wait after each failure, up to the longest, and forgets it after a success", async () => {
    const times: number[] = [];
    let broken = true;
    const { queue, clock } = start(
      async () => {
        times.push(clock.now());
        if (broken) throw failure("retry");
      },
      { maxBackoffMs: 400 },
    );
    const begin = clock.now();

    queue.add("a");
    await clock.advance(1_500);
    broken = false;
    await clock.advance(400);
    broken = true;
    times.length = 0;
    const again = clock.now();
    queue.add("a");
    await clock.advance(150);

    expect(times.map((time) => time - again)).toEqual([0, 100]);
    expect(begin).toBeLessThan(again);
  });

  it("waits 100, 200, 400 and then always 400 ms", async () => {
    const times: number[] = [];
    const { queue, clock } = start(
      async () => {
        times.push(clock.now());
        throw failure("retry");
      },
      { maxBackoffMs: 400 },
    );
    const begin = clock.now();

    queue.add("a");
    await clock.advance(1_600);

    expect(times.map((time) => time - begin)).toEqual([0, 100, 300, 700, 1_100, 1_500]);
  });

  it("does not count a wait as a failure, and comes back after the time that the error names", async () => {
    const times: number[] = [];
    const { queue, clock, lines } = start(async () => {
      times.push(clock.now());
      throw failure("wait", 2_000);
    });
    const begin = clock.now();

    queue.add("a");
    await clock.advance(6_100);

    expect(times.map((time) => time - begin)).toEqual([0, 2_000, 4_000, 6_000]);
    expect(lines).toEqual([]);
  });

  it("leaves a stalled key alone until it is added", async () => {
    let runs = 0;
    const { queue, clock } = start(async () => {
      runs++;
      throw failure("stall");
    });

    queue.add("a");
    await clock.advance(3_600_000);
    expect(runs).toBe(1);

    queue.add("a");
    await clock.advance(0);
    expect(runs).toBe(2);
  });

  it("runs again when the step asks to, although nothing failed", async () => {
    let runs = 0;
    const { queue, clock } = start(async () => (++runs < 3 ? { requeueAfterMs: 50 } : undefined));

    queue.add("a");
    await clock.advance(49);
    expect(runs).toBe(1);
    await clock.advance(1_000);
    expect(runs).toBe(3);
  });

  it("runs again at once for a wait of nothing", async () => {
    let runs = 0;
    const { queue } = start(async () => (++runs < 3 ? { requeueAfterMs: 0 } : undefined));

    queue.add("a");
    await queue.whenIdle();

    expect(runs).toBe(3);
  });

  it("treats a wait that is no number as a failure instead of running for ever", async () => {
    let runs = 0;
    const { queue, clock, lines } = start(async () => {
      runs++;
      return { requeueAfterMs: Number.NaN };
    });

    queue.add("a");
    await clock.advance(350);

    expect(runs).toBe(3);
    expect(lines[0]).toMatchObject({ level: "error", message: "step failed unexpectedly" });
  });

  it("keeps the earlier of two wake-ups", async () => {
    let runs = 0;
    const { queue, clock } = start(async () => void runs++);

    queue.addAfter("a", 100);
    queue.addAfter("a", 500);
    queue.addAfter("b", 500);
    queue.addAfter("b", 100);
    await clock.advance(100);
    expect(runs).toBe(2);

    await clock.advance(1_000);
    expect(runs).toBe(2);
  });

  it("lets an addition take the place of a wake-up", async () => {
    let runs = 0;
    const { queue, clock } = start(async () => void runs++);

    queue.addAfter("a", 100);
    queue.add("a");
    await clock.advance(1_000);

    expect(runs).toBe(1);
  });

  it("tells of anticipated failures quietly at first, and of bugs at once with their stack", async () => {
    let error: Error = failure("retry");
    const { queue, clock, lines } = start(async () => {
      throw error;
    });

    queue.add("a");
    await clock.advance(900);
    expect(lines.map((line) => line.level)).toEqual(["debug", "debug", "debug", "warn"]);

    error = new TypeError("cannot read properties of undefined");
    queue.add("a");
    await clock.advance(0);
    expect(lines.at(-1)).toMatchObject({ level: "error", stack: expect.stringContaining("TypeError") });
  });

  it("stops: running steps see their signal abort, waiting keys and later additions never run", async () => {
    const started = gate();
    const runs: string[] = [];
    const { queue, clock } = start(
      async (key, signal) => {
        runs.push(key);
        started.open();
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
      { workers: 1 },
    );
    queue.add("a");
    queue.add("b");
    queue.addAfter("c", 100);
    await started.wait();

    await queue.stop();
    queue.add("d");
    await clock.advance(1_000);

    expect(runs).toEqual(["a"]);
    expect(queue.depth).toBe(0);
  });

  it("runs other keys in the place of a step that waits outside", async () => {
    const outside = gate();
    const runs: string[] = [];
    const { queue, clock } = start(
      async (key) => {
        if (key === "slow") await queue.park(outside.wait());
        runs.push(key);
      },
      { workers: 1 },
    );
    queue.add("slow");
    queue.add("a");
    queue.add("b");
    await clock.advance(0);

    expect(runs).toEqual(["a", "b"]);
    outside.open();
    await queue.whenIdle();
    expect(runs).toEqual(["a", "b", "slow"]);
  });

  it("wakes who waits for idleness when it stops before anything ran", async () => {
    const { queue } = start(async () => undefined);
    queue.add("a");
    const idle = queue.whenIdle();

    await queue.stop();

    await expect(idle).resolves.toBeUndefined();
  });
});
