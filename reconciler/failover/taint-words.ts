// Changes of taints in the words of `kubectl taint`: KEY=VALUE:EFFECT, KEY:EFFECT, KEY:EFFECT- and KEY-.
import type { Taint } from "../../api/cluster.ts";
import { checkLabelValue, checkQualifiedName } from "../../kube/names.ts";
import { AppError } from "../../runtime/errors.ts";
import { isSameTaint } from "./condition-taints.ts";

export const UNSCHEDULABLE_TAINT = "cluster.karmada.io/unschedulable";

/** A taint to take away; without an effect all of its key. */
export interface TaintRemoval {
  readonly key: string;
  readonly effect: Taint["effect"] | undefined;
}

export interface TaintWords {
  readonly add: readonly Taint[];
  readonly remove: readonly TaintRemoval[];
}

export interface TaintOutcome {
  readonly taints: readonly Taint[];
  /** As kubectl says it. */
  readonly outcome: "tainted" | "untainted" | "modified";
}

const EFFECTS: readonly string[] = ["NoSchedule", "PreferNoSchedule", "NoExecute"] satisfies readonly Taint["effect"][];

export function looksLikeTaint(word: string): boolean {
  return word.includes("=") || word.includes(":") || word.endsWith("-");
}

/** Reads the words. Throws `taint-invalid` for what is no taint, is given twice, or is both set and taken away. */
export function parseTaintWords(words: readonly string[]): TaintWords {
  const add: Taint[] = [];
  const remove: TaintRemoval[] = [];
  for (const word of words) {
    if (word.endsWith("-")) {
      const { key, effect } = parseTaint(word.slice(0, -1));
      remove.push({ key, effect });
      continue;
    }
    const { key, value, effect } = parseTaint(word);
    if (effect === undefined)
      throw invalid(`invalid taint spec: ${word}: a taint has an effect, as in ${key}:NoSchedule`);
    const taint: Taint = { key, effect, ...(value === "" ? {} : { value }) };
    if (add.some((other) => isSameTaint(other, taint)))
      throw invalid(`duplicated taints with the same key and effect: ${key}:${effect}`);
    add.push(taint);
  }
  const clash = add.filter((taint) => remove.some((removal) => isMeant(removal, taint)));
  if (clash.length > 0) {
    const list = clash.map((taint) => `${taint.key}:${taint.effect}`).join(", ");
    throw invalid(`can not both modify and remove the following taint(s) in the same command: ${list}`);
  }
  return { add, remove };
}

/**
 * The taints of a cluster after the change. As kubectl: what is set stands before what was there. Throws
 * `taint-exists` for one that is there when `overwrite` is false, `taint-not-found` for a removal that means none.
 */
export function changeTaintsByWords(
  cluster: string,
  before: readonly Taint[],
  { add, remove }: TaintWords,
  overwrite: boolean,
): TaintOutcome {
  const present = add.filter((taint) => before.some((other) => isSameTaint(other, taint))).map(({ key }) => key);
  if (present.length > 0 && !overwrite) {
    throw new AppError(
      "taint-exists",
      `cluster ${cluster} already has ${present.join(",")} taint(s) with same effect(s) and --overwrite is false`,
      { recovery: "stall" },
    );
  }
  for (const removal of remove) {
    if (before.some((taint) => isMeant(removal, taint))) continue;
    const { key, effect } = removal;
    throw new AppError("taint-not-found", `taint "${effect === undefined ? key : `${key}:${effect}`}" not found`, {
      recovery: "stall",
    });
  }
  const others = before.filter((taint) => !add.some((other) => isSameTaint(other, taint)));
  const taints = [...add, ...others].filter((taint) => !remove.some((removal) => isMeant(removal, taint)));
  const isModified = present.length > 0 || (add.length > 0 && remove.length > 0);
  return { taints, outcome: isModified ? "modified" : add.length > 0 ? "tainted" : "untainted" };
}

/** The taints with or without the one that keeps new workloads away; undefined when it is as wished already. */
export function cordonTaints(before: readonly Taint[], cordoned: boolean): Taint[] | undefined {
  const taint: Taint = { key: UNSCHEDULABLE_TAINT, effect: "NoSchedule" };
  if (before.some((other) => isSameTaint(other, taint)) === cordoned) return undefined;
  return cordoned ? [...before, taint] : before.filter((other) => !isSameTaint(other, taint));
}

function isMeant({ key, effect }: TaintRemoval, taint: Taint): boolean {
  return taint.key === key && (effect === undefined || effect === taint.effect);
}

function parseTaint(word: string): { key: string; value: string; effect: Taint["effect"] | undefined } {
  const [left = "", effect, ...more] = word.split(":");
  const [key = "", value = "", ...further] = effect === undefined ? [left] : left.split("=");
  if (more.length > 0 || further.length > 0) throw invalid(`invalid taint spec: ${word}`);
  if (effect !== undefined && !isEffect(effect))
    throw invalid(`invalid taint effect: ${effect}: there are ${EFFECTS.join(", ")}`);
  const problems = [...checkQualifiedName(key), ...checkLabelValue(value)];
  if (problems.length > 0) throw invalid(`invalid taint spec: ${word}: ${problems.join("; ")}`);
  return { key, value, effect };
}

function isEffect(text: string): text is Taint["effect"] {
  return EFFECTS.includes(text);
}

function invalid(message: string): AppError {
  return new AppError("taint-invalid", message, { recovery: "stall" });
}
