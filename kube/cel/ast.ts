// Syntax trees. Macros are expanded: what is left is calls, literals and loops.
import type { Value } from "./values.ts";

interface Node {
  /** Unique in one tree. */
  readonly id: number;
  /** Where messages about it point to, an offset in the text. */
  readonly at: number;
}

export interface LiteralExpr extends Node {
  readonly kind: "literal";
  readonly value: Value;
}

export interface IdentExpr extends Node {
  readonly kind: "ident";
  readonly name: string;
}

export interface SelectExpr extends Node {
  readonly kind: "select";
  readonly operand: Expr;
  readonly field: string;
  /** `has(a.b)`: asks for presence. */
  readonly test: boolean;
}

export interface CallExpr extends Node {
  readonly kind: "call";
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface ListExpr extends Node {
  readonly kind: "list";
  readonly items: readonly Expr[];
  /** Positions written `?x`: left out when empty. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntry extends Node {
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapExpr extends Node {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}

export interface StructField extends Node {
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface StructExpr extends Node {
  readonly kind: "struct";
  readonly type: string;
  readonly fields: readonly StructField[];
}

/** A loop over a list or map that folds into an accumulator. */
export interface LoopExpr extends Node {
  readonly kind: "loop";
  readonly range: Expr;
  readonly variable: string;
  /** Of two variables, the second: the value beside the index or key. */
  readonly variable2: string | undefined;
  readonly accumulator: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

export type Expr = LiteralExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | LoopExpr;

/** The accumulator of macros; no expression can spell it. */
export const ACCUMULATOR = "@result";

/** Names of operators as functions. */
export const OPERATORS = {
  "?": "_?_:_",
  "&&": "_&&_",
  "||": "_||_",
  "!": "!_",
  "-": "_-_",
  "+": "_+_",
  "*": "_*_",
  "/": "_/_",
  "%": "_%_",
  "==": "_==_",
  "!=": "_!=_",
  "<": "_<_",
  "<=": "_<=_",
  ">": "_>_",
  ">=": "_>=_",
  in: "@in",
  negate: "-_",
  index: "_[_]",
  optIndex: "_[?_]",
  optSelect: "_?._",
  notStrictlyFalse: "@not_strictly_false",
} as const;

/** Thrown when macros blow an expression up. */
export class TooLarge {}

const MAX_NODES = 100_000;

/** Makes nodes with fresh numbers. Throws `TooLarge` after a hundred thousand. */
export class Nodes {
  #next = 1;

  id(): number {
    if (this.#next > MAX_NODES) throw new TooLarge();
    return this.#next++;
  }

  /** The same expression with numbers of its own. */
  copy(expr: Expr): Expr {
    const id = this.id();
    switch (expr.kind) {
      case "literal":
      case "ident":
        return { ...expr, id };
      case "select":
        return { ...expr, id, operand: this.copy(expr.operand) };
      case "call":
        return {
          ...expr,
          id,
          target: expr.target === undefined ? undefined : this.copy(expr.target),
          args: expr.args.map((arg) => this.copy(arg)),
        };
      case "list":
        return { ...expr, id, items: expr.items.map((item) => this.copy(item)) };
      case "map": {
        const entries = expr.entries.map((entry) => ({
          ...entry,
          id: this.id(),
          key: this.copy(entry.key),
          value: this.copy(entry.value),
        }));
        return { ...expr, id, entries };
      }
      case "struct": {
        const fields = expr.fields.map((field) => ({ ...field, id: this.id(), value: this.copy(field.value) }));
        return { ...expr, id, fields };
      }
      case "loop":
        return {
          ...expr,
          id,
          range: this.copy(expr.range),
          init: this.copy(expr.init),
          condition: this.copy(expr.condition),
          step: this.copy(expr.step),
          result: this.copy(expr.result),
        };
    }
  }

  literal(at: number, value: Value): LiteralExpr {
    return { kind: "literal", id: this.id(), at, value };
  }

  ident(at: number, name: string): IdentExpr {
    return { kind: "ident", id: this.id(), at, name };
  }

  select(at: number, operand: Expr, field: string, test = false): SelectExpr {
    return { kind: "select", id: this.id(), at, operand, field, test };
  }

  call(at: number, name: string, args: readonly Expr[], target?: Expr): CallExpr {
    return { kind: "call", id: this.id(), at, name, target, args };
  }

  list(at: number, items: readonly Expr[], optional: ReadonlySet<number> = new Set()): ListExpr {
    return { kind: "list", id: this.id(), at, items, optional };
  }

  map(at: number, entries: readonly MapEntry[]): MapExpr {
    return { kind: "map", id: this.id(), at, entries };
  }

  loop(at: number, parts: Omit<LoopExpr, "kind" | "id" | "at">): LoopExpr {
    return { kind: "loop", id: this.id(), at, ...parts };
  }
}
