import { isObject } from "../../../kube/object.ts";

/** Reads a value out of an answer, and names the place that is not as documented. */
export class JsonReader {
  readonly #value: unknown;
  readonly #path: string;
  readonly #fail: (why: string) => Error;

  /** `fail` makes the error for `the answer has no text at head.sha`. */
  constructor(value: unknown, fail: (why: string) => Error, path = "") {
    this.#value = value;
    this.#fail = fail;
    this.#path = path;
  }

  get value(): unknown {
    return this.#value;
  }

  /** Whether something other than null is there. */
  get exists(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  at(...keys: readonly string[]): JsonReader {
    let value = this.#value;
    for (const key of keys) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return new JsonReader(value, this.#fail, [this.#path, ...keys].filter((part) => part !== "").join("."));
  }

  text(): string {
    if (typeof this.#value !== "string") throw this.#missing("text");
    return this.#value;
  }

  /** Text that may be missing, null or empty. */
  textOr<T>(fallback: T): string | T {
    return typeof this.#value === "string" && this.#value !== "" ? this.#value : fallback;
  }

  /** A whole number that can be told from its neighbours. */
  number(): number {
    if (typeof this.#value !== "number" || !Number.isSafeInteger(this.#value)) throw this.#missing("number");
    return this.#value;
  }

  numberOr<T>(fallback: T): number | T {
    return typeof this.#value === "number" ? this.#value : fallback;
  }

  isTrue(): boolean {
    return this.#value === true;
  }

  /** A number or text that names something, as text. */
  id(): string {
    const value = this.#value;
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "bigint" || typeof value === "number") return String(value);
    throw this.#missing("id");
  }

  /** The entries of a list; none when it is missing or null. */
  items(): readonly JsonReader[] {
    if (!this.exists) return [];
    if (!Array.isArray(this.#value)) throw this.#missing("list");
    return this.#value.map((value, index) => new JsonReader(value, this.#fail, `${this.#path}[${index}]`));
  }

  #missing(what: string): Error {
    return this.#fail(`the answer has no ${what} at ${this.#path === "" ? "its top" : this.#path}`);
  }
}
