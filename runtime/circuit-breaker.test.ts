import { beforeEach, describe, expect, it } from "vitest";
import { CircuitBreaker, spread } from "./circuit-breaker.ts";
import { FakeClock } from "./clock.ts";

let clock: FakeClock;
let breaker: CircuitBreaker;
let rooms: number[];

beforeEach(() => {
  clock = new FakeClock();
  rooms = [];
  breaker = new CircuitBreaker({
    clock,
    threshold: 3,
    minMs: 1_000,
    maxMs: 4_000,
    random: () => 0.5,
    onRoom: () => rooms.push(breaker.room),
  });
});

function fail(times: number): void {
  for (let time = 0; time < times; time++) breaker.failed();
}

describe("CircuitBreaker", () => {
  it("lets everything through until failures come in a row", () => {
    fail(2);
    breaker.succeeded();
    fail(2);

    expect(breaker.room).toBe(Number.POSITIVE_INFINITY);
  });

  it("opens after that, then allows one trial", async () => {
    fail(3);
    expect(breaker.room).toBe(0);

    await clock.advance(1_000);

    expect(breaker.room).toBe(1);
    expect(rooms).toEqual([1]);
  });

  it("closes when the trial has an answer", async () => {
    fail(3);
    await clock.advance(1_000);
    breaker.succeeded();

    expect(breaker.room).toBe(Number.POSITIVE_INFINITY);
    expect(rooms).toEqual([1, Number.POSITIVE_INFINITY]);
  });

  it("waits twice as long after each failed trial, but not for ever", async () => {
    fail(3);
    for (const waitMs of [1_000, 2_000, 4_000, 4_000]) {
      await clock.advance(waitMs - 1);
      expect(breaker.room).toBe(0);
      await clock.advance(1);
      expect(breaker.room).toBe(1);
      breaker.failed();
    }
  });

  it("does not count those that were on their way when it opened", async () => {
    fail(8);
    await clock.advance(1_000);

    expect(breaker.room).toBe(1);
  });

  it("pauses for as long as it is asked to, and a little longer", async () => {
    breaker.pause(1_000);
    breaker.pause(10);
    await clock.advance(1_099);
    expect(breaker.room).toBe(0);
    await clock.advance(1);

    expect(rooms).toEqual([Number.POSITIVE_INFINITY]);
  });

  it("can be told that all is well", async () => {
    fail(3);
    breaker.pause(60_000);
    breaker.reset();
    expect(breaker.room).toBe(Number.POSITIVE_INFINITY);
    await clock.advance(60_000);

    expect(breaker.state).toBe("closed");
  });
});

describe("spread", () => {
  it("stays within a quarter to both sides", () => {
    expect([0, 0.5, 1].map((chance) => spread(1_000, () => chance))).toEqual([750, 1_000, 1_250]);
  });
});
