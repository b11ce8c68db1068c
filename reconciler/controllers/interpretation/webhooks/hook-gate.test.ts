import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../../runtime/clock.ts";
import { AppError } from "../../../../runtime/errors.ts";
import { HookGate } from "./hook-gate.ts";

const DEAD = new AppError("interpreter-webhook-failed", "no answer", { recovery: "retry" });
const WRONG = new AppError("interpreter-webhook-failed", "a wrong answer", { recovery: "retry" });

function start(): { gate: HookGate; clock: FakeClock; pass<T>(call: () => Promise<T>): Promise<T> } {
  const clock = new FakeClock();
  const gate = new HookGate(clock);
  return { gate, clock, pass: (call) => gate.pass(call, (error): error is AppError => error === DEAD) };
}

async function fail(error: AppError): Promise<never> {
  throw error;
}

describe("HookGate", () => {
  it("lets calls pass", async () => {
    const { pass } = start();

    expect(await pass(async () => 3)).toBe(3);
  });

  it("lets 16 run at the same time, and the others when those are done", async () => {
    const { pass } = start();
    const running: PromiseWithResolvers<number>[] = [];
    const calls = Array.from({ length: 20 }, () =>
      pass(() => {
        const call = Promise.withResolvers<number>();
        running.push(call);
        return call.promise;
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(running).toHaveLength(16);

    for (let index = 0; index < 20; index++) {
      running[index]?.resolve(index);
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it("sends everyone away for a while when nobody answers, with the words of the failure", async () => {
    const { pass } = start();
    await expect(pass(() => fail(DEAD))).rejects.toBe(DEAD);

    await expect(pass(async () => 1)).rejects.toMatchObject({
      code: "interpreter-webhook-failed",
      message: "no answer",
      recovery: "wait",
      afterMs: expect.any(Number),
    });
  });

  it("sends those away who wait for a call that nobody answers", async () => {
    const { pass } = start();
    const first = Promise.withResolvers<number>();
    const calls = Array.from({ length: 17 }, () => pass(() => first.promise));
    const settled = Promise.allSettled(calls);
    await new Promise((resolve) => setImmediate(resolve));

    first.reject(DEAD);

    const last = (await settled).at(-1);
    expect(last).toMatchObject({ status: "rejected", reason: { recovery: "wait", message: "no answer" } });
  });

  it("lets one find out after a pause that doubles, and everyone once it answers", async () => {
    const { pass, clock } = start();
    await expect(pass(() => fail(DEAD))).rejects.toBe(DEAD);
    await clock.advance(1_000);
    await expect(pass(() => fail(DEAD))).rejects.toBe(DEAD);
    await clock.advance(1_999);
    await expect(pass(async () => 1)).rejects.toMatchObject({ recovery: "wait" });
    await clock.advance(1);

    const probe = Promise.withResolvers<number>();
    const probing = pass(() => probe.promise);
    await expect(pass(async () => 1)).rejects.toMatchObject({ recovery: "wait" });
    probe.resolve(7);

    expect(await probing).toBe(7);
    expect(await pass(async () => 8)).toBe(8);
  });

  it("stays open for wrong answers", async () => {
    const { pass } = start();
    await expect(pass(() => fail(WRONG))).rejects.toBe(WRONG);

    expect(await pass(async () => 1)).toBe(1);
  });
});
