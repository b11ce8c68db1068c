// One thing that both Karmada and we are asked, with random questions and a judgement of the two answers.
import type { Cluster } from "../../../../api/cluster.ts";
import type { Dice } from "../../../../reconciler/scheduler/testing/random-cases.ts";
import type { CaseResult } from "../../suite.ts";
import type { Oracle, OracleResponse } from "./oracle.ts";

export interface Question<Input> {
  readonly input: Input;
  /** The fleet that `input.fleet` names. */
  readonly clusters?: readonly Cluster[];
}

/** What was recorded of Karmada: `expected`, or one of `outcomes`. */
export interface Recorded<Input> {
  readonly id: string;
  readonly input: Input;
  readonly expected?: unknown;
  readonly outcomes?: readonly unknown[];
}

export interface Operation<Input> {
  /** What the oracle calls it. */
  readonly op: string;
  /** What it is called here, when that is more than one thing to the oracle. */
  readonly name?: string;
  /** File of the vectors in whose form cases are recorded. */
  readonly file: string;
  /** Some questions that share what is dear to make. */
  ask(dice: Dice): readonly Question<Input>[];
  /** Whether we answer the same. */
  judge(recorded: Recorded<Input>, clusters: readonly Cluster[]): CaseResult;
  /** False for what shrinking a question makes that nobody could store. */
  isSensible?(input: Input, clusters: readonly Cluster[]): boolean;
  /** Words by which one finds cases again. */
  tags(question: Question<Input>, recorded: Recorded<Input>): readonly string[];
  /** Why a difference is Karmada's own chance or a difference that the README lists; undefined when it is neither. */
  understood?(recorded: Recorded<Input>, clusters: readonly Cluster[]): string | undefined;
}

/** The fleet that a program holds. */
const sent = new WeakMap<Oracle, readonly Cluster[]>();

/** Karmada's answer to a question as a case to compare with; a text when it could not be asked. */
export async function record<Input>(
  oracle: Oracle,
  op: string,
  question: Question<Input>,
  id: string,
): Promise<Recorded<Input> | string> {
  if (question.clusters !== undefined && sent.get(oracle) !== question.clusters) {
    sent.set(oracle, question.clusters);
    // Every input of an operation with fleets names one.
    const { fleet } = question.input as { readonly fleet: string };
    const set = await oracle.ask("fleet", { fleet, clusters: question.clusters });
    if (set.problem !== undefined) return `fleet: ${set.problem}`;
  }
  return recordedFrom(await oracle.ask(op, question.input), question.input, id);
}

/** The case that one response makes. */
export function recordedFrom<Input>(response: OracleResponse, input: Input, id: string): Recorded<Input> | string {
  if (response.answer === undefined) return response.problem ?? `Karmada panics: ${response.panic}`;
  const { outcomes } = response.answer;
  return Array.isArray(outcomes) ? { id, input, outcomes } : { id, input, expected: response.answer };
}
