// Makes an input that fails smaller while it still fails.
import type { JsonObject } from "../../kube/object.ts";
import type { FuzzInput } from "./fuzz-target.ts";

const MOST_TRIES = 2000;

/** The smallest input found for which `fails` still answers true; tries are bounded. */
export async function minimise(input: FuzzInput, fails: (input: FuzzInput) => Promise<boolean>): Promise<FuzzInput> {
  let best = input;
  let tries = 0;
  for (let improved = true; improved && tries < MOST_TRIES; ) {
    improved = false;
    for (const smaller of smallerInputs(best)) {
      if (++tries > MOST_TRIES) break;
      if (!(await fails(smaller))) continue;
      best = smaller;
      improved = true;
      break;
    }
  }
  return best;
}

/** Inputs that are a little less than `input`, the boldest first. */
function* smallerInputs(input: FuzzInput): Generator<FuzzInput> {
  if (typeof input === "string") {
    for (const [start, end] of cuts(input.length)) yield input.slice(0, start) + input.slice(end);
    return;
  }
  if (input instanceof Uint8Array) {
    for (const [start, end] of cuts(input.length)) yield Buffer.concat([input.subarray(0, start), input.subarray(end)]);
    return;
  }
  if (Array.isArray(input)) {
    for (const [start, end] of cuts(input.length)) yield [...input.slice(0, start), ...input.slice(end)];
    for (const [index, item] of input.entries()) {
      for (const smaller of smallerInputs(item)) if (isJson(smaller)) yield input.with(index, smaller);
    }
    return;
  }
  if (typeof input === "object" && input !== null) {
    for (const key of Object.keys(input)) {
      yield Object.fromEntries(Object.entries(input).filter(([other]) => other !== key));
    }
    for (const [key, value] of Object.entries(input)) {
      if (value === undefined) continue;
      for (const smaller of smallerInputs(value)) {
        if (isJson(smaller)) yield { ...input, [key]: smaller } satisfies JsonObject;
      }
    }
    return;
  }
  if (typeof input === "number" && input !== 0) yield 0;
}

function isJson(input: FuzzInput): input is Exclude<FuzzInput, Uint8Array> {
  return !(input instanceof Uint8Array);
}

/** Ranges to cut out of something of a length: halves, quarters, down to single parts. */
function* cuts(length: number): Generator<[start: number, end: number]> {
  for (let size = Math.ceil(length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < length; start += size) yield [start, Math.min(length, start + size)];
  }
}
