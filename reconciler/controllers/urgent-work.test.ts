import { describe, expect, it } from "vitest";
import { FakeClock } from "../../runtime/clock.ts";
import { UrgentWork } from "./urgent-work.ts";

function urgentWork() {
  const clock = new FakeClock();
  const urgent = new UrgentWork(clock);
  const work = { depth: 0 };
  urgent.watch(() => work.depth);
  return { clock, urgent, work };
}

describe("UrgentWork", () => {
  it("keeps nobody waiting when nothing is urgent", async () => {
    const { urgent } = urgentWork();

    await urgent.passed();

    expect(urgent.isPresent).toBe(false);
  });

  it("lets others go on when it is done", async () => {
    const { urgent, work } = urgentWork();
    work.depth = 3;
    let passed = false;
    const waiting = urgent.passed().then(() => {
      passed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(passed).toBe(false);

    work.depth = 0;
    await waiting;

    expect(passed).toBe(true);
  });

  it("holds them up for two seconds at most, once", async () => {
    const { clock, urgent, work } = urgentWork();
    work.depth = 3;
    const waiting = urgent.passed();

    await clock.advance(2_000);
    await waiting;
    await urgent.passed();

    expect(urgent.isPresent).toBe(true);
  });
});
