// A few seconds of what `npm run fuzz -- apiserver` does for as long as it is told.
import { afterAll, describe, expect, it } from "vitest";
import { open } from "./apiserver.ts";
import { fuzz } from "./fuzz.ts";
import { printInput } from "./fuzz-target.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const targets = await open();

afterAll(async () => {
  for (const target of targets) await target.close?.();
});

describe(`the API server under random input (SEED=${seed})`, () => {
  it.each(targets.map((target) => [target.name, target] as const))("holds against %s", async (_name, target) => {
    // Slow runs on a busy machine are the business of the longer run, which measures again and alone.
    const { failure } = await fuzz({ ...target, mostMs: 1000 }, { seed, iterations: 150, seconds: 10 });

    expect(failure === undefined ? "" : `${failure.problem} for ${printInput(failure.input)}`).toBe("");
  });
});
