// Asking both, question after question, from a seed.
import { Dice } from "../../../../reconciler/scheduler/testing/random-cases.ts";
import { type Operation, type Question, type Recorded, record } from "./operation.ts";
import type { Oracle } from "./oracle.ts";

/** One question and what came of it. */
export interface Compared {
  readonly id: string;
  readonly question: Question<unknown>;
  readonly outcome:
    | { readonly kind: "passed"; readonly recorded: Recorded<unknown> }
    | { readonly kind: "failed"; readonly recorded: Recorded<unknown>; readonly details: string }
    /** They differ, for a reason that is known. */
    | { readonly kind: "understood"; readonly why: string }
    /** Karmada could not be asked. */
    | { readonly kind: "skipped"; readonly why: string };
}

export interface ComparisonOptions {
  readonly seed: number;
  readonly cases: number;
  /** Where in the random sequence to begin, in batches of questions. */
  readonly firstBatch?: number;
}

/** Asks about `cases` questions; the id of each says how to ask it again. */
export async function* compareOperation(
  oracle: Oracle,
  name: string,
  operation: Operation<unknown>,
  { seed, cases, firstBatch = 0 }: ComparisonOptions,
): AsyncGenerator<Compared> {
  for (let asked = 0, batch = firstBatch; asked < cases; batch++) {
    const questions = operation.ask(new Dice(seed * 1_000_003 + batch)).slice(0, cases - asked);
    const ids = questions.map((_, at) => `${name}-${seed}-${batch}-${at}`);
    const answers = await Promise.all(
      questions.map((question, at) => record(oracle, operation.op, question, ids[at] as string)),
    );
    asked += questions.length;
    for (const [at, question] of questions.entries()) {
      const recorded = answers[at] as Recorded<unknown> | string;
      yield { id: ids[at] as string, question, outcome: outcomeOf(operation, question, recorded) };
    }
  }
}

function outcomeOf(
  operation: Operation<unknown>,
  question: Question<unknown>,
  recorded: Recorded<unknown> | string,
): Compared["outcome"] {
  if (typeof recorded === "string") return { kind: "skipped", why: recorded.slice(0, 1000) };
  const clusters = question.clusters ?? [];
  const result = operation.judge(recorded, clusters);
  if (result.passed) return { kind: "passed", recorded };
  const why = operation.understood?.(recorded, clusters);
  if (why !== undefined) return { kind: "understood", why };
  return { kind: "failed", recorded, details: result.details ?? "" };
}
