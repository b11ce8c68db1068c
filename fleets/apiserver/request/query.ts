// The query of a request, read as Go reads it.

/** Values by name, in order. A pair with a bad escape is left out. */
export class Query {
  readonly #values = new Map<string, string[]>();

  constructor(text: string) {
    if (text === "") return;
    for (const pair of text.split("&")) {
      if (pair === "" || pair.includes(";")) continue;
      const at = pair.indexOf("=");
      const name = unescapeText(at < 0 ? pair : pair.slice(0, at));
      const value = at < 0 ? "" : unescapeText(pair.slice(at + 1));
      if (name === undefined || value === undefined) continue;
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, [value]);
      else values.push(value);
    }
  }

  /** The first value. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  getAll(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

function unescapeText(text: string): string | undefined {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
