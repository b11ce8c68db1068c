// Label selectors: their text, their object form, and matching.
import { AppError } from "../runtime/errors.ts";
import { checkLabelValue, checkQualifiedName } from "./names.ts";

export type LabelOperator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

/** One term of a label selector; all terms of a selector must hold. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted and without duplicates. */
  readonly values: readonly string[];
}

/** The object form of a label selector, as in `spec.selector` of a Deployment. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined;
}

export type Labels = Readonly<Record<string, string | undefined>> | undefined | null;

/** A selector that cannot be understood; the message is the API server's. */
export function selectorInvalid(message: string): AppError {
  return new AppError("selector-invalid", message, { recovery: "stall" });
}

// ---- label selectors: matching

/** Whether the labels satisfy every requirement. No requirement matches everything. */
export function matchesRequirements(requirements: readonly LabelRequirement[], labels: Labels): boolean {
  for (const requirement of requirements) if (!matchesRequirement(requirement, labels)) return false;
  return true;
}

function matchesRequirement(requirement: LabelRequirement, labels: Labels): boolean {
  const has = labels != null && Object.hasOwn(labels, requirement.key);
  const value = has ? labels[requirement.key] : undefined;
  const present = value !== undefined;
  switch (requirement.operator) {
    case "=":
    case "==":
    case "in":
      return present && requirement.values.includes(value);
    case "!=":
    case "notin":
      return !present || !requirement.values.includes(value);
    case "exists":
      return present;
    case "!":
      return !present;
    case "gt":
    case "lt":
      return present && comparesAs(requirement.operator, value, requirement.values[0] ?? "");
  }
}

function comparesAs(operator: "gt" | "lt", value: string, bound: string): boolean {
  const left = parseInt64(value);
  const right = parseInt64(bound);
  if (left === undefined || right === undefined) return false;
  return operator === "gt" ? left > right : left < right;
}

function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

const REQUIREMENTS = new WeakMap<LabelSelector, readonly LabelRequirement[]>();

const OBJECT_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** The requirements of a selector in object form. Throws `selector-invalid` as the server does; remembers the answer. */
export function requirementsOf(selector: LabelSelector): readonly LabelRequirement[] {
  const known = REQUIREMENTS.get(selector);
  if (known !== undefined) return known;
  const requirements: LabelRequirement[] = [];
  for (const key in selector.matchLabels) {
    requirements.push(checkedRequirement(key, "=", [selector.matchLabels[key] ?? ""], "key", "values"));
  }
  for (const expression of selector.matchExpressions ?? []) {
    const operator = Object.hasOwn(OBJECT_OPERATORS, expression.operator)
      ? OBJECT_OPERATORS[expression.operator]
      : undefined;
    if (operator === undefined) {
      throw selectorInvalid(`"${expression.operator}" is not a valid label selector operator`);
    }
    requirements.push(checkedRequirement(expression.key, operator, expression.values ?? [], "key", "values"));
  }
  REQUIREMENTS.set(selector, requirements);
  return requirements;
}

/**
 * Whether the labels match a selector in object form: an absent selector matches nothing, an empty one everything.
 * Throws `selector-invalid`.
 */
export function matchesLabelSelector(selector: LabelSelector | undefined | null, labels: Labels): boolean {
  return selector != null && matchesRequirements(requirementsOf(selector), labels);
}

