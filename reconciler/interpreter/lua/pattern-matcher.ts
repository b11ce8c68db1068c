import { type Pattern, PatternError, type PatternItem, parsePattern } from "./pattern-parser.ts";
import { LuaLimitThrow, type Runtime } from "./runtime.ts";
import type { LuaValue } from "./values.ts";

/** Where a pattern matched, in bytes from 0, `end` behind the last; `captures` are strings or positions from 1. */
export interface PatternMatch {
  readonly start: number;
  readonly end: number;
  readonly captures: readonly LuaValue[];
}

/** Trials that count as one step: a byte is looked at much faster than a statement runs. */
const TRIALS_PER_STEP = 4;
const MAX_RECURSION = 1_000;
const CACHED_PATTERNS = 256;
const cache = new Map<string, Pattern>();

/** The first match in `subject` at or behind `from`. Throws the script's error for a malformed pattern. */
export function findPattern(subject: string, source: string, from: number, runtime: Runtime): PatternMatch | undefined {
  return findPatterns(subject, source, from, 1, runtime)[0];
}

/** The matches from left to right, at most `limit`. */
export function findPatterns(
  subject: string,
  source: string,
  from: number,
  limit: number,
  runtime: Runtime,
): readonly PatternMatch[] {
  try {
    const pattern = parsed(source, runtime);
    const matcher = new Matcher(subject, pattern, runtime);
    const matches: PatternMatch[] = [];
    for (let start = from; start <= subject.length; ) {
      const end = matcher.match(start);
      const next = start + 1;
      if (end === undefined) {
        start = next;
      } else {
        runtime.allocate(64);
        matches.push({ start, end, captures: matcher.captures() });
        start = Math.max(next, end);
      }
      if (matches.length === limit || pattern.atStart) break;
    }
    return matches;
  } catch (error) {
    if (error instanceof PatternError) throw runtime.error(error.message);
    throw error;
  }
}

function parsed(source: string, runtime: Runtime): Pattern {
  // Counted whether it is known or not: what a script may do depends on nothing outside of it.
  runtime.take(source.length >> 2);
  runtime.allocate(source.length * 16);
  const known = cache.get(source);
  if (known !== undefined) return known;
  const pattern = parsePattern(source);
  if (source.length <= 64) {
    if (cache.size >= CACHED_PATTERNS) cache.clear();
    cache.set(source, pattern);
  }
  return pattern;
}

/** Tries a pattern at places of one subject. It goes back and tries again as patterns must, and counts every trial. */
class Matcher {
  readonly #subject: string;
  readonly #items: readonly PatternItem[];
  readonly #pattern: Pattern;
  readonly #runtime: Runtime;
  readonly #starts: number[];
  /** The end of a capture; -1 while it is open, -2 for a position. */
  readonly #ends: number[];
  #trials = 0;
  #recursion = 0;

  constructor(subject: string, pattern: Pattern, runtime: Runtime) {
    this.#subject = subject;
    this.#items = pattern.items;
    this.#pattern = pattern;
    this.#runtime = runtime;
    this.#starts = new Array<number>(pattern.captures).fill(-1);
    this.#ends = new Array<number>(pattern.captures).fill(-1);
  }

  /** The end of a match that starts at `start`. */
  match(start: number): number | undefined {
    this.#starts.fill(-1);
    this.#ends.fill(-1);
    return this.#from(0, start);
  }

  captures(): readonly LuaValue[] {
    return this.#starts.map((start, capture) => {
      const end = this.#ends[capture] ?? -1;
      return end === -2 ? start + 1 : this.#subject.slice(start, end);
    });
  }

  #from(first: number, from: number): number | undefined {
    const items = this.#items;
    const subject = this.#subject;
    let at = from;
    for (let index = first; index < items.length; index++) {
      this.#count();
      const item = items[index]!;
      switch (item.type) {
        case "byte":
          if (at >= subject.length || !item.test(subject.charCodeAt(at))) return undefined;
          at++;
          break;
        case "repeat":
          return this.#repeat(item, index + 1, at);
        case "open": {
          this.#starts[item.capture] = at;
          this.#ends[item.capture] = -1;
          break;
        }
        case "close": {
          // What follows may fail and come back with another end.
          this.#ends[item.capture] = at;
          break;
        }
        case "position":
          this.#starts[item.capture] = at;
          this.#ends[item.capture] = -2;
          break;
        case "back-reference": {
          const length = this.#sameAs(item.capture, at);
          if (length === undefined) return undefined;
          at += length;
          break;
        }
        case "balanced": {
          const end = this.#balanced(item.open, item.close, at);
          if (end === undefined) return undefined;
          at = end;
          break;
        }
      }
    }
    return this.#pattern.atEnd && at < subject.length ? undefined : at;
  }

  #repeat(item: Extract<PatternItem, { type: "repeat" }>, next: number, from: number): number | undefined {
    if (++this.#recursion > MAX_RECURSION) throw new LuaLimitThrow("depth", this.#runtime.line);
    const end = item.mode === "-" ? this.#fewest(item, next, from) : this.#most(item, next, from);
    this.#recursion--;
    return end;
  }

  #most({ test, mode }: Extract<PatternItem, { type: "repeat" }>, next: number, from: number): number | undefined {
    const subject = this.#subject;
    const least = mode === "+" ? from + 1 : from;
    const limit = mode === "?" ? Math.min(from + 1, subject.length) : subject.length;
    let at = from;
    while (at < limit && test(subject.charCodeAt(at))) {
      this.#count();
      at++;
    }
    for (; at >= least; at--) {
      const end = this.#from(next, at);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  #fewest({ test }: Extract<PatternItem, { type: "repeat" }>, next: number, from: number): number | undefined {
    const subject = this.#subject;
    for (let at = from; ; at++) {
      const end = this.#from(next, at);
      if (end !== undefined) return end;
      this.#count();
      if (at >= subject.length || !test(subject.charCodeAt(at))) return undefined;
    }
  }

  #sameAs(capture: number, at: number): number | undefined {
    const start = this.#starts[capture] ?? -1;
    const end = this.#ends[capture] ?? -1;
    if (start < 0 || end === -1) throw new PatternError("invalid capture index");
    if (end === -2) return 0;
    this.#runtime.take((end - start) >> 6);
    return this.#subject.startsWith(this.#subject.slice(start, end), at) ? end - start : undefined;
  }

  #balanced(open: number, close: number, from: number): number | undefined {
    const subject = this.#subject;
    if (from >= subject.length || subject.charCodeAt(from) !== open) return undefined;
    let depth = 1;
    for (let at = from + 1; at < subject.length; at++) {
      this.#count();
      const byte = subject.charCodeAt(at);
      if (byte === close && --depth === 0) return at + 1;
      if (byte === open) depth++;
    }
    return undefined;
  }

  #count(): void {
    if (++this.#trials % TRIALS_PER_STEP === 0) this.#runtime.take(1);
  }
}
