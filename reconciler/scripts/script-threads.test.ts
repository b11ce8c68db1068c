import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { THREAD_LIMITS } from "../interpreter/customization/script-limits.ts";
import { isStop, ScriptThreads } from "./script-threads.ts";

const ENDLESS = "function f() while true do end end";
const NEVER = new AbortController().signal;

let threads: ScriptThreads | undefined;
afterEach(() => threads?.close());

function start(options: { timeoutMs?: number; threads?: number; steps?: number } = {}): ScriptThreads {
  const limits = { ...THREAD_LIMITS, steps: options.steps ?? THREAD_LIMITS.steps };
  threads = new ScriptThreads({ clock: systemClock, logger: silentLogger, ...options, limits });
  return threads;
}

function failure(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => Promise.reject(new Error("did not fail")),
    (error: AppError) => error,
  );
}

describe("ScriptThreads", () => {
  it("answers what the function returns, and hands out errors as they are in place", async () => {
    const pool = start();
    const source = 'function f(a) if a.fail then error("no") end return a.n * 2 end';

    expect(await pool.run({ source, functionName: "f" }, [{ n: 21 }], NEVER)).toEqual([42]);
    const error = await failure(pool.run({ source, functionName: "f" }, [{ fail: true }], NEVER));
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "lua-error", details: { line: 1 } });
    expect(isStop(error)).toBe(false);
    expect(await failure(pool.run({ source, functionName: "g" }, [], NEVER))).toMatchObject({
      code: "lua-function-missing",
    });
  });

  it("ends a thread that takes too long, and goes on with another", async () => {
    const pool = start({ timeoutMs: 150, threads: 1, steps: Number.POSITIVE_INFINITY });

    const endless = failure(pool.run({ source: ENDLESS, functionName: "f" }, [], NEVER));
    const next = pool.run({ source: "function f() return 1 end", functionName: "f" }, [], NEVER);

    const error = await endless;
    expect(error).toMatchObject({ code: "lua-limit", recovery: "retry", details: { limit: "time" } });
    expect(isStop(error)).toBe(true);
    expect(await next).toEqual([1]);
  });

  it("gives each script its turn, whatever another has in line", async () => {
    const pool = start({ threads: 1, steps: 200_000 });
    const ended: string[] = [];
    const run = (source: string, name: string): Promise<unknown> =>
      pool.run({ source, functionName: "f" }, [], NEVER).then(
        () => ended.push(name),
        () => ended.push(name),
      );

    await Promise.all([
      run(ENDLESS, "endless"),
      run(ENDLESS, "endless"),
      run(ENDLESS, "endless"),
      run("function f() end", "quick"),
    ]);

    expect(ended.at(-1)).toBe("endless");
  });

  it("does not run what nobody waits for any more", async () => {
    const pool = start({ threads: 1, timeoutMs: 150, steps: Number.POSITIVE_INFINITY });
    const abort = new AbortController();
    const first = failure(pool.run({ source: ENDLESS, functionName: "f" }, [], NEVER));
    const second = failure(pool.run({ source: ENDLESS, functionName: "f" }, [], abort.signal));

    abort.abort(new Error("gone"));

    await first;
    expect((await second).message).toBe("gone");
  });

  it("refuses those of a script that still wait", async () => {
    const pool = start({ threads: 1, timeoutMs: 150, steps: Number.POSITIVE_INFINITY });
    const first = failure(pool.run({ source: ENDLESS, functionName: "f" }, [], NEVER));
    const second = failure(pool.run({ source: ENDLESS, functionName: "f" }, [], NEVER));
    const reason = new AppError("lua-limit", "again and again", { recovery: "retry" });

    pool.refuse(ENDLESS, reason);

    expect(await second).toBe(reason);
    expect(await first).toMatchObject({ details: { limit: "time" } });
  });

  it("rejects what is under way when it is closed", async () => {
    const pool = start({ steps: Number.POSITIVE_INFINITY });
    const running = failure(pool.run({ source: ENDLESS, functionName: "f" }, [], NEVER));

    await pool.close();

    expect(await running).toMatchObject({ code: "script-thread-failed" });
    expect(await failure(pool.run({ source: ENDLESS, functionName: "f" }, [], NEVER))).toMatchObject({
      code: "script-thread-failed",
    });
  });
});
