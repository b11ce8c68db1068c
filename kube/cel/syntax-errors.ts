// What is wrong with a text that does not parse, in the words of the reference's parser. It goes on after an error, as
// that parser does, by leaving out or making up single words or by skipping to where a rule around goes on.
import { escapeSpaces, type Token, type TokenType } from "./lexer.ts";
import type { Issues } from "./source.ts";
import { type Element, expressionGrammar, type Rule, type State } from "./syntax-graph.ts";
import { NoWay, predict, pushed, type Stack } from "./syntax-prediction.ts";

/** More words than this are not explained. */
const MOST_TOKENS = 10_000;
const MAX_DEPTH = 250;
const MAX_RECOVERIES = 30;

/** The order in which expected words are listed. */
const ORDER: readonly TokenType[] = [
  "EOF",
  "==",
  "!=",
  "in",
  "<",
  "<=",
  ">=",
  ">",
  "&&",
  "||",
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  ".",
  ",",
  "-",
  "!",
  "?",
  ":",
  "+",
  "*",
  "/",
  "%",
  "true",
  "false",
  "null",
  "NUM_FLOAT",
  "NUM_INT",
  "NUM_UINT",
  "STRING",
  "BYTES",
  "IDENTIFIER",
  "ESC_IDENTIFIER",
];
const KINDS: ReadonlySet<TokenType> = new Set<TokenType>([
  "NUM_FLOAT",
  "NUM_INT",
  "NUM_UINT",
  "STRING",
  "BYTES",
  "IDENTIFIER",
  "ESC_IDENTIFIER",
]);

/** Ends the rule that is being worked through; the rule around goes on. */
class RuleFailure {
  readonly message: string;
  readonly token: Token;

  constructor(message: string, token: Token) {
    this.message = message;
    this.token = token;
  }
}

/** Ends the parser. */
class GaveUp {
  readonly message: string;
  readonly at: number;

  constructor(message: string, at: number) {
    this.message = message;
    this.at = at;
  }
}

/** Reports the errors of a text that does not parse. */
export function reportSyntaxErrors(tokens: readonly Token[], issues: Issues): void {
  if (tokens.length > MOST_TOKENS) {
    issues.report(-1, "expression has too many words to tell where it is wrong");
    return;
  }
  try {
    new Recovery(tokens, issues).run();
    if (issues.isEmpty) issues.report(-1, DEPTH_MESSAGE);
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error;
    issues.report(error.at, error.message);
  }
}

const DEPTH_MESSAGE = `expression recursion limit exceeded: ${MAX_DEPTH}`;

/** A call of a rule. `state` is where it was called. */
interface Call {
  readonly rule: Rule;
  readonly state: State | undefined;
  readonly precedence: number;
}

/** Words, and whether the end of the rule may come instead. */
interface Expected {
  readonly tokens: Set<TokenType>;
  end: boolean;
}

class Recovery {
  readonly #tokens: readonly Token[];
  readonly #issues: Issues;
  readonly #calls: Call[] = [];
  readonly #depths = new Map<Rule, number>();
  readonly #follows = new Map<State, readonly State[]>();
  #at = 0;
  #state: State;
  #recovering = false;
  #lastIndex = -1;
  #lastStates = new Set<State>();
  #recoveries = 0;

  constructor(tokens: readonly Token[], issues: Issues) {
    this.#tokens = tokens;
    this.#issues = issues;
    this.#state = expressionGrammar().start;
  }

  run(): void {
    this.#run(expressionGrammar(), undefined, 0);
  }

  #token(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  #consume(): void {
    if (this.#at < this.#tokens.length - 1) this.#at += 1;
  }

  #run(rule: Rule, state: State | undefined, precedence: number): void {
    const depth = (this.#depths.get(rule) ?? 0) + 1;
    if (depth > MAX_DEPTH) throw new GaveUp(DEPTH_MESSAGE, -1);
    this.#depths.set(rule, depth);
    this.#calls.push({ rule, state, precedence });
    this.#follows.set(rule.stop, rule.follows);
    try {
      this.#elements(rule.body);
    } catch (error) {
      if (!(error instanceof RuleFailure)) throw error;
      this.#report(error.message, error.token);
      this.#recover();
    }
    this.#calls.pop();
    this.#depths.set(rule, depth - 1);
  }

