// A few threads that run scripts for as long as a script may take, and no longer.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Clock } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { ScriptCall } from "../interpreter/customization/script-runner.ts";
import type { LuaLimits } from "../interpreter/lua/script.ts";
import type { ScriptReply, ThreadCall } from "./script-messages.ts";

/** As Karmada gives a call of a script. */
export const SCRIPT_TIMEOUT_MS = 1_000;
/** The event loop keeps a core for itself where there is more than one. */
const MOST_THREADS = Math.min(2, Math.max(1, availableParallelism() - 1));
const MAX_MEMORY_MB = 128;
const START_TIMEOUT_MS = 10_000;

export interface ScriptThreadsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: LuaLimits;
  /** Milliseconds that a call may take once it has a thread. */
  readonly timeoutMs?: number;
  readonly threads?: number;
}

interface Waiting {
  readonly call: ThreadCall;
  readonly signal: AbortSignal;
  resolve(results: readonly unknown[]): void;
  reject(error: unknown): void;
}

/** A call was stopped from outside, so that nothing is known of its end. */
export function isStop(error: AppError): boolean {
  return error.code === "lua-limit" && (error.details["limit"] === "time" || error.details["limit"] === "steps");
}

/** Owns its threads, which start when they are needed; `close` ends them. */
export class ScriptThreads {
  readonly #options: ScriptThreadsOptions;
  /** Calls by script: each script has its turn, so that one with many slow calls does not keep the others waiting. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #running = 0;
  #closed = false;

  constructor(options: ScriptThreadsOptions) {
    this.#options = options;
  }

  /**
   * The results of a call. Rejects with the errors of Lua; `lua-limit` with the limit `time` when the script took longer
   * than it may, `memory` when its thread had no more. Who aborts before the script has its turn waits no longer.
   */
  run(
    { source, functionName }: ScriptCall,
    args: readonly unknown[],
    signal: AbortSignal,
  ): Promise<readonly unknown[]> {
    if (this.#closed) return Promise.reject(stopping());
    return new Promise((resolve, reject) => {
      const line = this.#waiting.get(source) ?? [];
      this.#waiting.set(source, line);
      const { limits, clock } = this.#options;
      const call = { source, functionName, args, limits: { ...limits, now: clock.now() } };
      line.push({ call, signal, resolve, reject });
      this.#start();
    });
  }

  /** Rejects the calls of a script that wait for a thread. */
  refuse(source: string, reason: AppError): void {
    const line = this.#waiting.get(source) ?? [];
    this.#waiting.delete(source);
    for (const { reject } of line) reject(reason);
  }

  /** Ends the threads. Calls under way reject. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const line of this.#waiting.values()) for (const { reject } of line) reject(stopping());
    this.#waiting.clear();
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #start(): void {
    while (!this.#closed && this.#running < (this.#options.threads ?? MOST_THREADS)) {
      const next = this.#next();
      if (next === undefined) return;
      this.#running++;
      void this.#serve(next).finally(() => {
        this.#running--;
        this.#start();
      });
    }
  }

  /** The first call of the script whose turn it is; the script goes to the end of the line. */
  #next(): Waiting | undefined {
    for (const [source, line] of this.#waiting) {
      this.#waiting.delete(source);
      const next = line.shift();
      if (line.length > 0) this.#waiting.set(source, line);
      if (next === undefined) continue;
      if (!next.signal.aborted) return next;
      next.reject(next.signal.reason);
    }
    return undefined;
  }

  async #serve({ call, resolve, reject }: Waiting): Promise<void> {
    let worker: Worker | undefined;
    try {
      worker = this.#idle.pop() ?? (await this.#open());
      const reply = await this.#exchange(worker, call);
      if (!this.#closed && this.#all.has(worker)) this.#idle.push(worker);
      if ("results" in reply) resolve(reply.results);
      else reject(new AppError(reply.code, reply.message, { recovery: "stall", details: reply.details }));
    } catch (error) {
      if (worker !== undefined) this.#discard(worker);
      reject(error);
    }
  }

  async #open(): Promise<Worker> {
    const { clock, logger } = this.#options;
    const worker = new Worker(new URL("./script-thread.ts", import.meta.url), {
      // A script has no business with what the program was started with.
      env: {},
      argv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
    });
    worker.unref();
    this.#all.add(worker);
    for (const stream of [worker.stdout, worker.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => logger.debug("script thread wrote", { text }));
    // Between calls nobody else listens; what ends a thread is told to the call that it serves.
    worker.on("error", () => this.#discard(worker));
    worker.on("exit", () => this.#discard(worker));
    try {
      await answerOf(worker, (settle) => clock.after(START_TIMEOUT_MS, () => settle(threadFailed("did not start"))));
    } catch (error) {
      this.#discard(worker);
      throw error;
    }
    return worker;
  }

  #exchange(worker: Worker, call: ThreadCall): Promise<ScriptReply> {
    const { clock, timeoutMs = SCRIPT_TIMEOUT_MS } = this.#options;
    const answered = answerOf(worker, (settle) => clock.after(timeoutMs, () => settle(tookTooLong(timeoutMs))));
    worker.postMessage(call);
    // The thread is ours and says nothing else.
    return answered as Promise<ScriptReply>;
  }

  #discard(worker: Worker): void {
    this.#all.delete(worker);
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
    void worker.terminate();
  }
}

/** The next message of a thread; rejects when the thread ends, or by what `limit` settles with. */
function answerOf(worker: Worker, limit: (settle: (error: AppError) => void) => { cancel(): void }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void): void => {
      timer.cancel();
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
      worker.unref();
      act();
    };
    const timer = limit((error) => finish(() => reject(error)));
    const onMessage = (message: unknown): void => finish(() => resolve(message));
    const onError = (error: unknown): void => finish(() => reject(endOf(error)));
    const onExit = (): void => finish(() => reject(threadFailed("ended")));
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.on("exit", onExit);
    worker.ref();
  });
}

function endOf(error: unknown): AppError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ERR_WORKER_OUT_OF_MEMORY") return threadFailed(`failed: ${messageOf(error)}`);
  return new AppError("lua-limit", `the script takes more than ${MAX_MEMORY_MB} MiB of memory`, {
    recovery: "stall",
    details: { limit: "memory" },
  });
}

function tookTooLong(timeoutMs: number): AppError {
  const words = `the script did not end within ${timeoutMs} ms`;
  // A busy machine may be the cause, so that it is worth another try.
  return new AppError("lua-limit", words, { recovery: "retry", details: { limit: "time" } });
}

function threadFailed(problem: string): AppError {
  return new AppError("script-thread-failed", `the thread of the script ${problem}`, { recovery: "retry" });
}

function stopping(): AppError {
  return new AppError("script-thread-failed", "the program is stopping", { recovery: "stall" });
}
