// Lua patterns as gopher-lua reads them: what it takes differently from Lua's manual is taken so here as well.

/** Whether a byte belongs to a class. */
export type ByteTest = (byte: number) => boolean;

export type PatternItem =
  | { readonly type: "byte"; readonly test: ByteTest }
  | { readonly type: "repeat"; readonly test: ByteTest; readonly mode: "*" | "+" | "-" | "?" }
  | { readonly type: "open" | "close"; readonly capture: number }
  | { readonly type: "position"; readonly capture: number }
  | { readonly type: "back-reference"; readonly capture: number }
  | { readonly type: "balanced"; readonly open: number; readonly close: number };

export interface Pattern {
  readonly items: readonly PatternItem[];
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly captures: number;
}

/** The pattern is malformed; the message is gopher-lua's. */
export class PatternError extends Error {}

interface SetMember {
  readonly test: ByteTest;
  /** The byte it stands for; a range needs two members that have one. */
  readonly byte: number | undefined;
}

const CLASSES: Readonly<Record<string, ByteTest>> = {
  a: (byte) => isBetween(byte, 0x41, 0x5a) || isBetween(byte, 0x61, 0x7a),
  c: (byte) => byte <= 0x1f || byte === 0x7f,
  d: (byte) => isBetween(byte, 0x30, 0x39),
  l: (byte) => isBetween(byte, 0x61, 0x7a),
  p: (byte) =>
    isBetween(byte, 0x21, 0x2f) ||
    isBetween(byte, 0x3a, 0x40) ||
    isBetween(byte, 0x5b, 0x60) ||
    isBetween(byte, 0x7b, 0x7e),
  s: (byte) => byte === 0x20 || isBetween(byte, 0x09, 0x0d),
  u: (byte) => isBetween(byte, 0x41, 0x5a),
  w: (byte) => isBetween(byte, 0x30, 0x39) || isBetween(byte, 0x41, 0x5a) || isBetween(byte, 0x61, 0x7a),
  x: (byte) => isBetween(byte, 0x30, 0x39) || isBetween(byte, 0x41, 0x46) || isBetween(byte, 0x61, 0x66),
  z: (byte) => byte === 0,
};

/** Parses the bytes of a pattern. Throws `PatternError`. */
export function parsePattern(source: string): Pattern {
  return new PatternParser(source).parse();
}

class PatternParser {
  readonly #source: string;
  readonly #items: PatternItem[] = [];
  #at = 0;
  #captures = 0;
  #atEnd = false;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Pattern {
    const atStart = this.#source[0] === "^";
    if (atStart) this.#at = 1;
    // The captures that are open, inner ones last.
    const open: number[] = [];
    while (this.#at < this.#source.length) this.#item(open);
    if (open.length > 0) throw new PatternError("unfinished capture at EOS");
    return { items: this.#items, atStart, atEnd: this.#atEnd, captures: this.#captures };
  }

  #item(open: number[]): void {
    const source = this.#source;
    const char = source[this.#at] ?? "";
    switch (char) {
      case "%":
        this.#escaped();
        return;
      case "[":
        this.#at++;
        this.#items.push({ type: "byte", test: this.#set() });
        return;
      case ".":
        this.#at++;
        this.#items.push({ type: "byte", test: () => true });
        return;
      case "(":
        this.#at++;
        if (source[this.#at] === ")") {
          this.#at++;
          this.#items.push({ type: "position", capture: this.#captures++ });
          return;
        }
        open.push(this.#captures);
        this.#items.push({ type: "open", capture: this.#captures++ });
        return;
      case ")": {
        const capture = open.pop();
        if (capture === undefined) throw new PatternError(`invalid ')' at ${Math.max(this.#at - 1, 0)}`);
        this.#at++;
        this.#items.push({ type: "close", capture });
        return;
      }
      case "*":
      case "+":
      case "-":
      case "?": {
        this.#at++;
        const last = this.#items.at(-1);
        // Behind anything but a single class it stands for itself.
        if (last?.type === "byte")
          this.#items[this.#items.length - 1] = { type: "repeat", test: last.test, mode: char };
        else this.#literal(char);
        return;
      }
      case "$":
        this.#at++;
        if (open.length === 0 && this.#at === source.length) this.#atEnd = true;
        else this.#literal(char);
        return;
      default:
        this.#at++;
        this.#literal(char);
    }
  }

  #literal(char: string): void {
    const wanted = char.charCodeAt(0);
    this.#items.push({ type: "byte", test: (byte) => byte === wanted });
  }

  #escaped(): void {
    const source = this.#source;
    const char = source[this.#at + 1] ?? "";
    if (char === "0") throw new PatternError(`invalid capture index at ${this.#at}`);
    this.#at += 2;
    if (char >= "1" && char <= "9") {
      this.#items.push({ type: "back-reference", capture: Number(char) - 1 });
      return;
    }
    if (char === "b") {
      const open = source.charCodeAt(this.#at);
      const close = source.charCodeAt(this.#at + 1);
      this.#at += 2;
      this.#items.push({ type: "balanced", open, close });
      return;
    }
    this.#items.push({ type: "byte", test: classTest(char) });
  }

  // Behind the opening bracket.
  #set(): ByteTest {
    const source = this.#source;
    const negated = source[this.#at] === "^";
    if (negated) this.#at++;
    const members: SetMember[] = [];
    let isRange = false;
    for (;;) {
      const char = source[this.#at];
      if (char === undefined) throw new PatternError(`unexpected EOS at ${source.length - 1}`);
      if (char === "]" && members.length > 0) break;
      if (char === "-" && members.length > 0) {
        this.#at++;
        isRange = true;
        continue;
      }
      members.push(this.#member());
      if (!isRange) continue;
      isRange = false;
      const [first, last] = members.splice(-2);
      members.push(range(first, last));
    }
    this.#at++;
    if (isRange) members.push({ test: (byte) => byte === 0x2d, byte: 0x2d });
    // Tested once for each byte instead of member by member.
    const belongs = Array.from({ length: 256 }, (_, byte) => members.some(({ test }) => test(byte)) !== negated);
    return (byte) => belongs[byte] === true;
  }

  #member(): SetMember {
    const char = this.#source[this.#at] ?? "";
    this.#at++;
    if (char === "%") {
      const name = this.#source[this.#at] ?? "";
      this.#at++;
      return { test: classTest(name), byte: undefined };
    }
    const wanted = char.charCodeAt(0);
    return { test: (byte) => byte === wanted, byte: wanted };
  }
}

// A range whose ends are no plain bytes holds nothing.
function range(first: SetMember | undefined, last: SetMember | undefined): SetMember {
  const from = first?.byte;
  const to = last?.byte;
  if (from === undefined || to === undefined) return { test: () => false, byte: undefined };
  return { test: (byte) => isBetween(byte, from, to), byte: undefined };
}

function classTest(name: string): ByteTest {
  const lower = name.toLowerCase();
  const test = /^[A-Za-z]$/.test(name) ? CLASSES[lower] : undefined;
  if (test === undefined) {
    const wanted = name === "" ? -1 : name.charCodeAt(0);
    return (byte) => byte === wanted;
  }
  return name === lower ? test : (byte) => !test(byte);
}

function isBetween(byte: number, from: number, to: number): boolean {
  return byte >= from && byte <= to;
}
