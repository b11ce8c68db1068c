import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { AnswerPending, Answers } from "../answers.ts";
import { compileCustomization } from "./compile-customization.ts";
import type { CustomizationScript } from "./customization-index.ts";
import { deferringRunner, type ScriptQuestion } from "./deferring-runner.ts";
import { CompiledScripts } from "./script-runner.ts";
import { SlowScripts } from "./slow-scripts.ts";

const LIMITS = { steps: 1_000, memoryBytes: 1_000_000, depth: 100 };
/** Counts to what the object says. */
const SCRIPT: CustomizationScript = {
  customization: "counting",
  operation: "InterpretHealth",
  functionName: "InterpretHealth",
  source: "function InterpretHealth(obj) for i = 1, obj.n do local x = i end return true end",
};

class Setting {
  now = 0;
  readonly slow = new SlowScripts(() => this.now);
  readonly scripts = new CompiledScripts(compileCustomization);

  run(n: number, answers = new Answers()): readonly unknown[] {
    const { scripts, slow } = this;
    return deferringRunner({ scripts, slow, answers, limits: LIMITS, now: () => 0 }).run(SCRIPT, [{ n }]);
  }

  question(n: number): ScriptQuestion {
    try {
      this.run(n);
    } catch (error) {
      // It asks no other questions.
      if (error instanceof AnswerPending) return error.questions[0] as ScriptQuestion;
      throw error;
    }
    throw new Error("asked nothing");
  }

  /** As whoever asks threads does when one is stopped. */
  stop(n: number): AppError {
    const failure = new AppError("lua-limit", `stopped at ${n}`, { recovery: "retry" });
    this.slow.noteStop(SCRIPT.source, this.question(n).key, failure);
    return failure;
  }
}

describe("deferringRunner", () => {
  it("runs quick scripts in place", () => {
    expect(new Setting().run(10)).toEqual([true]);
  });

  it("asks a thread for what takes longer, and takes its answer", () => {
    const setting = new Setting();

    const question = setting.question(100_000);
    const answers = new Answers();
    answers.set(question, { value: ["from the thread"] });

    expect(question).toMatchObject({ asker: "script", script: SCRIPT, args: [{ n: 100_000 }] });
    expect(setting.run(100_000, answers)).toEqual(["from the thread"]);
    // Other objects of the kind stay in place.
    expect(setting.run(10)).toEqual([true]);
    expect(setting.question(200_000).key).not.toBe(question.key);
  });

  it("fails a stopped call at once when it comes again soon, and no other", () => {
    const setting = new Setting();
    const failure = setting.stop(100_000);

    expect(() => setting.run(100_000)).toThrow(failure);
    expect(setting.run(10)).toEqual([true]);
    setting.now += 30_000;
    expect(setting.question(100_000)).toBeDefined();
  });

  it("leaves a script alone that is stopped again and again", () => {
    const setting = new Setting();
    for (const n of [100_000, 200_000]) setting.stop(n);
    expect(setting.run(10)).toEqual([true]);
    // The one that ended shows that not every call is stopped.
    for (const n of [300_000, 400_000]) setting.stop(n);
    expect(setting.run(10)).toEqual([true]);

    for (const n of [500_000, 600_000]) setting.stop(n);
    setting.stop(700_000);

    expect(() => setting.run(10)).toThrow("stopped at 700000, 3 times in a row; it is tried again in 30 s");
    setting.now += 60_000;
    expect(setting.run(10)).toEqual([true]);
  });

  it("goes to a thread at once after calls in a row that took too long, for a while", () => {
    const setting = new Setting();
    for (const n of [100_000, 200_000]) setting.question(n);
    setting.run(10);
    for (const n of [300_000, 400_000]) setting.question(n);
    expect(setting.run(10)).toEqual([true]);

    for (const n of [500_000, 600_000, 700_000]) setting.question(n);

    expect(setting.question(10)).toMatchObject({ args: [{ n: 10 }] });
    setting.now += 60_000;
    expect(setting.run(10)).toEqual([true]);
  });

  it("forgets scripts that are not in use", () => {
    const setting = new Setting();
    setting.stop(100_000);

    setting.slow.keepOnly(new Set([SCRIPT.source]));
    expect(setting.slow.isQuick(SCRIPT.source)).toBe(false);
    setting.slow.keepOnly(new Set());

    expect(setting.slow.isQuick(SCRIPT.source)).toBe(true);
  });

  it("lets other failures of scripts through", () => {
    const setting = new Setting();
    const script = { ...SCRIPT, functionName: "Missing" };
    const { scripts, slow } = setting;
    const runner = deferringRunner({ scripts, slow, answers: new Answers(), limits: LIMITS, now: () => 0 });

    expect(() => runner.run(script, [])).toThrow("not found function Missing");
  });
});

describe("CompiledScripts", () => {
  it("compiles each text once, those that fail too, and forgets the oldest", () => {
    const compiled: string[] = [];
    const scripts = new CompiledScripts((source) => {
      compiled.push(source);
      if (source === "bad") throw new Error("no Lua");
      return compileCustomization(source);
    }, 2);

    scripts.get("x = 1");
    expect(() => scripts.get("bad")).toThrow("no Lua");
    expect(() => scripts.get("bad")).toThrow("no Lua");
    scripts.get("x = 1");
    scripts.get("x = 2");
    scripts.get("x = 1");
    expect(() => scripts.get("bad")).toThrow("no Lua");

    expect(compiled).toEqual(["x = 1", "bad", "x = 2", "bad"]);
  });
});
