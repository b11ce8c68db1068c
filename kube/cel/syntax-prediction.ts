// Which way a reference parser takes where one word does not tell: all ways at once, until one is left.
import type { Token } from "./lexer.ts";
import type { State } from "./syntax-graph.ts";

/** Where a rule goes on when it ends, innermost first. */
export interface Stack {
  readonly follow: State;
  readonly parent: Stack | undefined;
  readonly key: string;
}

export function pushed(follow: State, parent: Stack | undefined): Stack {
  return { follow, parent, key: `${follow.id},${parent?.key ?? ""}` };
}

interface Config {
  readonly state: State;
  readonly way: number;
  readonly stack: Stack | undefined;
  /** Rules deep within the one that decides; below zero outside of it. */
  readonly depth: number;
  readonly leftRule: boolean;
}

/** No way goes on at the word with this index. */
export class NoWay {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** The words from `at` on, the precedence of the rule that decides, and what follows it if that counts. */
interface Situation {
  readonly tokens: readonly Token[];
  readonly at: number;
  readonly precedence: number;
  readonly stack: Stack | undefined;
  /** Whether what follows the rule is known; otherwise it may be whatever follows it anywhere. */
  readonly exact: boolean;
  readonly followsOf: (stop: State) => readonly State[];
}

/** The index of the edge of `decision` to take. Throws `NoWay`. */
export function predict(decision: State, situation: Omit<Situation, "exact">): number {
  const way = simulate(decision, { ...situation, exact: false });
  return way ?? simulate(decision, { ...situation, exact: true }) ?? 0;
}

/** Undefined when several ways read the same words: only what follows the rule can tell. */
function simulate(decision: State, situation: Situation): number | undefined {
  const stack = situation.exact ? situation.stack : undefined;
  const first = decision.edges.map((edge, way) => ({ state: edge.to, way, stack, depth: 0, leftRule: false }));
  let configs = close(first, situation);
  for (let index = situation.at; ; index++) {
    const { type } = situation.tokens[Math.min(index, situation.tokens.length - 1)]!;
    const moved: Config[] = [];
    for (const config of configs) {
      for (const edge of config.state.edges) {
        if (edge.tokens?.has(type) === true) moved.push({ ...config, state: edge.to });
      }
    }
    const next = close(moved, situation);
    if (next.length === 0) {
      // A way that has ended the rule is valid as far as the rule goes.
      const ended = configs.filter((config) => config.leftRule || config.state.kind === "rule-stop");
      if (ended.length === 0) throw new NoWay(index);
      return Math.min(...ended.map(({ way }) => way));
    }
    const ways = new Set(next.map(({ way }) => way));
    if (ways.size === 1) return next[0]!.way;
    if (isUndecidable(next)) return situation.exact ? Math.min(...ways) : undefined;
    if (type === "EOF") return Math.min(...ways);
    configs = next;
  }
}

/** Whether every state is reached by several ways. */
function isUndecidable(configs: readonly Config[]): boolean {
  const ways = new Map<string, Set<number>>();
  for (const { state, stack, way } of configs) {
    const key = `${state.id}:${stack?.key ?? ""}`;
    const known = ways.get(key);
    if (known === undefined) ways.set(key, new Set([way]));
    else known.add(way);
  }
  return [...ways.values()].every((set) => set.size > 1);
}

/** The states reached without reading. */
function close(from: readonly Config[], situation: Situation): Config[] {
  const seen = new Set<string>();
  const out: Config[] = [];
  const pending = [...from].reverse();
  for (let config = pending.pop(); config !== undefined; config = pending.pop()) {
    const key = `${config.state.id}:${config.way}:${config.stack?.key ?? ""}:${config.leftRule}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (config.state.kind === "rule-stop") {
      const after = ends(config, situation);
      if (after.length === 0) out.push(config);
      pending.push(...after);
      continue;
    }
    if (config.state.edges.some((edge) => edge.tokens !== undefined)) out.push(config);
    for (const edge of config.state.edges) {
      if (edge.tokens !== undefined) continue;
      const { call, predicate } = edge;
      if (predicate !== undefined && config.depth === 0 && predicate < situation.precedence) continue;
      pending.push(
        call === undefined
          ? { ...config, state: edge.to }
          : { ...config, state: call.rule.start, stack: pushed(edge.to, config.stack), depth: config.depth + 1 },
      );
    }
  }
  return out;
}

/** Where a way goes on that has come to the end of a rule. */
function ends(config: Config, situation: Situation): Config[] {
  const { stack } = config;
  const depth = config.depth - 1;
  const leftRule = config.leftRule || depth < 0;
  if (stack !== undefined) return [{ ...config, state: stack.follow, stack: stack.parent, depth, leftRule }];
  if (situation.exact) return [];
  return situation.followsOf(config.state).map((state) => ({ ...config, state, depth, leftRule: true }));
}
