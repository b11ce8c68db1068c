// Runs one scheduling plugin in a thread of its own: a call without end costs the thread, and nothing else.
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { PluginCluster, PluginRequest } from "../scheduler/plugin.ts";
import { pluginFailed, pluginUnusable } from "./errors.ts";
import {
  CALLS,
  PLACE_OF_CALL,
  PLACE_OF_CLUSTER,
  PLACE_OF_COUNT,
  type PluginAnswer,
  type PluginQuestion,
  type PluginReady,
  type PluginReply,
  type PluginThreadData,
  PROGRESS_BYTES,
} from "./plugin-messages.ts";

export interface PluginHostOptions {
  readonly name: string;
  /** File of the module. */
  readonly path: string;
  /** How long one call may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** After a failure a plugin is left alone so long: a hundred bindings must not wait for one deadline after the other. */
const PAUSE_MS = 1_000;
/** Loading may compile a lot. */
const START_TIMEOUT_MS = 10_000;
const MAX_MEMORY_MB = 256;

interface Thread {
  readonly worker: Worker;
  readonly progress: Int32Array;
  readonly ready: Promise<PluginReady>;
}

/** Owns the thread; `close` ends it. Questions are answered one after the other. */
export class PluginHost {
  readonly name: string;
  readonly #options: PluginHostOptions;
  #thread: Thread | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: AppError; readonly until: number } | undefined;
  #closed = false;

  constructor(options: PluginHostOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Loads the module. Rejects with `scheduling-plugin-unusable` when it is missing or not a plugin. */
  async start(): Promise<void> {
    const { name, path } = this.#options;
    if (!existsSync(path)) throw pluginUnusable(name, path, "does not exist");
    const ready = await this.#running().ready;
    if (ready.type === "unusable") {
      await this.close();
      throw pluginUnusable(name, path, ready.reason);
    }
  }

  /**
   * Answers for these clusters, in their order. Rejects with `scheduling-plugin-failed` when a call throws, answers
   * nonsense or takes too long. Then the same is told to all who ask within a second, and after that the plugin starts
   * as new.
   */
  ask(request: PluginRequest, clusters: readonly PluginCluster[]): Promise<readonly PluginAnswer[]> {
    const answer = this.#last.then(() => this.#askOrPause({ request, clusters }));
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** Ends the thread. Questions under way reject. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.worker.terminate();
    this.#thread = undefined;
  }

  async #askOrPause(question: PluginQuestion): Promise<readonly PluginAnswer[]> {
    const { clock, logger } = this.#options;
    if (this.#failure !== undefined && clock.now() < this.#failure.until) throw this.#failure.error;
    this.#failure = undefined;
    try {
      return await this.#ask(question);
    } catch (error) {
      if (error instanceof AppError && !this.#closed) {
        logger.warn("scheduling plugin failed", { plugin: this.name, code: error.code, error: error.message });
        this.#failure = { error, until: clock.now() + PAUSE_MS };
      }
      throw error;
    }
  }

  async #ask(question: PluginQuestion): Promise<readonly PluginAnswer[]> {
    const thread = this.#running();
    const ready = await thread.ready;
    if (ready.type === "unusable") {
      this.#discard(thread);
      throw pluginFailed(this.name, ready.reason, undefined);
    }
    const reply = await this.#exchange(thread, question);
    if (reply.type === "answers") return reply.answers;
    throw pluginFailed(this.name, `${reply.call} ${reply.problem}`, reply.cluster);
  }

  #running(): Thread {
    this.#thread ??= this.#open();
    return this.#thread;
  }

  #open(): Thread {
    if (this.#closed) throw pluginFailed(this.name, "the program is stopping", undefined);
    const { path, clock, logger, name } = this.#options;
    const progress = new SharedArrayBuffer(PROGRESS_BYTES);
    const data: PluginThreadData = { path, progress };
    const worker = new Worker(new URL("./plugin-thread.ts", import.meta.url), {
      workerData: data,
      // A plugin has no business with what the program was started with.
      env: {},
      argv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
    });
    worker.unref();
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => logger.debug("plugin wrote", { plugin: name, text }));
    }
    const ready = new Promise<PluginReady>((resolve) => {
      const unusable = (reason: string): void => resolve({ type: "unusable", reason });
      const timer = clock.after(START_TIMEOUT_MS, () => unusable(`did not load within ${START_TIMEOUT_MS} ms`));
      worker.once("message", (message: PluginReady) => resolve(message));
      worker.once("error", (error: unknown) => unusable(`ended: ${describe(error)}`));
      worker.once("exit", () => {
        timer.cancel();
        unusable("ended while it was loaded");
      });
    });
    // Between questions nobody listens for what a plugin does on its own: timers that throw, or process.exit.
    const thread: Thread = { worker, progress: new Int32Array(progress), ready };
    worker.on("error", () => this.#discard(thread));
    worker.on("exit", () => this.#discard(thread));
    return thread;
  }

  #discard(thread: Thread): void {
    if (this.#thread === thread) this.#thread = undefined;
    void thread.worker.terminate();
  }

  #exchange(thread: Thread, question: PluginQuestion): Promise<PluginReply> {
    const { timeoutMs, clock } = this.#options;
    const { worker, progress } = thread;
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const finish = (act: () => void): void => {
        timer?.cancel();
        worker.off("message", onReply);
        worker.off("error", onError);
        worker.off("exit", onExit);
        worker.unref();
        act();
      };
      const fail = (error: AppError): void => {
        this.#discard(thread);
        finish(() => reject(error));
      };
      const onReply = (reply: PluginReply): void => finish(() => resolve(reply));
      const onError = (error: unknown): void => fail(pluginFailed(this.name, describe(error), undefined));
      const onExit = (): void => fail(pluginFailed(this.name, "its thread ended", undefined));
      const first = Atomics.load(progress, PLACE_OF_COUNT);
      const began = clock.now();
      const watch = (before: number): void => {
        timer = clock.after(timeoutMs, () => {
          const now = Atomics.load(progress, PLACE_OF_COUNT);
          // Another call than before: each may take its time. And a busy machine may be slow to begin with any.
          if (now !== before || (now === first && clock.now() - began < START_TIMEOUT_MS)) return watch(now);
          const call = CALLS[Atomics.load(progress, PLACE_OF_CALL)] ?? "the call";
          const cluster = question.clusters[Atomics.load(progress, PLACE_OF_CLUSTER)]?.name;
          fail(pluginFailed(this.name, `${call} did not answer within ${timeoutMs} ms`, cluster));
        });
      };
      worker.on("message", onReply);
      worker.on("error", onError);
      worker.on("exit", onExit);
      worker.ref();
      watch(first);
      worker.postMessage(question);
    });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return `takes more than ${MAX_MEMORY_MB} MiB of memory`;
  return `${error.name}: ${error.message}`;
}
