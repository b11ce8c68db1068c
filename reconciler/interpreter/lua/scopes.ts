// What the names of a script mean where they stand: which local, upvalue or global; which label a `goto` goes to.

import type { Expression, Label, Local, UpvalueSource } from "./ast.ts";

type LuaSyntaxProblem = (line: number, problem: string) => Error;

interface PendingGoto {
  readonly name: string;
  readonly line: number;
  readonly column: number;
  /** Filled in when the label is found; the statement holds this object. */
  readonly statement: { label: Label };
  /** How many locals of its block the `goto` sees. A label behind further locals of that block would be in their scope. */
  locals: number;
}

class Block {
  readonly locals: Local[] = [];
  readonly labels = new Map<string, Label & { readonly locals: number }>();
  readonly gotos: PendingGoto[] = [];
  readonly parent: Block | undefined;
  readonly isLoop: boolean;

  constructor(parent: Block | undefined, isLoop: boolean) {
    this.parent = parent;
    this.isLoop = isLoop;
  }
}

/** The names of one function. */
export class FunctionScope {
  readonly parent: FunctionScope | undefined;
  readonly variadic: boolean;
  readonly upvalues: UpvalueSource[] = [];
  usesVarargs = false;
  nesting = 0;
  readonly #upvalueNames = new Map<Local, number>();
  #block: Block;

  constructor(parent: FunctionScope | undefined, variadic: boolean) {
    this.parent = parent;
    this.variadic = variadic;
    this.#block = new Block(undefined, false);
  }

  openBlock(isLoop: boolean): void {
    this.#block = new Block(this.#block, isLoop);
  }

  /** Ends the block; each `goto` in it that found no label goes on looking in the block around. */
  closeBlock(problem: LuaSyntaxProblem): void {
    const { parent, gotos } = this.#block;
    const [first] = gotos;
    if (parent === undefined) {
      if (first !== undefined) {
        throw problem(first.line, `no visible label '${first.name}' for <goto> at line ${first.line}`);
      }
      return;
    }
    for (const pending of gotos) {
      const label = parent.labels.get(pending.name);
      if (label !== undefined) pending.statement.label = label;
      else parent.gotos.push({ ...pending, locals: parent.locals.length });
    }
    this.#block = parent;
  }

  get inLoop(): boolean {
    for (let block: Block | undefined = this.#block; block !== undefined; block = block.parent) {
      if (block.isLoop) return true;
    }
    return false;
  }

  declare(name: string): Local {
    const local: Local = { name, captured: false, slot: -1 };
    this.#block.locals.push(local);
    return local;
  }

  label(name: string, line: number, isLast: boolean, problem: LuaSyntaxProblem): Label {
    const block = this.#block;
    const old = block.labels.get(name);
    if (old !== undefined) throw problem(line, `label '${name}' already defined on line ${old.line}`);
    const label = { name, line, locals: block.locals.length };
    block.labels.set(name, label);
    for (let index = block.gotos.length - 1; index >= 0; index--) {
      const pending = block.gotos[index]!;
      if (pending.name !== name) continue;
      const entered = block.locals[pending.locals];
      // At the end of its block a label is behind the scope of all locals.
      if (entered !== undefined && !isLast) {
        throw problem(
          pending.line,
          `<goto ${name}> at line ${pending.line} jumps into the scope of local '${entered.name}'`,
        );
      }
      pending.statement.label = label;
      block.gotos.splice(index, 1);
    }
    return label;
  }

  goto(name: string, line: number, column: number, statement: { label: Label }): void {
    for (let block: Block | undefined = this.#block; block !== undefined; block = block.parent) {
      const label = block.labels.get(name);
      if (label !== undefined) {
        statement.label = label;
        return;
      }
    }
    this.#block.gotos.push({ name, line, column, statement, locals: this.#block.locals.length });
  }

  resolve(name: string, line: number): Expression {
    const local = this.#findLocal(name);
    if (local !== undefined) return { type: "local", local, line };
    const upvalue = this.#upvalueOf(name);
    if (upvalue !== undefined) return { type: "upvalue", index: upvalue.index, name, line };
    return { type: "global", name, line };
  }

  #findLocal(name: string): Local | undefined {
    for (let block: Block | undefined = this.#block; block !== undefined; block = block.parent) {
      const local = block.locals.findLast((candidate) => candidate.name === name);
      if (local !== undefined) return local;
    }
    return undefined;
  }

  // The upvalue through which this function reaches a variable around it, and the variable.
  #upvalueOf(name: string): { readonly local: Local; readonly index: number } | undefined {
    const { parent } = this;
    if (parent === undefined) return undefined;
    const local = parent.#findLocal(name);
    if (local !== undefined) {
      local.captured = true;
      return { local, index: this.#upvalueIndex(local, { local }) };
    }
    const around = parent.#upvalueOf(name);
    if (around === undefined) return undefined;
    return { local: around.local, index: this.#upvalueIndex(around.local, { upvalue: around.index }) };
  }

  #upvalueIndex(local: Local, source: UpvalueSource): number {
    const known = this.#upvalueNames.get(local);
    if (known !== undefined) return known;
    this.#upvalueNames.set(local, this.upvalues.length);
    this.upvalues.push(source);
    return this.upvalues.length - 1;
  }
}
