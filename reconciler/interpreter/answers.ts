// How rules stay pure although somebody outside knows the answer: a rule that lacks an answer says which, whoever wanted
// to decide asks for it, and decides again with the answer at hand.
import { AppError } from "../../runtime/errors.ts";

/** Something that a level cannot know by itself. Each kind of question is a class of its own, known to its asker. */
export interface Question {
  /** Name of the one who can ask it, such as `webhook`. */
  readonly asker: string;
  /** Equal for questions of an asker that have the same answer: who is asked, for what, and about which content. */
  readonly key: string;
  /** What is asked, of whom, in words. */
  readonly subject: string;
}

/** What came of a question. A failure is an answer too: the level throws it where the value was wanted. */
export type Answer = { readonly value: unknown } | { readonly failure: AppError };

/** Thrown by a level that lacks answers. It is no failure of the rule: who catches errors of an interpreter lets it pass. */
export class AnswerPending extends Error {
  readonly questions: readonly Question[];

  constructor(questions: readonly Question[]) {
    super(`not known yet: ${questions.map(({ subject }) => subject).join("; ")}`);
    this.name = "AnswerPending";
    this.questions = questions;
  }
}

/** The answer to a question that nobody is to ask: what depends on it stays unknown. `how` says how to have it asked. */
export function notAsked(question: Question, how: string): AppError {
  return new AppError("interpreter-not-asked", `${question.subject} is not known: ${how}`, { recovery: "stall" });
}

const UNANSWERED: ReadonlySet<string> = new Set(["interpreter-not-asked", "interpreter-webhook-failed"]);

/** Whether an error, or what caused it, is that somebody outside was not asked or gave no answer of use. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof AppError && (UNANSWERED.has(error.code) || isUnanswered(error.cause));
}

/** For a `catch` around an interpreter: questions pass, what stays is the rule's own failure. */
export function letPendingPass(error: unknown): void {
  if (error instanceof AnswerPending) throw error;
}

/** The questions of several parts of one decision, each once, so that all of them are asked at once. */
export class PendingQuestions {
  #questions: Map<string, Question> | undefined;

  /** Takes the questions of an error, and answers true; false for any other error. */
  take(error: unknown): boolean {
    if (!(error instanceof AnswerPending)) return false;
    this.#questions ??= new Map();
    for (const question of error.questions) this.#questions.set(keyOf(question), question);
    return true;
  }

  /** What `part` answers; undefined when it has questions, which are taken. */
  gather<T>(part: () => T): T | undefined {
    try {
      return part();
    } catch (error) {
      if (this.take(error)) return undefined;
      throw error;
    }
  }

  /** Throws the questions taken; does nothing when there are none. */
  throwIfAny(): void {
    if (this.#questions !== undefined) throw new AnswerPending([...this.#questions.values()]);
  }
}

/** More than any decision asks; one that goes on asking would never end. */
const MOST_ANSWERS = 100_000;

/** The answers that one decision has got so far. */
export class Answers {
  readonly #limit: number;
  readonly #found = new Map<string, Answer>();

  constructor(limit = MOST_ANSWERS) {
    this.#limit = limit;
  }

  has(question: Question): boolean {
    return this.#found.has(keyOf(question));
  }

  /** Throws `interpreter-too-many-questions` when there is no room. */
  set(question: Question, answer: Answer): void {
    if (this.#found.size >= this.#limit && !this.has(question))
      throw new AppError(
        "interpreter-too-many-questions",
        `one decision asks more than ${this.#limit} questions; the last: ${question.subject}`,
        { recovery: "stall" },
      );
    this.#found.set(keyOf(question), answer);
  }

  /** The value that was answered. Throws `AnswerPending` when nobody has been asked, and the failure when asking failed. */
  valueOf(question: Question): unknown {
    const answer = this.#found.get(keyOf(question));
    if (answer === undefined) throw new AnswerPending([question]);
    if ("failure" in answer) throw answer.failure;
    return answer.value;
  }
}

/** Equal for questions with the same answer, whoever asks them. */
export function keyOf({ asker, key }: Question): string {
  return `${asker}\n${key}`;
}

/** Nobody was asked anything. */
export const NO_ANSWERS = new Answers(0);
