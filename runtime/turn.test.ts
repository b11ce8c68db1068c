import { describe, expect, it } from "vitest";
import { Turn } from "./turn.ts";

function busyUntilOver(turn: Turn): void {
  while (!turn.isOver);
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
});
