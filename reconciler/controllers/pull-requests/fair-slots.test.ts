import { describe, expect, it } from "vitest";
import { FairSlots } from "./fair-slots.ts";

/** Runs that end when they are told to. */
class Runs {
  readonly started: string[] = [];
  readonly #slots: FairSlots;
  readonly #ends = new Map<string, () => void>();

  constructor(slots: FairSlots) {
    this.#slots = slots;
  }

  start(owner: string, name: string, signal = new AbortController().signal): Promise<void> {
    return this.#slots.run(owner, signal, () => {
      this.started.push(name);
      return new Promise((resolve) => this.#ends.set(name, resolve));
    });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("FairSlots", () => {
  it("runs no more at a time than there are slots, in order", async () => {
    const runs = new Runs(new FairSlots(2));

    for (const name of ["a1", "a2", "a3"]) void runs.start("a", name);
    await settle();

    expect(runs.started).toEqual(["a1", "a2"]);
    await runs.end("a2");
    expect(runs.started).toEqual(["a1", "a2", "a3"]);
  });

  it("gives the next slot to who has none", async () => {
    const runs = new Runs(new FairSlots(2));
    for (const name of ["a1", "a2", "a3", "a4"]) void runs.start("a", name);
    await settle();
    void runs.start("b", "b1");
    void runs.start("b", "b2");

    await runs.end("a1");
    await runs.end("a2");

    expect(runs.started).toEqual(["a1", "a2", "b1", "a3"]);
  });

  it("lets owners take turns where there is one slot", async () => {
    const runs = new Runs(new FairSlots(1));
    for (const name of ["a1", "a2", "b1", "b2"]) void runs.start(name.slice(0, 1), name);
    await settle();

    for (const name of ["a1", "b1", "a2"]) await runs.end(name);

    expect(runs.started).toEqual(["a1", "b1", "a2", "b2"]);
  });

  it("gives nobody more than his share, also when slots are free", async () => {
    const runs = new Runs(new FairSlots(3, 1));
    for (const name of ["a1", "a2", "b1"]) void runs.start(name.slice(0, 1), name);
    await settle();

    expect(runs.started).toEqual(["a1", "b1"]);
  });

  it("does not start what was given up while it waited", async () => {
    const runs = new Runs(new FairSlots(1));
    void runs.start("a", "a1");
    const givenUp = new AbortController();
    const waiting = runs.start("a", "a2", givenUp.signal);
    void runs.start("a", "a3");
    await settle();

    givenUp.abort(new Error("given up"));

    await expect(waiting).rejects.toThrow("given up");
    await runs.end("a1");
    expect(runs.started).toEqual(["a1", "a3"]);
  });

  it("frees the slot of what failed", async () => {
    const slots = new FairSlots(1);
    const { signal } = new AbortController();

    await expect(slots.run("a", signal, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");

    await expect(slots.run("a", signal, () => Promise.resolve("ran"))).resolves.toBe("ran");
  });
});
