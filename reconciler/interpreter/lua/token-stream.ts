import { luaSyntaxError } from "./errors.ts";
import { Lexer, type Token } from "./lexer.ts";

/** The tokens of a text, one of them the next one. What a parser builds on. */
export class TokenStream {
  protected readonly chunk: string;
  protected token: Token;
  readonly #lexer: Lexer;
  #ahead: Token | undefined;

  constructor(source: string, chunk: string) {
    this.#lexer = new Lexer(source, chunk);
    this.chunk = chunk;
    this.token = this.#lexer.next();
  }

  protected advance(): Token {
    const token = this.token;
    this.token = this.#ahead ?? this.#lexer.next();
    this.#ahead = undefined;
    return token;
  }

  protected peek(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  protected accept(kind: string): boolean {
    if (this.token.kind !== kind) return false;
    this.advance();
    return true;
  }

  protected expect(kind: string): Token {
    if (this.token.kind !== kind) throw this.unexpected(kind);
    return this.advance();
  }

  protected unexpected(wanted?: string) {
    const { text, line, column, kind } = this.token;
    const problem = wanted === undefined ? "syntax error" : `syntax error, '${wanted}' expected`;
    return luaSyntaxError(this.chunk, line, column, kind === "eof" ? "end of script" : text, problem);
  }

  /** A syntax error that is about a place rather than a token. */
  protected problem = (line: number, problem: string, column = 1) =>
    luaSyntaxError(this.chunk, line, column, "", problem);
}
