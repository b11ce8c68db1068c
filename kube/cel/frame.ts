// The state of one evaluation, and its limits.
import type { TimeWatch } from "../regex/regex.ts";
import { type EvaluationFailure, fail, type Value } from "./values.ts";

/** Computes one part of an expression. */
export type Step = (frame: Frame) => Value;

/** Ends the evaluation as a whole: neither `&&` nor a loop may go on after it. */
export class Interrupted {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export const COST_EXCEEDED = "operation cancelled: actual cost limit exceeded";
const TIME_EXCEEDED = "operation interrupted";
/** Iterations between two looks at the clock, as the reference. */
const CHECK_EVERY = 100;

/** Answers whether the time that is given has run out. */
export type TimeCheck = () => boolean;

export class Frame implements TimeWatch {
  /** Variables of loops and their accumulators; a failure is kept until it is read. */
  readonly slots: (Value | EvaluationFailure)[] = [];
  readonly limit: number;
  cost = 0;
  ticks = 0;
  readonly isOver: TimeCheck | undefined;
  readonly #variables: Readonly<Record<string, Value | undefined>>;

  constructor(variables: Readonly<Record<string, Value | undefined>>, limit: number, isOver: TimeCheck | undefined) {
    this.#variables = variables;
    this.limit = limit;
    this.isOver = isOver;
  }

  /** Ends the evaluation when its time has run out. */
  checkTime(): void {
    if (this.isOver?.() === true) throw new Interrupted(TIME_EXCEEDED);
  }

  variable(name: string): Value {
    const value = this.#variables[name];
    return value === undefined ? fail(`no such attribute(s): ${name}`) : value;
  }
}

/** Adds to the cost; ends the evaluation when it grows beyond the limit. */
export function charge(frame: Frame, cost: number): void {
  frame.cost += cost;
  if (frame.cost > frame.limit) throw new Interrupted(COST_EXCEEDED);
}

/** One round of a loop. */
export function tick(frame: Frame): void {
  frame.ticks += 1;
  if (frame.ticks % CHECK_EVERY === 0) frame.checkTime();
}
