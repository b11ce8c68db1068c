// Objects of one namespace in the order of their names, cheap to change and to list however many there are.
import type { StoredObject } from "./stored-object.ts";

const MOST_IN_A_RUN = 1024;

/** Sorted runs of up to a thousand objects: a change moves at most one run. */
export class SortedNames {
  #runs: StoredObject[][] = [];
  /** All of them in one list; undefined after a change. */
  #list: readonly StoredObject[] | undefined;

  /** Adds an object, or replaces the one of its name. */
  set(object: StoredObject): void {
    this.#list = undefined;
    const { name } = object;
    const run = this.#runs[this.#runOf(name)];
    if (run === undefined) {
      this.#runs.push([object]);
      return;
    }
    const at = firstNotBefore(run, name);
    if (run[at]?.name === name) run[at] = object;
    else {
      run.splice(at, 0, object);
      if (run.length > MOST_IN_A_RUN) this.#split(run, at);
    }
  }

  delete(name: string): void {
    this.#list = undefined;
    const index = this.#runOf(name);
    const run = this.#runs[index];
    if (run === undefined) return;
    const at = firstNotBefore(run, name);
    if (run[at]?.name === name) run.splice(at, 1);
    if (run.length === 0) this.#runs.splice(index, 1);
  }

  /** All objects in order. The list stays as it is when the names change. */
  list(): readonly StoredObject[] {
    this.#list ??= this.#runs.length === 1 ? [...this.#runs[0]!] : this.#runs.flat();
    return this.#list;
  }

  /** The run that holds the name, or would: the last one that begins at or before it. */
  #runOf(name: string): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle]![0]!.name <= name) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Names often come in ascending order: then the full run stays full. */
  #split(run: StoredObject[], added: number): void {
    const from = added === run.length - 1 ? added : run.length >>> 1;
    this.#runs.splice(this.#runs.indexOf(run) + 1, 0, run.splice(from));
  }
}

function firstNotBefore(run: readonly StoredObject[], name: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (run[middle]!.name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
