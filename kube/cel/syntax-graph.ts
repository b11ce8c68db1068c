// The grammar as a graph of states. Reference parsers are driven by such graphs, and what they say of errors follows
// from the states: which words they expect, and where they go on.
import type { TokenType } from "./lexer.ts";

export type StateKind = "basic" | "block-start" | "star-entry" | "star-back" | "plus-start" | "plus-back" | "rule-stop";

export interface Edge {
  readonly to: State;
  /** Words that are read along the edge; absent for edges that read nothing. */
  readonly tokens?: ReadonlySet<TokenType>;
  /** The rule that is called along the edge. */
  readonly call?: { readonly rule: Rule; readonly precedence: number };
  /** The edge is open only to calls of at most this precedence. */
  readonly predicate?: number;
}

export interface State {
  readonly id: number;
  readonly kind: StateKind;
  readonly edges: Edge[];
}

/** How a rule is worked through. */
export type Element =
  | { readonly type: "token"; readonly state: State; readonly tokens: ReadonlySet<TokenType> }
  | { readonly type: "call"; readonly state: State; readonly rule: Rule; readonly precedence: number }
  | {
      readonly type: "optional";
      readonly state: State;
      readonly first: ReadonlySet<TokenType>;
      readonly body: Element[];
    }
  | { readonly type: "choice"; readonly state: State; readonly bodies: readonly Element[][] }
  | {
      readonly type: "star" | "plus";
      readonly state: State;
      readonly back: State;
      readonly body: Element[];
      readonly predicts: boolean;
      readonly first: ReadonlySet<TokenType>;
    };

export class Rule {
  readonly name: string;
  readonly start: State;
  readonly stop: State;
  body: Element[] = [];
  /** Where calls of the rule go on. */
  readonly follows: State[] = [];

  constructor(name: string) {
    this.name = name;
    this.start = newState("basic");
    this.stop = newState("rule-stop");
  }
}

let states = 0;

function newState(kind: StateKind): State {
  states += 1;
  return { id: states, kind, edges: [] };
}

/** A piece of grammar: makes its states between two given ones. */
type Piece = (from: State, to: State) => Element[];

function tokens(...types: readonly TokenType[]): Piece {
  const set = new Set(types);
  return (from, to) => {
    from.edges.push({ to, tokens: set });
    return [{ type: "token", state: from, tokens: set }];
  };
}

function call(rule: Rule, precedence = 0): Piece {
  return (from, to) => {
    from.edges.push({ to, call: { rule, precedence } });
    rule.follows.push(to);
    return [{ type: "call", state: from, rule, precedence }];
  };
}

function sequence(...pieces: readonly Piece[]): Piece {
  return (from, to) => {
    const elements: Element[] = [];
    let state = from;
    for (const [index, piece] of pieces.entries()) {
      const next = index === pieces.length - 1 ? to : newState("basic");
      elements.push(...piece(state, next));
      state = next;
    }
    return elements;
  };
}

/** Opens only to calls of at most the precedence. */
function guarded(predicate: number, piece: Piece): Piece {
  return (from, to) => {
    const inside = newState("basic");
    from.edges.push({ to: inside, predicate });
    return piece(inside, to);
  };
}

/** Blocks begin in a state of their own. */
function optional(first: readonly TokenType[], piece: Piece): Piece {
  return (from, to) => {
    const state = newState("block-start");
    from.edges.push({ to: state });
    const inside = newState("basic");
    state.edges.push({ to: inside }, { to });
    return [{ type: "optional", state, first: new Set(first), body: piece(inside, to) }];
  };
}

function choice(...pieces: readonly Piece[]): Piece {
  return (from, to) => {
    const state = newState("block-start");
    from.edges.push({ to: state });
    const bodies = pieces.map((piece) => {
      const inside = newState("basic");
      state.edges.push({ to: inside });
      return piece(inside, to);
    });
    return [{ type: "choice", state, bodies }];
  };
}

/** `predicts`: one word is not enough to tell whether the loop goes on. */
function star(predicts: boolean, first: readonly TokenType[], piece: Piece): Piece {
  return (from, to) => {
    const state = newState("star-entry");
    const back = newState("star-back");
    const inside = newState("basic");
    from.edges.push({ to: state });
    state.edges.push({ to: inside }, { to });
    back.edges.push({ to: state });
    return [{ type: "star", state, back, predicts, first: new Set(first), body: piece(inside, back) }];
  };
}

function plus(predicts: boolean, first: readonly TokenType[], piece: Piece): Piece {
  return (from, to) => {
    const state = newState("plus-start");
    const back = newState("plus-back");
    from.edges.push({ to: state });
    back.edges.push({ to: state }, { to });
    const inside = newState("basic");
    state.edges.push({ to: inside });
    return [{ type: "plus", state, back, predicts, first: new Set(first), body: piece(inside, back) }];
  };
}

function define(rule: Rule, piece: Piece): void {
  rule.body = piece(rule.start, rule.stop);
}