/** The object form as selector text: `app=web,tier in (a,b)`, keys sorted as Kubernetes prints them. */
export function formatLabelSelector(requirements: readonly LabelRequirement[]): string {
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return sorted.map(formatRequirement).join(",");
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${values.join(",")})`;
    case "gt":
      return `${key}>${values[0] ?? ""}`;
    case "lt":
      return `${key}<${values[0] ?? ""}`;
    default:
      return `${key}${operator}${values[0] ?? ""}`;
  }
}

// ---- label selectors: text

type TokenKind = "id" | "in" | "notin" | "(" | ")" | "," | "!" | "=" | "==" | "!=" | ">" | "<" | "end" | "error";

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const OPERATOR_OF: Partial<Record<TokenKind, LabelOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};
const SYMBOLS: ReadonlySet<string> = new Set(["(", ")", ",", "!", "=", "==", "!=", ">", "<"]);
const TOKENS = /[ \t\r\n]*(?:([^ \t\r\n=!(),<>]+)|([=!(),<>]))/y;

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  TOKENS.lastIndex = 0;
  let position = 0;
  for (let match = TOKENS.exec(text); match !== null; match = TOKENS.exec(text)) {
    position = TOKENS.lastIndex;
    const word = match[1];
    if (word !== undefined) {
      tokens.push({ kind: word === "in" || word === "notin" ? word : "id", text: word });
      continue;
    }
    let symbol = match[2] ?? "";
    const longer = symbol + text.charAt(position);
    if (SYMBOLS.has(longer)) {
      symbol = longer;
      TOKENS.lastIndex = ++position;
    }
    // Every symbol the expression finds is in the set of kinds.
    tokens.push({ kind: symbol as TokenKind, text: symbol });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

class LabelSelectorParser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = scan(text);
  }

  /** In the place of a key or value the words `in` and `notin` are plain names. */
  #peek(): Token {
    const token = this.#tokens[this.#position] ?? { kind: "end", text: "" };
    return token.kind === "in" || token.kind === "notin" ? { kind: "id", text: token.text } : token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") return requirements;
      if (token.kind !== "id" && token.kind !== "!") {
        throw selectorInvalid(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const separator = this.#next();
      if (separator.kind === "end") return requirements;
      if (separator.kind !== ",") {
        throw selectorInvalid(`found '${separator.text}', expected: ',' or 'end of string'`);
      }
      const following = this.#peek();
      if (following.kind !== "id" && following.kind !== "!") {
        throw selectorInvalid(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): LabelRequirement {
    try {
      return this.#parseRequirement();
    } catch (error) {
      if (error instanceof AppError) throw selectorInvalid(`unable to parse requirement: ${error.message}`);
      throw error;
    }
  }

  #parseRequirement(): LabelRequirement {
    let token = this.#next();
    const negated = token.kind === "!";
    if (negated) token = this.#next();
    if (token.kind !== "id") throw selectorInvalid(`found '${token.text}', expected: identifier`);
    checkKey(token.text, "<nil>");
    const key = token.text;
    if (negated) return checkedRequirement(key, "!", [], "key", "values");
    const following = this.#peek().kind;
    if (following === "end" || following === ",") return checkedRequirement(key, "exists", [], "key", "values");

    const symbol = this.#tokens[this.#position++] ?? { kind: "end", text: "" };
    const operator = OPERATOR_OF[symbol.kind];
    if (operator === undefined) {
      throw selectorInvalid(`found '${symbol.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const values = operator === "in" || operator === "notin" ? this.#valueList() : [this.#value()];
    return checkedRequirement(key, operator, values, "key", "values");
  }

  #value(): string {
    const token = this.#peek();
    if (token.kind === "end" || token.kind === ",") return "";
    this.#position++;
    if (token.kind !== "id") throw selectorInvalid(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #valueList(): string[] {
    const open = this.#next();
    if (open.kind !== "(") throw selectorInvalid(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ")") {
      this.#position++;
      return [""];
    }
    if (first.kind !== "id" && first.kind !== ",") {
      throw selectorInvalid(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#values();
    const close = this.#next();
    if (close.kind !== ")") throw selectorInvalid(`found '${first.text}', expected: ')'`);
    return values;
  }

  /** Missing values between commas are empty strings. */
  #values(): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === "id") {
        values.push(token.text);
        const after = this.#peek();
        if (after.kind === ",") continue;
        if (after.kind === ")") return values;
        throw selectorInvalid(`found '${after.text}', expected: ',' or ')'`);
      }
      if (token.kind !== ",") throw selectorInvalid(`found '${token.text}', expected: ',', or identifier`);
      if (values.length === 0) values.push("");
      const after = this.#peek();
      if (after.kind === ")") {
        values.push("");
        return values;
      }
      if (after.kind === ",") {
        this.#position++;
        values.push("");
      }
    }
  }
}

/** Reads selector text such as `env in (prod,dev),!legacy`. Empty text selects everything. Throws `selector-invalid`. */
export function parseLabelSelector(text: string): LabelRequirement[] {
  return new LabelSelectorParser(text).parse();
}

function checkKey(key: string, path: string): void {
  const problems = checkQualifiedName(key);
  if (problems.length > 0) {
    throw selectorInvalid(`${path}: Invalid value: ${JSON.stringify(key)}: ${problems.join("; ")}`);
  }
}

/** A requirement whose key and values are as Kubernetes wants them. Throws `selector-invalid`. */
export function checkedRequirement(
  key: string,
  operator: LabelOperator,
  given: readonly string[],
  keyPath: string,
  valuesPath: string,
): LabelRequirement {
  checkKey(key, keyPath);
  const values = given.length > 1 ? [...new Set(given)].sort() : given;
  const problems: string[] = [];
  const countProblem = checkValueCount(operator, values.length);
  if (countProblem !== undefined) {
    problems.push(`${valuesPath}: Invalid value: ${JSON.stringify(values)}: ${countProblem}`);
  }
  for (const [index, value] of values.entries()) {
    if ((operator === "gt" || operator === "lt") && parseInt64(value) === undefined) {
      const rule = "for 'Gt', 'Lt' operators, the value must be an integer";
      problems.push(`${valuesPath}[${index}]: Invalid value: ${JSON.stringify(value)}: ${rule}`);
    }
  }
  for (const [index, value] of values.entries()) {
    const wrong = checkLabelValue(value);
    if (wrong.length > 0) {
      problems.push(`${valuesPath}[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong.join("; ")}`);
    }
  }
  if (problems.length > 0) {
    throw selectorInvalid(problems.length === 1 ? (problems[0] ?? "") : `[${problems.join(", ")}]`);
  }
  return { key, operator, values };
}

function checkValueCount(operator: LabelOperator, count: number): string | undefined {
  switch (operator) {
    case "in":
    case "notin":
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case "=":
    case "==":
    case "!=":
      return count === 1 ? undefined : "exact-match compatibility requires one single value";
    case "exists":
    case "!":
      return count === 0 ? undefined : "values set must be empty for exists and does not exist";
    case "gt":
    case "lt":
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
  }
}
