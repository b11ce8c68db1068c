import { describe, expect, it } from "vitest";
import { AppError } from "../../runtime/errors.ts";
import { AnswerPending, Answers, letPendingPass, PendingQuestions, type Question } from "./answers.ts";

function question(key: string): Question {
  return { asker: "test", key, subject: `what of ${key}?` };
}

function pendingOf(fn: () => unknown): readonly Question[] {
  try {
    fn();
  } catch (error) {
    if (error instanceof AnswerPending) return error.questions;
    throw error;
  }
  throw new Error("nothing is pending");
}

describe("Answers", () => {
  it("throw the question while nobody has answered it", () => {
    expect(pendingOf(() => new Answers().valueOf(question("a")))).toEqual([question("a")]);
  });

  it("give the value to every question of the same content", () => {
    const answers = new Answers();
    answers.set(question("a"), { value: 3 });

    expect(answers.valueOf(question("a"))).toBe(3);
    expect(answers.has(question("b"))).toBe(false);
  });

  it("throw the failure where the value was wanted", () => {
    const answers = new Answers();
    const failure = new AppError("webhook-failed", "no", { recovery: "retry" });
    answers.set(question("a"), { failure });

    expect(() => answers.valueOf(question("a"))).toThrow(failure);
  });

  it("tell askers apart", () => {
    const answers = new Answers();
    answers.set(question("a"), { value: 3 });

    expect(answers.has({ ...question("a"), asker: "other" })).toBe(false);
  });

  it("have a bound", () => {
    const answers = new Answers(1);
    answers.set(question("a"), { value: 1 });
    answers.set(question("a"), { value: 2 });

    expect(() => answers.set(question("b"), { value: 1 })).toThrow("more than 1 questions; the last: what of b?");
  });
});

describe("PendingQuestions", () => {
  it("gather the questions of all parts, and leave other errors alone", () => {
    const pending = new PendingQuestions();
    pending.throwIfAny();

    expect(pending.take(new AnswerPending([question("a")]))).toBe(true);
    expect(pending.take(new AnswerPending([question("b")]))).toBe(true);
    expect(pending.take(new Error("x"))).toBe(false);
    expect(pendingOf(() => pending.throwIfAny())).toEqual([question("a"), question("b")]);
  });
});

describe("letPendingPass", () => {
  it("throws questions and swallows nothing else", () => {
    expect(pendingOf(() => letPendingPass(new AnswerPending([question("a")])))).toEqual([question("a")]);
    expect(() => letPendingPass(new Error("x"))).not.toThrow();
  });
});
