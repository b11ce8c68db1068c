// What the kinds of this control plane mean, for all loops: pure rules decide, and what they cannot know is asked outside.
import { type GroupVersionKind, parseApiVersion } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { WorkQueue } from "../../../runtime/work-queue.ts";
import { type Answer, AnswerPending, Answers, keyOf, NO_ANSWERS, type Question } from "../../interpreter/answers.ts";
import type { Compatibility } from "../../interpreter/betterments.ts";
import type { Interpreter, InterpreterLevel, InterpreterOperation } from "../../interpreter/interpreter.ts";
import { createInterpreter } from "../../interpreter/levels.ts";
import { builtInLevels } from "../../interpreter/standard-interpreter.ts";
import type { AnyBinding } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { allBindings } from "../scheduling/binding-key.ts";

/** Questions of one decision that are asked at the same time. */
const ASKED_AT_ONCE = 16;

/** The meaning of some kinds has become another. */
export interface InterpretationChange {
  /** Whether an operation on objects of the kind may now answer differently. */
  concerns(gvk: GroupVersionKind, operation: InterpreterOperation): boolean;
}

/** Asks one kind of question. */
export interface Asker {
  /** What questions name as their asker. */
  readonly name: string;
  /** The answer. An `AppError` is an answer to the question too; anything else thrown is a bug. */
  ask(question: Question, signal: AbortSignal): Promise<unknown>;
}

/** A level that the objects of the control plane make. */
export interface LevelProvider {
  /** The level as those objects are now, with `answers` to what it asks; undefined when it knows no kind. */
  levelWith(answers: Answers): InterpreterLevel | undefined;
  /** Tells of each change of the level, once `levelWith` gives the new one. */
  subscribe(listener: (change: InterpretationChange) => void): void;
  readonly askers: readonly Asker[];
}

export interface InterpretationOptions {
  readonly compatibility: Compatibility;
  /** Whether a kind has a status subresource on the control plane. */
  readonly hasStatus?: (gvk: GroupVersionKind) => boolean;
  readonly customization?: LevelProvider | undefined;
  readonly webhook?: LevelProvider | undefined;
}

/** Who decides, and what ends the waiting. */
export interface Asking {
  readonly signal: AbortSignal;
  /** The queue whose step decides: while it waits for an answer, another key may run in its place. */
  readonly queue?: WorkQueue | undefined;
}

interface Call {
  readonly abort: AbortController;
  readonly answer: Promise<Answer>;
  waiting: number;
}

/** The interpreter of a control plane as its loops use it. */
export class Interpretation {
  readonly #options: InterpretationOptions;
  readonly #builtIn: ReturnType<typeof builtInLevels>;
  readonly #askers = new Map<string, Asker>();
  readonly #listeners: ((change: InterpretationChange) => void)[] = [];
  #version = 0;
  /** Questions on their way, by content. */
  readonly #calls = new Map<string, Call>();
  #interpreter: Interpreter;

