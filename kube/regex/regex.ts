// Regular expressions with the syntax of Go's RE2, in time linear in the text whatever the expression.
import { isWord, type Test } from "./classes.ts";
import { type Assertion, parseRegex, RegexError, type Tree } from "./syntax.ts";

const MAX_STATES = 20_000;
/** Sets of states that are remembered before all are forgotten. */
const MAX_REMEMBERED = 1000;
const MAX_CACHED = 500;

type State =
  | { readonly type: "test"; readonly test: Test; next: number }
  | { readonly type: "split"; next: number; other: number }
  | { readonly type: "assert"; readonly assertion: Assertion; next: number }
  | { readonly type: "match" };

/** What stands before and after a position. -1: nothing. */
interface Surroundings {
  readonly before: number;
  readonly after: number;
}

const cache = new Map<string, Regex | RegexError>();

/** The compiled expression, or what is wrong with it. Remembers the answers of the last few hundred. */
export function compileRegex(pattern: string): Regex | RegexError {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const regex = tryCompile(pattern);
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(pattern, regex);
  return regex;
}

function tryCompile(pattern: string): Regex | RegexError {
  try {
    return new Regex(pattern, parseRegex(pattern));
  } catch (error) {
    if (error instanceof RegexError) return error;
    throw error;
  }
}

/** Ends a search by throwing when its time is over: searches for all matches may take quadratic time. */
export interface TimeWatch {
  checkTime(): void;
}

/** Characters read between two looks at the clock. */
const CHECK_EVERY = 256;

/** States that are possible after some text, in the order in which they are preferred. */
interface Group {
  readonly states: readonly number[];
  readonly matches: boolean;
  readonly next: Map<number, Group>;
}

export class Regex {
  readonly #states: State[] = [];
  readonly #start: number;
  /** No state looks at what is before or after it: then steps can be remembered. */
  #plain = true;
  #groups = new Map<string, Group>();
  /** Where a search in a text begins. */
  #first: Group | undefined;
  #read = 0;

  constructor(pattern: string, tree: Tree) {
    const match = this.#push({ type: "match" }, pattern);
    this.#start = this.#add(tree, match, pattern);
  }

  #push(state: State, pattern: string): number {
    if (this.#states.length >= MAX_STATES) throw new RegexError("expression too large", pattern);
    if (state.type === "assert" && state.assertion !== "text-start" && state.assertion !== "text-end")
      this.#plain = false;
    return this.#states.push(state) - 1;
  }

