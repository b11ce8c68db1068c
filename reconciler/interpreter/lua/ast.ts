// The syntax tree of a script, with every name already resolved to a local variable, an upvalue or a global.

/** A local variable. One that an inner function uses lives in a cell of its own. */
export interface Local {
  readonly name: string;
  captured: boolean;
  /** Where it lives in its frame, among the values or among the cells; set when its function is compiled. */
  slot: number;
}

/** Where a closure finds an upvalue when it is made: in a cell of the frame around it, or among that frame's upvalues. */
export type UpvalueSource = { readonly local: Local } | { readonly upvalue: number };

export interface FunctionBody {
  readonly line: number;
  readonly parameters: readonly Local[];
  readonly variadic: boolean;
  /** The local `arg` of a variadic function that does not use `...`: a table of its extra arguments. */
  readonly extras: Local | undefined;
  readonly upvalues: readonly UpvalueSource[];
  readonly block: readonly Statement[];
  /** How deep its syntax nests: how much of the host's stack a call of it can take. */
  readonly nesting: number;
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "^" | "==" | "~=" | "<" | "<=" | ">" | ">=";

export type Expression =
  | { readonly type: "nil" | "true" | "false" | "vararg"; readonly line: number }
  | { readonly type: "number"; readonly value: number; readonly line: number }
  | { readonly type: "string"; readonly value: string; readonly line: number }
  | { readonly type: "function"; readonly body: FunctionBody; readonly line: number }
  | { readonly type: "local"; readonly local: Local; readonly line: number }
  | { readonly type: "upvalue"; readonly index: number; readonly name: string; readonly line: number }
  | { readonly type: "global"; readonly name: string; readonly line: number }
  | { readonly type: "index"; readonly object: Expression; readonly key: Expression; readonly line: number }
  | CallExpression
  | { readonly type: "and" | "or"; readonly left: Expression; readonly right: Expression; readonly line: number }
  | { readonly type: "not" | "negate" | "length"; readonly operand: Expression; readonly line: number }
  | {
      readonly type: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly line: number;
    }
  | { readonly type: "concat"; readonly operands: readonly Expression[]; readonly line: number }
  | { readonly type: "table"; readonly fields: readonly TableField[]; readonly line: number }
  /** In parentheses: of several values the first. */
  | { readonly type: "single"; readonly inner: Expression; readonly line: number };

/** `method` is set for `object:method(...)`, where `callee` is the object. */
export interface CallExpression {
  readonly type: "call";
  readonly callee: Expression;
  readonly method: string | undefined;
  readonly args: readonly Expression[];
  readonly line: number;
}

/** Without a key the value takes the next place of the array. */
export interface TableField {
  readonly key: Expression | undefined;
  readonly value: Expression;
}

export interface IfClause {
  readonly condition: Expression;
  readonly block: readonly Statement[];
}

/** The target of a `goto`, once for each place it can be reached at. */
export interface Label {
  readonly name: string;
  readonly line: number;
}

export type Statement =
  | { readonly type: "local"; readonly locals: readonly Local[]; readonly values: readonly Expression[] }
  | { readonly type: "assign"; readonly targets: readonly Expression[]; readonly values: readonly Expression[] }
  | { readonly type: "call"; readonly call: CallExpression }
  | { readonly type: "do"; readonly block: readonly Statement[] }
  | { readonly type: "while"; readonly condition: Expression; readonly block: readonly Statement[] }
  | { readonly type: "repeat"; readonly block: readonly Statement[]; readonly condition: Expression }
  | { readonly type: "if"; readonly clauses: readonly IfClause[]; readonly otherwise: readonly Statement[] | undefined }
  | {
      readonly type: "numeric-for";
      readonly local: Local;
      readonly from: Expression;
      readonly to: Expression;
      readonly step: Expression | undefined;
      readonly block: readonly Statement[];
      readonly line: number;
    }
  | {
      readonly type: "generic-for";
      readonly locals: readonly Local[];
      readonly values: readonly Expression[];
      readonly block: readonly Statement[];
      readonly line: number;
    }
  | { readonly type: "local-function"; readonly local: Local; readonly body: FunctionBody; readonly line: number }
  | { readonly type: "return"; readonly values: readonly Expression[]; readonly line: number }
  | { readonly type: "break" }
  | { readonly type: "goto"; readonly label: Label }
  | { readonly type: "label"; readonly label: Label };