  constructor(options: InterpretationOptions) {
    this.#options = options;
    this.#builtIn = builtInLevels(options.compatibility, options.hasStatus);
    this.#interpreter = this.#interpreterWith(NO_ANSWERS);
    for (const provider of [options.customization, options.webhook]) {
      for (const asker of provider?.askers ?? []) this.#askers.set(asker.name, asker);
      provider?.subscribe((change) => {
        this.#interpreter = this.#interpreterWith(NO_ANSWERS);
        this.#version++;
        for (const listener of this.#listeners) listener(change);
      });
    }
  }

  /** Whether any level knows the operation for the kind. */
  hookEnabled(gvk: GroupVersionKind, operation: InterpreterOperation): boolean {
    return this.#interpreter.hookEnabled(gvk, operation);
  }

  /** Another number after each change. */
  get version(): number {
    return this.#version;
  }

  /** Calls `listener` when the meaning of kinds changes, by what users write, so that their objects are looked at again. */
  subscribe(listener: (change: InterpretationChange) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * What `decide` answers, which must be a pure function: it is called again with more answers as long as it lacks some. It
   * may take its time, and promise its answer.
   * An answer counts for this decision alone; equal questions that others ask meanwhile are asked once. Throws what
   * `decide` throws.
   */
  async decide<T>(decide: (interpreter: Interpreter) => T | Promise<T>, asking: Asking): Promise<T> {
    try {
      const decided = decide(this.#interpreter);
      return decided instanceof Promise ? await decided : decided;
    } catch (error) {
      if (!(error instanceof AnswerPending)) throw error;
      return this.#decideAsking(decide, error, asking);
    }
  }

  async #decideAsking<T>(
    decide: (interpreter: Interpreter) => T | Promise<T>,
    first: AnswerPending,
    asking: Asking,
  ): Promise<T> {
    const { signal, queue } = asking;
    const answers = new Answers();
    let pending = first;
    for (;;) {
      const asked = this.#askAll(pending.questions, answers, signal);
      await (queue === undefined ? asked : queue.park(asked));
      signal.throwIfAborted();
      try {
        return await decide(this.#interpreterWith(answers));
      } catch (error) {
        if (!(error instanceof AnswerPending)) throw error;
        pending = error;
      }
    }
  }

  async #askAll(questions: readonly Question[], answers: Answers, signal: AbortSignal): Promise<void> {
    const fresh = new Map(questions.filter((each) => !answers.has(each)).map((each) => [keyOf(each), each]));
    // Asking what was answered would go on for ever.
    if (fresh.size === 0) throw new Error(`a level does not take the answer to: ${questions[0]?.subject}`);
    await mapLimit([...fresh.values()], ASKED_AT_ONCE, async (question) => {
      answers.set(question, await this.#ask(question, signal));
    });
  }

  /** Joins whoever asks the same by now. The one who leaves last ends the call. */
  async #ask(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const key = keyOf(question);
    let call = this.#calls.get(key);
    if (call === undefined) {
      const abort = new AbortController();
      call = { abort, answer: this.#answerTo(question, abort.signal), waiting: 0 };
      this.#calls.set(key, call);
    }
    call.waiting++;
    try {
      return await untilAborted(call.answer, signal);
    } finally {
      call.waiting--;
      if (this.#calls.get(key) === call) {
        // Answered, or wanted by nobody: whoever comes now asks anew.
        if (call.waiting === 0 || !signal.aborted) this.#calls.delete(key);
      }
      if (call.waiting === 0) call.abort.abort(signal.reason);
    }
  }

  async #answerTo(question: Question, signal: AbortSignal): Promise<Answer> {
    const asker = this.#askers.get(question.asker);
    if (asker === undefined) throw new Error(`nobody asks ${question.asker} questions: ${question.subject}`);
    try {
      return { value: await asker.ask(question, signal) };
    } catch (error) {
      if (error instanceof AppError && !signal.aborted) return { failure: error };
      throw error;
    }
  }

  #interpreterWith(answers: Answers): Interpreter {
    const { customization, webhook } = this.#options;
    return createInterpreter({
      ...this.#builtIn,
      customization: customization?.levelWith(answers),
      webhook: webhook?.levelWith(answers),
    });
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** The bindings of objects for which a change may make one of the operations answer differently. */
export function* concernedBindings(
  context: ControllerContext,
  change: InterpretationChange,
  operations: readonly InterpreterOperation[],
): Generator<AnyBinding> {
  const byKind = new Map<string, boolean>();
  for (const binding of allBindings(context)) {
    const { apiVersion, kind } = binding.spec.resource;
    const key = `${apiVersion}/${kind}`;
    let isConcerned = byKind.get(key);
    if (isConcerned === undefined) {
      const gvk = { ...parseApiVersion(apiVersion), kind };
      isConcerned = operations.some((operation) => change.concerns(gvk, operation));
      byKind.set(key, isConcerned);
    }
    if (isConcerned) yield binding;
  }
}
