import { describe, expect, it } from "vitest";
import { FakeClock, rfc3339, sleep, systemClock } from "./clock.ts";

describe("FakeClock", () => {
  it("fires timers in order of time, then of creation, at their own time", async () => {
    const clock = new FakeClock(1_000);
    const fired: string[] = [];
    clock.after(20, () => fired.push(`c@${clock.now()}`));
    clock.after(10, () => fired.push(`a@${clock.now()}`));
    clock.after(10, () => fired.push(`b@${clock.now()}`));

    await clock.advance(15);
    expect(fired).toEqual(["a@1010", "b@1010"]);
    expect(clock.now()).toBe(1_015);

    await clock.advance(5);
    expect(fired).toEqual(["a@1010", "b@1010", "c@1020"]);
  });

  it("fires timers that are set while it moves, if they fall due", async () => {
    const clock = new FakeClock();
    let count = 0;
    function again(): void {
      count++;
      clock.after(10, again);
    }
    clock.after(10, again);

    await clock.advance(35);

    expect(count).toBe(3);
  });

  it("does not fire what was cancelled", async () => {
    const clock = new FakeClock();
    let fired = false;
    clock
      .after(10, () => {
        fired = true;
      })
      .cancel();

    await clock.advance(100);

    expect(fired).toBe(false);
  });
});

describe("systemClock", () => {
  it("does not fire at once for a time that timers cannot hold", () => {
    let fired = false;
    const timer = systemClock.after(2 ** 40, () => {
      fired = true;
    });

    expect(fired).toBe(false);
    timer.cancel();
  });
});

describe("sleep", () => {
  it("ends when its time has come", async () => {
    const clock = new FakeClock();
    let woke = false;
    void sleep(clock, 100).then(() => {
      woke = true;
    });

    await clock.advance(99);
    expect(woke).toBe(false);
    await clock.advance(1);
    expect(woke).toBe(true);
  });

  it("rejects with the signal's reason when it aborts, before or meanwhile", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleeping = sleep(clock, 100, abort.signal);
    abort.abort(new Error("enough"));

    await expect(sleeping).rejects.toThrow("enough");
    await expect(sleep(clock, 100, abort.signal)).rejects.toThrow("enough");
  });
});

describe("rfc3339", () => {
  it("has whole seconds, rounded down", () => {
    expect(rfc3339(Date.UTC(2026, 1, 3, 4, 5, 6, 999))).toBe("2026-02-03T04:05:06Z");
  });
});
