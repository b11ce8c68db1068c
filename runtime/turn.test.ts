import { describe, expect, it } from "vitest";
import { Turn } from "./turn.ts";

function busyUntilOver(turn: Turn): void {
  while (!turn.isOver);
}

function msOf(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

describe("Turn", () => {
  it("is over after a while, until the next begins", async () => {
    const turn = new Turn();
    busyUntilOver(turn);

    await turn.next();

    expect(turn.isOver).toBe(false);
  });

  it("is one for all that share it: together they take no more than one alone", async () => {
    const turn = new Turn();
    busyUntilOver(turn);
    let turns = 0;
    let isDone = false;
    const other = function count() {
      if (!isDone) setImmediate(count);
      turns++;
    };
    other();

    await Promise.all(
      Array.from({ length: 8 }, async () => {
        await turn.next();
        busyUntilOver(turn);
      }),
    );
    isDone = true;

    // The one before, and one in which all of them ended.
    expect(turns).toBeLessThanOrEqual(2);
  });

  it("leaves little of itself to loops of others that begin in it", async () => {
    const first = new Turn();
    const second = new Turn();
    const late: number[] = [];
    const whole: number[] = [];
    // The machine may take its time in any of them.
    for (let attempt = 0; attempt < 5; attempt++) {
      await first.next();
      whole.push(msOf(() => busyUntilOver(first)));
      second.begin();
      late.push(msOf(() => busyUntilOver(second)));
    }

    expect(Math.min(...late)).toBeLessThan(Math.min(...whole) / 2);
  });
});
