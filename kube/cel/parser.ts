// From text to syntax tree.
import { type Expr, type MapEntry, Nodes, OPERATORS, type StructField, TooLarge } from "./ast.ts";
import { type Token, type TokenType, tokenize } from "./lexer.ts";
import { bytesLiteral, intLiteral, stringLiteral, uintLiteral } from "./literals.ts";
import { expandMacro, MacroError } from "./macros.ts";
import { RESERVED_WORDS } from "./reserved-words.ts";
import { codePoints, Issues } from "./source.ts";
import { reportSyntaxErrors } from "./syntax-errors.ts";
import { CelUint, type Value } from "./values.ts";

/** Thrown at the first word that does not fit; what is told about it is worked out apart. */
class Misfit {}

const LONGEST_EXPRESSION = 100_000;
const MAX_DEPTH = 250;
const RELATIONS: ReadonlySet<TokenType> = new Set<TokenType>(["<", "<=", ">=", ">", "==", "!=", "in"]);

/** The tree of an expression, or undefined when `issues` tell what is wrong with it. */
export function parse(text: string, issues: Issues): Expr | undefined {
  const size = text.length > LONGEST_EXPRESSION ? codePoints(text) : text.length;
  if (size > LONGEST_EXPRESSION) {
    issues.report(-1, `expression code point size exceeds limit: size: ${size}, limit ${LONGEST_EXPRESSION}`);
    return undefined;
  }
  const tokens = tokenize(text, issues);
  try {
    const expr = new Parser(tokens, issues).parse();
    return issues.isEmpty ? expr : undefined;
  } catch (error) {
    if (error instanceof TooLarge) issues.report(-1, "expression is too large once its macros are expanded");
    else if (error instanceof Misfit) {
      // What the tree so far is wrong about does not count when there is no tree.
      const fresh = new Issues(text);
      reportSyntaxErrors(tokenize(text, fresh), fresh);
      issues.replaceBy(fresh);
    } else throw error;
    return undefined;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #issues: Issues;
  readonly #nodes = new Nodes();
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], issues: Issues) {
    this.#tokens = tokens;
    this.#issues = issues;
  }

  parse(): Expr {
    const expr = this.#expression();
    this.#expect("EOF");
    return expr;
  }

  #peek(ahead = 0): TokenType {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!.type;
  }

  #take(): Token {
    return this.#tokens[this.#next++]!;
  }

  #accept(type: TokenType): Token | undefined {
    return this.#peek() === type ? this.#take() : undefined;
  }

  #expect(type: TokenType): Token {
    const token = this.#accept(type);
    if (token === undefined) throw new Misfit();
    return token;
  }

  #expression(): Expr {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Misfit();
    const condition = this.#logic("||", () => this.#logic("&&", () => this.#relation()));
    const sign = this.#accept("?");
    let expr = condition;
    if (sign !== undefined) {
      const yes = this.#logic("||", () => this.#logic("&&", () => this.#relation()));
      this.#expect(":");
      expr = this.#call(sign.at, OPERATORS["?"], [condition, yes, this.#expression()]);
    }
    this.#depth -= 1;
    return expr;
  }

  /** Long chains become balanced trees, so that their depth is that of a logarithm. */
  #logic(sign: "&&" | "||", term: () => Expr): Expr {
    const terms = [term()];
    const places: number[] = [];
    for (let token = this.#accept(sign); token !== undefined; token = this.#accept(sign)) {
      places.push(token.at);
      terms.push(term());
    }
    if (places.length === 0) return terms[0]!;
    const tree = (low: number, high: number): Expr => {
      const middle = (low + high + 1) >> 1;
      const left = middle === low ? terms[middle]! : tree(low, middle - 1);
      const right = middle === high ? terms[middle + 1]! : tree(middle + 1, high);
      return this.#nodes.call(places[middle]!, OPERATORS[sign], [left, right]);
    };
    return tree(0, places.length - 1);
  }

  #relation(): Expr {
    let left = this.#sum();
    for (let depth = 0; RELATIONS.has(this.#peek()); depth++) {
      if (depth > MAX_DEPTH) throw new Misfit();
      const sign = this.#take();
      left = this.#call(sign.at, OPERATORS[sign.type as "<"], [left, this.#sum()]);
    }
    return left;
  }

  #sum(): Expr {
    return this.#chain(["+", "-"], () => this.#chain(["*", "/", "%"], () => this.#unary()));
  }

  #chain(signs: readonly ("+" | "-" | "*" | "/" | "%")[], operand: () => Expr): Expr {
    let left = operand();
    for (let depth = 0; ; depth++) {
      const sign = signs.find((each) => each === this.#peek());
      if (sign === undefined) return left;
      if (depth > MAX_DEPTH) throw new Misfit();
      left = this.#call(this.#take().at, OPERATORS[sign], [left, operand()]);
    }
  }

  #unary(): Expr {
    const sign = this.#peek();
    if (sign !== "!" && sign !== "-") return this.#member();
    const after = this.#peek(1);
    // A single minus before a number belongs to the number.
    if (sign === "-" && (after === "NUM_INT" || after === "NUM_FLOAT")) return this.#member();
    const first = this.#take();
    let count = 1;
    while (this.#accept(sign) !== undefined) count += 1;
    const operand = this.#member();
    return count % 2 === 0
      ? operand
      : this.#call(first.at, sign === "!" ? OPERATORS["!"] : OPERATORS.negate, [operand]);
  }

  #member(): Expr {
    let expr = this.#primary();
    for (let depth = 0; ; depth++) {
      if (depth > MAX_DEPTH) throw new Misfit();
      const dot = this.#accept(".");
      if (dot !== undefined) {
        expr = this.#select(dot, expr);
        continue;
      }
      const bracket = this.#accept("[");
      if (bracket === undefined) return expr;
      const optional = this.#accept("?") !== undefined;
      const index = this.#expression();
      this.#expect("]");
      expr = this.#call(bracket.at, optional ? OPERATORS.optIndex : OPERATORS.index, [expr, index]);
    }
  }

  #select(dot: Token, operand: Expr): Expr {
    const optional = this.#accept("?") !== undefined;
    const name = this.#accept("ESC_IDENTIFIER") ?? this.#expect("IDENTIFIER");
    const open = optional || name.type !== "IDENTIFIER" ? undefined : this.#accept("(");
    if (open !== undefined) return this.#call(open.at, name.text, this.#items(")"), operand);
    if (name.type === "ESC_IDENTIFIER") this.#issues.report(name.at, "unsupported syntax: '`'");
    if (!optional) return this.#nodes.select(dot.at, operand, name.text);
    return this.#nodes.call(dot.at, OPERATORS.optSelect, [operand, this.#nodes.literal(name.at, name.text)]);
  }

  #items(end: ")"): Expr[] {
    const items: Expr[] = [];
    if (this.#accept(end) !== undefined) return items;
    do items.push(this.#expression());
    while (this.#accept(",") !== undefined);
    this.#expect(end);
    return items;
  }

  #primary(): Expr {
    const type = this.#peek();
    if (type === "(") {
      this.#take();
      const expr = this.#expression();
      this.#expect(")");
      return expr;
    }
    if (type === "[") return this.#list(this.#take());
    if (type === "{") return this.#map(this.#take());
    if (type === "IDENTIFIER" || type === ".") return this.#name();
    return this.#literal();
  }

  /** Whether a comma leads on to another item; the one before the end leads nowhere. */
  #another(end: "]" | "}"): boolean {
    return this.#peek(1) !== end && this.#accept(",") !== undefined;
  }

  #list(open: Token): Expr {
    const items: Expr[] = [];
    const optional = new Set<number>();
    const isEmpty = this.#peek() === "]" || this.#peek() === ",";
    for (let more = !isEmpty; more; more = this.#another("]")) {
      if (this.#accept("?") !== undefined) optional.add(items.length);
      items.push(this.#expression());
    }
    this.#accept(",");
    this.#expect("]");
    return this.#nodes.list(open.at, items, optional);
  }

  #map(open: Token): Expr {
    const entries: MapEntry[] = [];
    const isEmpty = this.#peek() === "}" || this.#peek() === ",";
    for (let more = !isEmpty; more; more = this.#another("}")) {
      const optional = this.#accept("?") !== undefined;
      const key = this.#expression();
      const colon = this.#expect(":");
      entries.push({ id: this.#nodes.id(), at: colon.at, key, value: this.#expression(), optional });
    }
    this.#accept(",");
    this.#expect("}");
    return this.#nodes.map(open.at, entries);
  }

  #name(): Expr {
    const start = this.#next;
    const dot = this.#accept(".");
    const name = this.#expect("IDENTIFIER");
    const text = dot === undefined ? name.text : `.${name.text}`;
    // A message is a dotted name before a brace, whatever stands before.
    let ahead = 0;
    while (this.#peek(ahead) === "." && this.#peek(ahead + 1) === "IDENTIFIER") ahead += 2;
    if (this.#peek(ahead) === "{") return this.#struct(start, ahead);
    const open = this.#accept("(");
    if (RESERVED_WORDS.has(name.text)) {
      this.#issues.report(dot?.at ?? name.at, `reserved identifier: ${name.text}`);
      if (open !== undefined) this.#items(")");
      return this.#nodes.ident(name.at, text);
    }
    if (open === undefined) return this.#nodes.ident(name.at, text);
    return this.#call(open.at, text, this.#items(")"));
  }

  #struct(start: number, ahead: number): Expr {
    this.#next += ahead;
    const words = this.#tokens.slice(start, this.#next);
    const open = this.#expect("{");
    const fields: StructField[] = [];
    const isEmpty = this.#peek() === "}" || this.#peek() === ",";
    for (let more = !isEmpty; more; more = this.#another("}")) {
      const optional = this.#accept("?") !== undefined;
      const name = this.#accept("ESC_IDENTIFIER") ?? this.#expect("IDENTIFIER");
      if (name.type === "ESC_IDENTIFIER") this.#issues.report(name.at, "unsupported syntax: '`'");
      const colon = this.#expect(":");
      fields.push({ id: this.#nodes.id(), at: colon.at, name: name.text, value: this.#expression(), optional });
    }
    this.#accept(",");
    this.#expect("}");
    const type = words.map((word) => word.text).join("");
    return { kind: "struct", id: this.#nodes.id(), at: open.at, type, fields };
  }

  #literal(): Expr {
    const minus = this.#accept("-");
    const token = this.#take();
    const at = minus?.at ?? token.at;
    const literal = (value: Value | undefined, problem: string): Expr => {
      if (value === undefined) this.#issues.report(at, problem);
      return this.#nodes.literal(at, value ?? null);
    };
    switch (token.type) {
      case "NUM_INT":
        return literal(intLiteral(token.text, minus !== undefined), "invalid int literal");
      case "NUM_FLOAT": {
        const value = Number(token.text) * (minus === undefined ? 1 : -1);
        return literal(Number.isFinite(value) ? value : undefined, "invalid double literal");
      }
    }
    if (minus !== undefined) throw new Misfit();
    switch (token.type) {
      case "NUM_UINT": {
        const value = uintLiteral(token.text);
        return literal(value === undefined ? undefined : new CelUint(value), "invalid uint literal");
      }
      case "STRING":
        return literal(stringLiteral(token.text), "invalid unicode code point");
      case "BYTES":
        return literal(bytesLiteral(token.text), "unable to unescape string");
      case "true":
      case "false":
        return this.#nodes.literal(at, token.type === "true");
      case "null":
        return this.#nodes.literal(at, null);
      default:
        throw new Misfit();
    }
  }

  #call(at: number, name: string, args: readonly Expr[], target?: Expr): Expr {
    try {
      return expandMacro(this.#nodes, at, name, target, args) ?? this.#nodes.call(at, name, args, target);
    } catch (error) {
      if (!(error instanceof MacroError)) throw error;
      this.#issues.report(error.at, error.message);
      return this.#nodes.ident(at, ACCUMULATOR_OF_ERRORS);
    }
  }
}

/** Stands where a macro could not be expanded. */
const ACCUMULATOR_OF_ERRORS = "@error";
