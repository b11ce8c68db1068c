// The text of an expression, and how problems in it are shown.

/** A problem found while parsing or checking. `at` is an offset in UTF-16 units; -1 when it concerns the whole text. */
export interface Issue {
  readonly at: number;
  readonly message: string;
}

const MAX_ISSUES = 100;
const LONGEST_SNIPPET = 16_384;

/** Issues in the order they were found; more than a hundred are only counted. */
export class Issues {
  readonly text: string;
  readonly list: Issue[] = [];
  #count = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  report(at: number, message: string): void {
    this.#count += 1;
    if (this.list.length < MAX_ISSUES) this.list.push({ at, message });
  }

  /** Forgets what was reported in favour of what `other` has. */
  replaceBy(other: Issues): void {
    this.list.splice(0, this.list.length, ...other.list);
    this.#count = other.#count;
  }

  /** As compilers show them: place, message, the line and a mark under it. Ordered by place. */
  format(): string {
    const places = this.list.map((issue) => ({ issue, ...placeOf(this.text, issue.at) }));
    places.sort((a, b) => a.line - b.line || a.column - b.column);
    const texts = places.map((each) => formatIssue(this.text, each.issue.message, each.line, each.column));
    if (this.#count > MAX_ISSUES) texts.push(`${this.#count - MAX_ISSUES} more errors were truncated`);
    return texts.join("\n");
  }
}

/** Line from 1, column in code points from 0. */
function placeOf(text: string, at: number): { line: number; column: number } {
  if (at < 0) return { line: -1, column: -1 };
  let line = 1;
  let start = 0;
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", start)) {
    line += 1;
    start = next + 1;
  }
  return { line, column: codePoints(text.slice(start, at)) };
}

function formatIssue(text: string, message: string, line: number, column: number): string {
  const header = `ERROR: <input>:${line}:${column + 1}: ${message}`;
  const source = line < 1 ? undefined : text.split("\n", line)[line - 1];
  if (source === undefined || source.length > LONGEST_SNIPPET) return header;
  const snippet = source.replaceAll("\t", " ");
  const chars = [...snippet];
  // Characters of more than one byte are marked with wide signs, as the reference does.
  const dots = chars.slice(0, column).map((char) => (char.charCodeAt(0) > 0x7f ? "．" : "."));
  const mark = (chars[column]?.charCodeAt(0) ?? 0) > 0x7f ? "＾" : "^";
  return `${header}\n | ${snippet}\n | ${dots.join("")}${mark}`;
}

/** Length in Unicode code points. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit < 0xdc00) count--;
  }
  return count;
}
