// Where a scanner of YAML stands in its text, and how it fails there.

import { END, isBlankOrEnd, isBreak } from "./yaml-characters.ts";

export interface YamlMark {
  readonly offset: number;
  /** From 0. */
  readonly line: number;
  readonly column: number;
}

export type YamlFaultCode = "yaml-invalid" | "yaml-duplicate-key" | "yaml-too-deep" | "yaml-too-many-aliases";

/** Why a text cannot be read, and where. */
export class YamlFault extends Error {
  readonly code: YamlFaultCode;
  readonly offset: number;
  /** The words of go-yaml without the leading `yaml: `, where it refuses the text too. */
  readonly goMessage: string | undefined;

  constructor(code: YamlFaultCode, what: string, offset: number, goMessage?: string) {
    super(what);
    this.code = code;
    this.offset = offset;
    this.goMessage = goMessage;
  }
}

/**
 * A fault of syntax. `context` is where that began which could not be read. As go-yaml, which clients of an API server
 * hear: its parser names the line before the fault, and nobody the first line.
 */
export function syntaxFault(
  layer: "scanner" | "parser",
  problem: string,
  mark: YamlMark,
  context: YamlMark | undefined,
): YamlFault {
  const line = mark.line > 0 ? mark.line : (context?.line ?? 0);
  const named = line === 0 ? problem : `line ${layer === "scanner" ? line + 1 : line}: ${problem}`;
  return new YamlFault("yaml-invalid", problem, mark.offset, named);
}

export class YamlCursor {
  readonly text: string;
  offset = 0;
  line = 0;
  private lineStart = 0;

  constructor(text: string) {
    this.text = text;
  }

  get column(): number {
    return this.offset - this.lineStart;
  }

  mark(): YamlMark {
    return { offset: this.offset, line: this.line, column: this.offset - this.lineStart };
  }

  /** The code of the character that stands `ahead` of here, or `END`. */
  peek(ahead = 0): number {
    const at = this.offset + ahead;
    return at < this.text.length ? this.text.charCodeAt(at) : END;
  }

  /** Passes a line break and answers what it is in content: a line feed, or the Unicode separator itself. */
  takeBreak(): string {
    const code = this.text.charCodeAt(this.offset);
    this.offset += code === 0x0d && this.peek(1) === 0x0a ? 2 : 1;
    this.startLine();
    return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : "\n";
  }

  /** Passes everything up to the end of the line. */
  skipLine(): void {
    while (this.offset < this.text.length && !isBreak(this.text.charCodeAt(this.offset))) this.offset += 1;
  }

  /** At the end of a text whose last line has no break, as if it had one. */
  startLine(): void {
    this.line += 1;
    this.lineStart = this.offset;
  }

  /** Whether `---` or `...` stands here alone at the start of a line. */
  atDocumentMark(): boolean {
    if (this.offset !== this.lineStart) return false;
    const first = this.peek();
    if (first !== 0x2d && first !== 0x2e) return false;
    return this.peek(1) === first && this.peek(2) === first && isBlankOrEnd(this.peek(3));
  }

  fail(problem: string, context?: YamlMark): YamlFault {
    return syntaxFault("scanner", problem, this.mark(), context);
  }
}
