// Lua 5.1 (with gopher-lua's `goto` and empty statements) to a syntax tree with resolved names.

import type { CallExpression, Expression, FunctionBody, IfClause, Label, Local, Statement, TableField } from "./ast.ts";
import { luaSyntaxError } from "./errors.ts";
import type { Token } from "./lexer.ts";
import { parseLiteral } from "./numbers.ts";
import { joinOperands, PRECEDENCE, UNARY_PRECEDENCE } from "./precedence.ts";
import { FunctionScope } from "./scopes.ts";
import { TokenStream } from "./token-stream.ts";

/** Deeper nesting is refused: parsing and running recurse with it, and the host's stack is not endless. */
const MAX_NESTING = 180;
const BLOCK_ENDS: ReadonlySet<string> = new Set(["end", "else", "elseif", "until", "eof"]);

/** Parses the bytes of a script. Throws `lua-syntax-error`. The result takes no parameters and is variadic. */
export function parseLua(source: string, chunk: string): FunctionBody {
  return new Parser(source, chunk).parse();
}

class Parser extends TokenStream {
  #scope = new FunctionScope(undefined, true);
  #depth = 0;

  parse(): FunctionBody {
    const block = this.#statements();
    if (this.token.kind !== "eof") throw this.unexpected();
    return this.#body(0, [], undefined, block);
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_NESTING) {
      const { line, column } = this.token;
      throw luaSyntaxError(this.chunk, line, column, this.token.text, `nested deeper than ${MAX_NESTING} levels`);
    }
    this.#scope.nesting = Math.max(this.#scope.nesting, this.#depth);
    const result = parse();
    this.#depth--;
    return result;
  }

  // --- functions and blocks

  #body(line: number, parameters: readonly Local[], extras: Local | undefined, block: readonly Statement[]) {
    const scope = this.#scope;
    scope.closeBlock(this.problem);
    return {
      line,
      parameters,
      variadic: scope.variadic,
      extras: scope.usesVarargs ? undefined : extras,
      upvalues: scope.upvalues,
      block,
      nesting: scope.nesting,
    };
  }

  #function(line: number, isMethod: boolean): FunctionBody {
    return this.#nested(() => {
      this.expect("(");
      const names: string[] = isMethod ? ["self"] : [];
      let variadic = false;
      if (this.token.kind !== ")") {
        do {
          variadic = this.accept("...");
          if (!variadic) names.push(this.expect("name").text);
        } while (!variadic && this.accept(","));
      }
      this.expect(")");
      const outer = this.#scope;
      const depth = this.#depth;
      this.#scope = new FunctionScope(outer, variadic);
      const parameters = names.map((name) => this.#scope.declare(name));
      // As in Lua 5.0 and still in 5.1: functions that take more than they name find it in `arg`.
      const extras = variadic ? this.#scope.declare("arg") : undefined;
      const block = this.#statements();
      this.expect("end");
      const body = this.#body(line, parameters, extras, block);
      this.#scope = outer;
      this.#depth = depth;
      return body;
    });
  }

  #block(isLoop = false, locals: readonly string[] = []): { block: readonly Statement[]; locals: readonly Local[] } {
    this.#scope.openBlock(isLoop);
    const declared = locals.map((name) => this.#scope.declare(name));
    const block = this.#statements();
    this.#scope.closeBlock(this.problem);
    return { block, locals: declared };
  }

  #statements(): readonly Statement[] {
    return this.#nested(() => {
      const block: Statement[] = [];
      while (!BLOCK_ENDS.has(this.token.kind)) {
        if (this.accept(";")) continue;
        const statement = this.#statement();
        block.push(statement);
        if (statement.type === "return" || statement.type === "break") {
          this.accept(";");
          if (!BLOCK_ENDS.has(this.token.kind)) throw this.unexpected();
        }
      }
      return block;
    });
  }

  #statement(): Statement {
    const { kind, line } = this.token;
    switch (kind) {
      case "if":
        return this.#if();
      case "while": {
        this.advance();
        const condition = this.#expression();
        this.expect("do");
        const { block } = this.#block(true);
        this.expect("end");
        return { type: "while", condition, block };
      }
      case "do": {
        this.advance();
        const { block } = this.#block();
        this.expect("end");
        return { type: "do", block };
      }
      case "for":
        return this.#for();
      case "repeat": {
        this.advance();
        this.#scope.openBlock(true);
        const block = this.#statements();
        this.expect("until");
        // The condition sees the locals of the body.
        const condition = this.#expression();
        this.#scope.closeBlock(this.problem);
        return { type: "repeat", block, condition };
      }
      case "function":
        return this.#functionStatement();
      case "local":
        this.advance();
        return this.accept("function") ? this.#localFunction(line) : this.#local();
      case "return": {
        this.advance();
        const ends = BLOCK_ENDS.has(this.token.kind) || this.token.kind === ";";
        return { type: "return", values: ends ? [] : this.#expressions(), line };
      }
      case "break":
        if (!this.#scope.inLoop) throw this.problem(line, "no loop to break", this.token.column);
        this.advance();
        return { type: "break" };
      case "goto": {
        const { column } = this.advance();
        const name = this.expect("name").text;
        const statement: { type: "goto"; label: Label } = { type: "goto", label: { name, line } };
        this.#scope.goto(name, line, column, statement);
        return statement;
      }
      case "::": {
        this.advance();
        const name = this.expect("name").text;
        this.expect("::");
        while (this.accept(";"));
        const isLast = BLOCK_ENDS.has(this.token.kind) && this.token.kind !== "until";
        return { type: "label", label: this.#scope.label(name, line, isLast, this.problem) };
      }
      default:
        return this.#expressionStatement();
    }
  }

  #if(): Statement {
    const clauses: IfClause[] = [];
    do {
      this.advance();
      const condition = this.#expression();
      this.expect("then");
      clauses.push({ condition, block: this.#block().block });
    } while (this.token.kind === "elseif");
    const otherwise = this.accept("else") ? this.#block().block : undefined;
    this.expect("end");
    return { type: "if", clauses, otherwise };
  }

  #for(): Statement {
    const { line } = this.advance();
    const names = [this.expect("name").text];
    if (this.accept("=")) {
      const from = this.#expression();
      this.expect(",");
      const to = this.#expression();
      const step = this.accept(",") ? this.#expression() : undefined;
      this.expect("do");
      const { block, locals } = this.#block(true, names);
      this.expect("end");
      return { type: "numeric-for", local: locals[0]!, from, to, step, block, line };
    }
    while (this.accept(",")) names.push(this.expect("name").text);
    this.expect("in");
    const values = this.#expressions();
    this.expect("do");
    const { block, locals } = this.#block(true, names);
    this.expect("end");
    return { type: "generic-for", locals, values, block, line };
  }

  #functionStatement(): Statement {
    const { line } = this.advance();
    const name = this.expect("name");
    let target = this.#scope.resolve(name.text, name.line);
    let isMethod = false;
    while (!isMethod && (this.token.kind === "." || this.token.kind === ":")) {
      isMethod = this.advance().kind === ":";
      const key = this.expect("name");
      target = { type: "index", object: target, key: { type: "string", value: key.text, line: key.line }, line };
    }
    const body = this.#function(line, isMethod);
    return { type: "assign", targets: [target], values: [{ type: "function", body, line }] };
  }

  #localFunction(line: number): Statement {
    // Declared before its body, so that it can call itself.
    const local = this.#scope.declare(this.expect("name").text);
    return { type: "local-function", local, body: this.#function(line, false), line };
  }

  #local(): Statement {
    const names = [this.expect("name").text];
    while (this.accept(",")) names.push(this.expect("name").text);
    if (!this.accept("=")) return { type: "local", locals: names.map((name) => this.#scope.declare(name)), values: [] };
    // As gopher-lua: `local f = function ... end` sees itself, as `local function f` does.
    const isFunction = names.length === 1 && this.token.kind === "function";
    if (isFunction) return this.#localFunctionValue(names[0]!);
    const values = this.#expressions();
    return { type: "local", locals: names.map((name) => this.#scope.declare(name)), values };
  }

  #localFunctionValue(name: string): Statement {
    const declared = this.#scope.declare(name);
    const values = this.#expressions();
    return { type: "local", locals: [declared], values };
  }

  #expressionStatement(): Statement {
    const start = this.token;
    const first = this.#suffixed();
    if (this.token.kind === "=" || this.token.kind === ",") {
      const targets = [this.#target(first, start)];
      while (this.accept(",")) {
        const token = this.token;
        targets.push(this.#target(this.#suffixed(), token));
      }
      this.expect("=");
      return { type: "assign", targets, values: this.#expressions() };
    }
    if (first.type !== "call") throw this.unexpected();
    return { type: "call", call: first };
  }

  #target(expression: Expression, token: Token): Expression {
    const { type } = expression;
    if (type === "local" || type === "upvalue" || type === "global" || type === "index") return expression;
    throw luaSyntaxError(this.chunk, token.line, token.column, token.text, "syntax error, cannot assign to this");
  }

  // --- expressions

  #expressions(): readonly Expression[] {
    const list = [this.#expression()];
    while (this.accept(",")) list.push(this.#expression());
    return list;
  }

  #expression(limit = 0): Expression {
    return this.#nested(() => {
      const depth = this.#depth;
      let left = this.#operand();
      for (;;) {
        const operator = this.token.kind;
        const precedence = PRECEDENCE[operator];
        if (precedence === undefined || precedence[0] <= limit) break;
        this.advance();
        // A chain of operators nests to the left, without recursion here but with it when it runs.
        this.#deepen();
        left = joinOperands(operator, left, this.#expression(precedence[1]));
      }
      this.#depth = depth;
      return left;
    });
  }

  #deepen(): void {
    this.#nested(() => undefined);
    this.#depth++;
  }

  #operand(): Expression {
    const { kind, line, text } = this.token;
    switch (kind) {
      case "nil":
      case "true":
      case "false":
        this.advance();
        return { type: kind, line };
      case "number":
        this.advance();
        return { type: "number", value: parseLiteral(text), line };
      case "string":
        this.advance();
        return { type: "string", value: text, line };
      case "...": {
        if (!this.#scope.variadic) {
          throw this.problem(line, "cannot use '...' outside a vararg function", this.token.column);
        }
        this.advance();
        this.#scope.usesVarargs = true;
        return { type: "vararg", line };
      }
      case "{":
        return this.#table();
      case "function":
        this.advance();
        return { type: "function", body: this.#function(line, false), line };
      case "not":
      case "-":
      case "#": {
        this.advance();
        const operand = this.#expression(UNARY_PRECEDENCE);
        if (kind === "-" && operand.type === "number") return { ...operand, value: -operand.value };
        const type = kind === "not" ? "not" : kind === "-" ? "negate" : "length";
        return { type, operand, line: operand.line };
      }
      default:
        return this.#suffixed();
    }
  }

  #suffixed(): Expression {
    const depth = this.#depth;
    let left = this.#primary();
    const { line } = left;
    for (;;) {
      switch (this.token.kind) {
        case ".": {
          this.advance();
          const key = this.expect("name");
          left = { type: "index", object: left, key: { type: "string", value: key.text, line: key.line }, line };
          break;
        }
        case "[": {
          this.advance();
          const key = this.#expression();
          this.expect("]");
          left = { type: "index", object: left, key, line };
          break;
        }
        case ":": {
          this.advance();
          const method = this.expect("name").text;
          left = this.#call(left, method, line);
          break;
        }
        case "(":
        case "{":
        case "string":
          left = this.#call(left, undefined, line);
          break;
        default:
          this.#depth = depth;
          return left;
      }
      this.#deepen();
    }
  }

  #primary(): Expression {
    const { kind, line, text } = this.token;
    if (kind === "name") {
      this.advance();
      return this.#scope.resolve(text, line);
    }
    if (kind !== "(") throw this.unexpected();
    this.advance();
    const inner = this.#expression();
    this.expect(")");
    return { type: "single", inner, line };
  }

  #call(callee: Expression, method: string | undefined, line: number): CallExpression {
    const { kind } = this.token;
    let args: readonly Expression[];
    if (kind === "string") args = [{ type: "string", value: this.token.text, line: this.advance().line }];
    else if (kind === "{") args = [this.#table()];
    else {
      this.expect("(");
      args = this.token.kind === ")" ? [] : this.#expressions();
      this.expect(")");
    }
    return { type: "call", callee, method, args, line };
  }

  #table(): Expression {
    const { line } = this.expect("{");
    const fields: TableField[] = [];
    while (this.token.kind !== "}") {
      fields.push(this.#field());
      if (!this.accept(",") && !this.accept(";")) break;
    }
    this.expect("}");
    return { type: "table", fields, line };
  }

  #field(): TableField {
    const { kind, text, line } = this.token;
    if (kind === "name" && this.peek().kind === "=") {
      this.advance();
      this.advance();
      return { key: { type: "string", value: text, line }, value: this.#expression() };
    }
    if (kind !== "[") return { key: undefined, value: this.#expression() };
    this.advance();
    const key = this.#expression();
    this.expect("]");
    this.expect("=");
    return { key, value: this.#expression() };
  }
}
