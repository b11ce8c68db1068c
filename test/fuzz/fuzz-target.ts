// What a fuzzer is: a way to make inputs, and what must hold for each of them.
import type { Json } from "../../kube/object.ts";
import type { Random } from "../../runtime/random.ts";

/** Inputs are plain data, so that they can be printed and made smaller. */
export type FuzzInput = string | Uint8Array | Json;

export interface FuzzTarget {
  readonly name: string;
  generate(random: Random): FuzzInput;
  /** Answers what is wrong, or undefined. May throw: that is wrong as well. Each call must leave no trace in the next. */
  check(input: FuzzInput): string | undefined | Promise<string | undefined>;
  /** Longest time one input may hold up the event loop; 50 ms when absent. */
  readonly mostMs?: number;
  /** Inputs that were wrong once. Tried first. */
  readonly known?: readonly FuzzInput[];
  close?(): Promise<void>;
}

/** A fuzzer of one module: `test/fuzz/NAME.ts` exports `open`. */
export interface FuzzModule {
  open(): Promise<readonly FuzzTarget[]>;
}

/** A fuzzer with options and a loop of its own. */
export interface FuzzProgram {
  /** Answers the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** One failure, with all it takes to see it again. */
export interface FuzzFailure {
  readonly target: string;
  readonly seed: number;
  readonly iteration: number;
  readonly problem: string;
  readonly input: FuzzInput;
}

/** An input as one line that can be pasted into a test. */
export function printInput(input: FuzzInput): string {
  if (input instanceof Uint8Array) return `Buffer.from("${Buffer.from(input).toString("hex")}", "hex")`;
  return JSON.stringify(input, (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)) ?? "";
}