  #elements(elements: readonly Element[]): void {
    for (const element of elements) this.#element(element);
  }

  #element(element: Element): void {
    this.#state = element.state;
    switch (element.type) {
      case "token":
        this.#match(element.tokens);
        break;
      case "call":
        this.#run(element.rule, element.state, element.precedence);
        break;
      case "optional":
        this.#sync();
        if (element.first.has(this.#token().type)) this.#elements(element.body);
        break;
      case "choice":
        this.#sync();
        this.#elements(element.bodies[this.#predict(element.state)]!);
        break;
      case "star":
        this.#sync();
        while (this.#goesOn(element, element.state)) {
          this.#elements(element.body);
          this.#state = element.back;
          this.#sync();
        }
        break;
      case "plus":
        this.#sync();
        do {
          this.#elements(element.body);
          this.#state = element.back;
          this.#sync();
        } while (this.#goesOn(element, element.back));
        break;
    }
  }

  #goesOn(loop: Element & { type: "star" | "plus" }, decision: State): boolean {
    return loop.predicts ? this.#predict(decision) === 0 : loop.first.has(this.#token().type);
  }

  #predict(decision: State): number {
    const { precedence } = this.#calls.at(-1)!;
    let stack: Stack | undefined;
    for (const call of this.#calls) {
      const follow = call.state?.edges[0]?.to;
      if (follow !== undefined) stack = pushed(follow, stack);
    }
    try {
      const followsOf = (stop: State): readonly State[] => this.#follows.get(stop) ?? FOLLOWS.get(stop) ?? [];
      return predict(decision, { tokens: this.#tokens, at: this.#at, precedence, stack, followsOf });
    } catch (error) {
      if (!(error instanceof NoWay)) throw error;
      const first = this.#token();
      const last = Math.min(error.index, this.#tokens.length - 1);
      const offending = this.#tokens[last]!;
      const words = this.#tokens.slice(this.#at, last + 1).map(({ type, text, hidden }, index) => {
        return (index === 0 ? "" : hidden) + (type === "EOF" ? "" : text);
      });
      const input = first.type === "EOF" ? "<EOF>" : words.join("");
      throw new RuleFailure(`no viable alternative at input '${escapeSpaces(input)}'`, offending);
    }
  }

  #match(wanted: ReadonlySet<TokenType>): void {
    if (wanted.has(this.#token().type)) {
      this.#endRecovery();
      this.#consume();
      return;
    }
    this.#countRecovery();
    if (this.#deleteOne()) {
      this.#consume();
      return;
    }
    const next = this.#state.edges[0]!.to;
    if (this.#inContext(this.#expectedAt(next)).has(this.#token().type)) {
      const expected = this.#describe(this.#expected());
      this.#report(`missing ${expected} at ${show(this.#token())}`, this.#token());
      return;
    }
    throw this.#mismatch();
  }

  #mismatch(): RuleFailure {
    const token = this.#token();
    return new RuleFailure(`mismatched input ${show(token)} expecting ${this.#describe(this.#expected())}`, token);
  }

  /** Whether leaving out the present word helps. */
  #deleteOne(): boolean {
    if (!this.#expected().has(this.#token(1).type)) return false;
    this.#reportUnwanted();
    this.#consume();
    this.#endRecovery();
    return true;
  }

  #reportUnwanted(): void {
    const expected = this.#describe(this.#expected());
    this.#report(`extraneous input ${show(this.#token())} expecting ${expected}`, this.#token());
  }

  /** At the edges of blocks and loops: is the word one that can come here? */
  #sync(): void {
    if (this.#recovering) return;
    const state = this.#state;
    const next = this.#expectedAt(state);
    if (next.end || next.tokens.has(this.#token().type)) return;
    if (state.kind === "plus-back" || state.kind === "star-back") {
      this.#reportUnwanted();
      this.#consumeUntil(new Set([...this.#expected(), ...this.#recoverySet()]));
    } else if (!this.#deleteOne()) throw this.#mismatch();
  }

  #report(message: string, token: Token): void {
    if (this.#recovering) return;
    this.#recovering = true;
    // The reference's own correction of a misleading sentence.
    const word = /^no viable alternative at input '.(true|false|null)'$/.exec(message)?.[1];
    const text = word === undefined ? message : `mismatched input '${word}' expecting IDENTIFIER`;
    this.#issues.report(token.at, `Syntax error: ${text}`);
  }

  #endRecovery(): void {
    this.#recovering = false;
    this.#lastIndex = -1;
    this.#lastStates = new Set();
  }

  #countRecovery(): void {
    if (this.#recoveries === MAX_RECOVERIES) {
      throw new GaveUp(`Syntax error: error recovery attempt limit exceeded: ${MAX_RECOVERIES}`, this.#token().at);
    }
    this.#recoveries += 1;
  }

  #recover(): void {
    this.#countRecovery();
    if (this.#lastIndex === this.#at && this.#lastStates.has(this.#state)) this.#consume();
    this.#lastIndex = this.#at;
    this.#lastStates.add(this.#state);
    this.#consumeUntil(this.#recoverySet());
  }

  #consumeUntil(wanted: ReadonlySet<TokenType>): void {
    while (this.#token().type !== "EOF" && !wanted.has(this.#token().type)) this.#consume();
  }

  /** Words with which one of the rules around could go on. */
  #recoverySet(): Set<TokenType> {
    const set = new Set<TokenType>();
    for (const call of this.#calls) {
      const follow = call.state?.edges[0]?.to;
      if (follow === undefined) continue;
      for (const type of this.#expectedAt(follow).tokens) set.add(type);
    }
    return set;
  }

  /** Words that may come in a state, within its rule. */
  #expectedAt(state: State): Expected {
    const known = EXPECTED.get(state);
    if (known !== undefined) return known;
    const out: Expected = { tokens: new Set(), end: false };
    collectExpected(state, [], new Set(), out);
    EXPECTED.set(state, out);
    return out;
  }

  /** Words that may come in the present state, or after the rules that may end here. */
  #expected(): Set<TokenType> {
    return this.#inContext(this.#expectedAt(this.#state));
  }

  #inContext(first: Expected): Set<TokenType> {
    const tokens = new Set(first.tokens);
    let { end } = first;
    for (let index = this.#calls.length - 1; end && index >= 0; index--) {
      const follow = this.#calls[index]!.state?.edges[0]?.to;
      if (follow === undefined) break;
      const next = this.#expectedAt(follow);
      for (const type of next.tokens) tokens.add(type);
      end = next.end;
    }
    if (end) tokens.add("EOF");
    return tokens;
  }

  #describe(tokens: ReadonlySet<TokenType>): string {
    const names = ORDER.filter((type) => tokens.has(type)).map((type) => {
      if (type === "EOF") return "<EOF>";
      return KINDS.has(type) ? type : `'${type}'`;
    });
    return names.length === 1 ? names[0]! : `{${names.join(", ")}}`;
  }
}

const EXPECTED = new Map<State, Expected>();
const FOLLOWS = new Map<State, readonly State[]>();

/** `returns` are the states after the calls that were entered on the way. */
function collectExpected(state: State, returns: readonly State[], seen: Set<string>, out: Expected): void {
  const key = `${state.id}:${returns.map(({ id }) => id).join()}`;
  if (seen.has(key)) return;
  seen.add(key);
  if (state.kind === "rule-stop") {
    const back = returns.at(-1);
    if (back === undefined) out.end = true;
    else collectExpected(back, returns.slice(0, -1), seen, out);
    return;
  }
  for (const edge of state.edges) {
    if (edge.tokens !== undefined) for (const type of edge.tokens) out.tokens.add(type);
    else if (edge.call === undefined) collectExpected(edge.to, returns, seen, out);
    else {
      FOLLOWS.set(edge.call.rule.stop, edge.call.rule.follows);
      collectExpected(edge.call.rule.start, [...returns, edge.to], seen, out);
    }
  }
}

function show(token: Token): string {
  return `'${escapeSpaces(token.text)}'`;
}