  /** Adds the states of a tree that lead on to `next`; answers the first of them. */
  #add(tree: Tree, next: number, pattern: string): number {
    switch (tree.type) {
      case "empty":
        return next;
      case "test":
        return this.#push({ type: "test", test: tree.test, next }, pattern);
      case "assert":
        return this.#push({ type: "assert", assertion: tree.assertion, next }, pattern);
      case "sequence":
        return tree.items.reduceRight((following, item) => this.#add(item, following, pattern), next);
      case "choice":
        return tree.items
          .map((item) => this.#add(item, next, pattern))
          .reduceRight((other, first) => this.#push({ type: "split", next: first, other }, pattern));
      case "repeat":
        return this.#repeat(tree, next, pattern);
    }
  }

  #repeat(tree: Tree & { type: "repeat" }, next: number, pattern: string): number {
    const { item, min, max, lazy } = tree;
    let following = next;
    const split = (first: number): State =>
      lazy ? { type: "split", next, other: first } : { type: "split", next: first, other: next };
    if (max === Number.POSITIVE_INFINITY) {
      const loop: State = { type: "split", next, other: next };
      following = this.#push(loop, pattern);
      const first = this.#add(item, following, pattern);
      if (lazy) loop.other = first;
      else loop.next = first;
    } else {
      for (let count = min; count < max; count++)
        following = this.#push(split(this.#add(item, following, pattern)), pattern);
    }
    for (let count = 0; count < min; count++) following = this.#add(item, following, pattern);
    return following;
  }

  /** The states reached without reading, in order of preference. */
  #close(from: readonly number[], around: Surroundings): number[] {
    const seen = new Set<number>();
    const out: number[] = [];
    const pending = [...from].reverse();
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const state = this.#states[index]!;
      if (state.type === "split") pending.push(state.other, state.next);
      else if (state.type === "assert") {
        if (holds(state.assertion, around)) pending.push(state.next);
      } else out.push(index);
    }
    return out;
  }

  #countCharacter(watch: TimeWatch | undefined): void {
    this.#read += 1;
    if (this.#read % CHECK_EVERY === 0) watch?.checkTime();
  }

  /** Whether the expression is found anywhere in the text. */
  test(text: string, watch?: TimeWatch): boolean {
    return this.#plain ? this.#testPlain(text, true, watch) : this.find(text, 0, watch) !== undefined;
  }

  /** Whether the expression is the text as a whole. */
  matchesWhole(text: string): boolean {
    if (this.#plain) return this.#testPlain(text, false);
    let current = this.#close([this.#start], { before: -1, after: codeAt(text, 0) });
    for (let at = 0; at < text.length; ) {
      const code = codeAt(text, at);
      at += code > 0xffff ? 2 : 1;
      current = this.#close(this.#step(current, code), { before: code, after: codeAt(text, at) });
      if (current.length === 0) return false;
    }
    return current.some((index) => this.#states[index]!.type === "match");
  }

  #step(current: readonly number[], code: number): number[] {
    const next: number[] = [];
    for (const index of current) {
      const state = this.#states[index]!;
      if (state.type === "test" && state.test(code)) next.push(state.next);
    }
    return next;
  }

  #testPlain(text: string, anywhere: boolean, watch?: TimeWatch): boolean {
    let group = this.#firstGroup(anywhere, text.length === 0);
    if (anywhere && group.matches) return true;
    for (let at = 0; at < text.length; ) {
      this.#countCharacter(watch);
      const code = codeAt(text, at);
      at += code > 0xffff ? 2 : 1;
      const isLast = at >= text.length;
      const key = isLast ? -1 - code : code;
      let next = group.next.get(key);
      if (next === undefined) {
        const states = this.#step(group.states, code);
        if (anywhere) states.push(this.#start);
        next = this.#group(states, anywhere, false, isLast);
        if (group.next.size < MAX_REMEMBERED) group.next.set(key, next);
      }
      group = next;
      if (anywhere && group.matches) return true;
      if (group.states.length === 0) return false;
    }
    return group.matches;
  }

  #firstGroup(anywhere: boolean, isEnd: boolean): Group {
    if (!anywhere || isEnd) return this.#group([this.#start], anywhere, true, isEnd);
    this.#first ??= this.#group([this.#start], true, true, false);
    return this.#first;
  }

  #group(from: readonly number[], anywhere: boolean, isStart: boolean, isEnd: boolean): Group {
    const states = this.#close(from, { before: isStart ? -1 : 0, after: isEnd ? -1 : 0 });
    const key = `${anywhere ? "a" : "w"}${isEnd ? "e" : ""}${states.join()}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const matches = states.some((index) => this.#states[index]!.type === "match");
    const group: Group = { states, matches, next: new Map() };
    if (this.#groups.size >= MAX_REMEMBERED) this.#groups = new Map();
    this.#groups.set(key, group);
    return group;
  }

  /** The first match at or after `from`, as Perl and Go prefer it: the leftmost, then by the order of alternatives. */
  find(text: string, from = 0, watch?: TimeWatch): { readonly start: number; readonly end: number } | undefined {
    let threads: { index: number; start: number }[] = [];
    let best: { start: number; end: number } | undefined;
    for (let at = from; ; ) {
      this.#countCharacter(watch);
      const code = codeAt(text, at);
      const around = { before: codeBefore(text, at), after: code };
      const starts = [...threads, ...(best === undefined ? [{ index: this.#start, start: at }] : [])];
      const closed = this.#closeThreads(starts, around);
      threads = [];
      for (const thread of closed) {
        const state = this.#states[thread.index]!;
        if (state.type === "match") {
          best = { start: thread.start, end: at };
          // Threads after this one are less preferred.
          break;
        }
        if (state.type === "test" && code >= 0 && state.test(code)) {
          threads.push({ index: state.next, start: thread.start });
        }
      }
      if (code < 0 || (best !== undefined && threads.length === 0)) return best;
      at += code > 0xffff ? 2 : 1;
    }
  }

  #closeThreads(from: readonly { index: number; start: number }[], around: Surroundings) {
    const seen = new Set<number>();
    const out: { index: number; start: number }[] = [];
    for (const { index, start } of from) {
      const pending = [index];
      for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
        if (seen.has(each)) continue;
        seen.add(each);
        const state = this.#states[each]!;
        if (state.type === "split") pending.push(state.other, state.next);
        else if (state.type === "assert") {
          if (holds(state.assertion, around)) pending.push(state.next);
        } else out.push({ index: each, start });
      }
    }
    return out;
  }

  /** All matches that do not overlap, at most `limit` of them when it is not negative. */
  findAll(text: string, limit = -1, watch?: TimeWatch): string[] {
    const found: string[] = [];
    let lastEnd = -1;
    for (let at = 0; at <= text.length && (limit < 0 || found.length < limit); ) {
      const match = this.find(text, at, watch);
      if (match === undefined) break;
      // An empty match right after another does not count.
      if (match.end > match.start || match.start !== lastEnd) found.push(text.slice(match.start, match.end));
      lastEnd = match.end;
      const step = codeAt(text, match.end) > 0xffff ? 2 : 1;
      at = match.end > match.start ? match.end : match.end + step;
    }
    return found;
  }
}

function codeAt(text: string, at: number): number {
  return text.codePointAt(at) ?? -1;
}

function codeBefore(text: string, at: number): number {
  if (at === 0) return -1;
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit < 0xe000 && at > 1 ? text.codePointAt(at - 2)! : unit;
}

function holds(assertion: Assertion, { before, after }: Surroundings): boolean {
  switch (assertion) {
    case "text-start":
      return before < 0;
    case "text-end":
      return after < 0;
    case "line-start":
      return before < 0 || before === 10;
    case "line-end":
      return after < 0 || after === 10;
    case "boundary":
    case "inside":
      return ((before >= 0 && isWord(before)) !== (after >= 0 && isWord(after))) === (assertion === "boundary");
  }
}