const EXPR_START: readonly TokenType[] = [
  "[",
  "{",
  "(",
  ".",
  "-",
  "!",
  "true",
  "false",
  "null",
  "NUM_FLOAT",
  "NUM_INT",
  "NUM_UINT",
  "STRING",
  "BYTES",
  "IDENTIFIER",
];
const NAMES: readonly TokenType[] = ["IDENTIFIER", "ESC_IDENTIFIER"];

function buildGrammar(): Rule {
  const rule = (name: string): Rule => new Rule(name);
  const start = rule("start");
  const expr = rule("expr");
  const or = rule("conditionalOr");
  const and = rule("conditionalAnd");
  const relation = rule("relation");
  const calc = rule("calc");
  const unary = rule("unary");
  const member = rule("member");
  const primary = rule("primary");
  const exprList = rule("exprList");
  const listInit = rule("listInit");
  const fieldInits = rule("fieldInitializerList");
  const optField = rule("optField");
  const mapInits = rule("mapInitializerList");
  const escapeIdent = rule("escapeIdent");
  const optExpr = rule("optExpr");
  const literal = rule("literal");
  const comma = optional([","], tokens(","));
  const dot = optional(["."], tokens("."));
  const question = optional(["?"], tokens("?"));
  const minus = optional(["-"], tokens("-"));

  define(start, sequence(call(expr), tokens("EOF")));
  define(expr, sequence(call(or), optional(["?"], sequence(tokens("?"), call(or), tokens(":"), call(expr)))));
  define(or, sequence(call(and), star(false, ["||"], sequence(tokens("||"), call(and)))));
  define(and, sequence(call(relation), star(false, ["&&"], sequence(tokens("&&"), call(relation)))));
  const relationSign = tokens("<", "<=", ">=", ">", "==", "!=", "in");
  define(relation, sequence(call(calc), star(true, [], guarded(1, sequence(relationSign, call(relation, 2))))));
  const product = guarded(2, sequence(tokens("*", "/", "%"), call(calc, 3)));
  const sum = guarded(1, sequence(tokens("+", "-"), call(calc, 2)));
  define(calc, sequence(call(unary), star(true, [], choice(product, sum))));
  define(
    unary,
    choice(
      call(member),
      sequence(plus(false, ["!"], tokens("!")), call(member)),
      sequence(plus(true, ["-"], tokens("-")), call(member)),
    ),
  );
  const args = optional(EXPR_START, call(exprList));
  const select = guarded(3, sequence(tokens("."), question, call(escapeIdent)));
  const memberCall = guarded(2, sequence(tokens("."), tokens("IDENTIFIER"), tokens("("), args, tokens(")")));
  const index = guarded(1, sequence(tokens("["), question, call(expr), tokens("]")));
  define(member, sequence(call(primary), star(true, [], choice(select, memberCall, index))));
  const dotted = star(false, ["."], sequence(tokens("."), tokens("IDENTIFIER")));
  const items = optional(["?", ...EXPR_START], call(listInit));
  const entries = optional(["?", ...EXPR_START], call(mapInits));
  const fields = optional(["?", ...NAMES], call(fieldInits));
  define(
    primary,
    choice(
      sequence(dot, tokens("IDENTIFIER")),
      sequence(dot, tokens("IDENTIFIER"), tokens("("), args, tokens(")")),
      sequence(tokens("("), call(expr), tokens(")")),
      sequence(tokens("["), items, comma, tokens("]")),
      sequence(tokens("{"), entries, comma, tokens("}")),
      sequence(dot, tokens("IDENTIFIER"), dotted, tokens("{"), fields, comma, tokens("}")),
      call(literal),
    ),
  );
  define(exprList, sequence(call(expr), star(false, [","], sequence(tokens(","), call(expr)))));
  define(listInit, sequence(call(optExpr), star(true, [], sequence(tokens(","), call(optExpr)))));
  const field = (): Piece => sequence(call(optField), tokens(":"), call(expr));
  define(fieldInits, sequence(field(), star(true, [], sequence(tokens(","), field()))));
  define(optField, sequence(question, call(escapeIdent)));
  const entry = (): Piece => sequence(call(optExpr), tokens(":"), call(expr));
  define(mapInits, sequence(entry(), star(true, [], sequence(tokens(","), entry()))));
  define(escapeIdent, choice(tokens("IDENTIFIER"), tokens("ESC_IDENTIFIER")));
  define(optExpr, sequence(question, call(expr)));
  define(
    literal,
    choice(
      sequence(minus, tokens("NUM_INT")),
      tokens("NUM_UINT"),
      sequence(minus, tokens("NUM_FLOAT")),
      tokens("STRING"),
      tokens("BYTES"),
      tokens("true"),
      tokens("false"),
      tokens("null"),
    ),
  );
  return start;
}

let grammar: Rule | undefined;

/** The rule of whole expressions. */
export function expressionGrammar(): Rule {
  grammar ??= buildGrammar();
  return grammar;
}
