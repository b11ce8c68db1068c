// Renders away from the main thread, with a deadline and a limit of memory, so that watches never wait for it.

import { MessageChannel, Worker } from "node:worker_threads";
import { AppError, messageOf } from "../runtime/errors.ts";
import type { SourceTree, TreeEntry } from "../sources/tree.ts";
import { renderError } from "./errors.ts";
import type { AsyncChartInflator } from "./kustomize/generators/helm-charts.ts";
import type { AsyncRemoteContents, RemoteContents } from "./kustomize/loading/remote.ts";
import { RenderCache } from "./kustomize/render-cache.ts";
import { joinPath } from "./paths.ts";
import { MAX_REMOTES, tooManyRemotes } from "./remote-render.ts";
import { type RenderOptions, type RenderOutcome, render } from "./render.ts";
import {
  type ChartAnswer,
  type ChartQuestion,
  type FailedReply,
  fromFailedReply,
  type Question,
  type RemoteAnswer,
  type RemoteQuestion,
  type RenderReply,
  type RenderRequest,
  type TreeAnswer,
  type TreeQuestion,
  toFailedReply,
} from "./worker-messages.ts";

export interface RenderPoolOptions {
  /** Threads at once. Default 1. */
  readonly size?: number | undefined;
  /** Longest time one render may take. Default 60 000. */
  readonly deadlineMs?: number | undefined;
  /** Memory of one thread. Default 512. */
  readonly maxMemoryMb?: number | undefined;
  /** Trees of up to so many bytes are rendered at once in the calling thread. Default 64 KiB; 0 for none. */
  readonly inThreadBytes?: number | undefined;
}

export interface PoolRenderOptions extends Omit<RenderOptions, "charts"> {
  /** Absent: Helm charts are refused. The time that they take counts towards the deadline. */
  readonly charts?: AsyncChartInflator | undefined;
  /** Absent: remote bases and files are refused. The time that they take does not count towards the deadline. */
  readonly remotes?: AsyncRemoteContents | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Thread {
  readonly worker: Worker;
  idle: boolean;
}

const IN_THREAD_FILES = 100;
const PREFETCH_BYTES = 4 * 1024 * 1024;
const PREFETCH_FILES = 5000;

/** Ends a render in the calling thread that comes upon something remote, which a thread of its own can wait for. */
class ThreadNeeded extends Error {}

const THREAD_NEEDED: RemoteContents = {
  base: () => {
    throw new ThreadNeeded();
  },
  file: () => {
    throw new ThreadNeeded();
  },
};

/** What the calling thread may take on; more is left to a thread, which knows the limits that were asked for. */
const FEW_OBJECTS = 200;
const FEW_FOLDERS = 50;

function isTooLarge(error: unknown): boolean {
  return error instanceof AppError && error.code === "render-too-large";
}

/** Owns its threads; `close` ends them. */
export class RenderPool {
  private readonly options: RenderPoolOptions;
  private readonly threads: Thread[] = [];
  private readonly waiting: (() => void)[] = [];
  // What small trees left; each thread has one of its own.
  private readonly cache = new RenderCache();
  private closed = false;

  constructor(options: RenderPoolOptions = {}) {
    this.options = options;
  }

  /**
   * Renders as `render` does. Rejects with `render-timed-out` past the deadline, `render-too-large` beyond the memory
   * limit, and with the reason of `signal` when that is aborted.
   */
  async render(tree: SourceTree, path: string, options: PoolRenderOptions = {}): Promise<RenderOutcome> {
    const { signal, charts, remotes, ...own } = options;
    signal?.throwIfAborted();
    // A thread can wait for a chart where the calling one must not.
    if (charts === undefined && isSmall(tree, this.options.inThreadBytes ?? 64 * 1024)) {
      try {
        const few = {
          maxObjects: Math.min(own.maxObjects ?? FEW_OBJECTS, FEW_OBJECTS),
          maxKustomizations: FEW_FOLDERS,
        };
        return render(tree, path, { ...own, ...few, cache: this.cache, remotes: remotes && THREAD_NEEDED });
      } catch (error) {
        // A few files can name one another so often that they are much work.
        if (!(error instanceof ThreadNeeded) && !isTooLarge(error)) throw error;
      }
    }
    const thread = await this.acquire();
    try {
      signal?.throwIfAborted();
      return await this.run(thread, tree, path, { ...own, charts, remotes }, signal);
    } finally {
      this.release(thread);
    }
  }

  /** Ends all threads. Renders under way reject. */
  async close(): Promise<void> {
    this.closed = true;
    const threads = this.threads.splice(0);
    for (const wake of this.waiting.splice(0)) wake();
    for (const { worker } of threads) await worker.terminate();
  }

  private async acquire(): Promise<Thread> {
    for (;;) {
      if (this.closed) throw renderError("render-failed", "the renderer is shutting down");
      const idle = this.threads.find((thread) => thread.idle);
      if (idle !== undefined) {
        idle.idle = false;
        return idle;
      }
      if (this.threads.length < (this.options.size ?? 1)) {
        const thread = { worker: this.start(), idle: false };
        this.threads.push(thread);
        return thread;
      }
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
  }

  private release(thread: Thread): void {
    thread.idle = true;
    this.waiting.shift()?.();
  }

  private start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      // Most of what a build makes is soon garbage: with room for it, half as much time goes into collecting.
      resourceLimits: { maxOldGenerationSizeMb: this.options.maxMemoryMb ?? 512, maxYoungGenerationSizeMb: 64 },
    });
    // A waiting thread must not keep the program alive.
    worker.unref();
    return worker;
  }

  private discard(thread: Thread): void {
    const index = this.threads.indexOf(thread);
    if (index >= 0) this.threads.splice(index, 1);
    void thread.worker.terminate();
  }

  private run(
    thread: Thread,
    tree: SourceTree,
    path: string,
    { charts, remotes, ...options }: Omit<PoolRenderOptions, "signal">,
    signal: AbortSignal | undefined,
  ): Promise<RenderOutcome> {
    const { worker } = thread;
    const ended = new AbortController();
    const { port1, port2 } = new MessageChannel();
    const wake = new SharedArrayBuffer(4);
    const deadlineMs = this.options.deadlineMs ?? 60_000;
    return new Promise<RenderOutcome>((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        worker.off("message", onReply);
        worker.off("error", onError);
        worker.off("exit", onExit);
        worker.unref();
        port1.close();
        ended.abort();
        act();
      };
      const stop = (error: unknown): void => {
        this.discard(thread);
        finish(() => reject(error));
      };
      const onDeadline = (): void => {
        const what = `${path || "."} took longer than ${deadlineMs} ms to render`;
        stop(renderError("render-timed-out", what, { file: path }));
      };
      let timer = setTimeout(onDeadline, deadlineMs);
      // What is fetched has limits of its own; afterwards rendering has all its time again.
      const paused = async <T>(work: () => Promise<T>): Promise<T> => {
        clearTimeout(timer);
        const result = await work();
        if (!ended.signal.aborted) timer = setTimeout(onDeadline, deadlineMs);
        return result;
      };
      const onAbort = (): void => stop(signal?.reason);
      const onError = (error: unknown): void => stop(describeCrash(error, path));
      const onExit = (): void => stop(renderError("render-failed", "the rendering thread ended", { file: path }));
      const onReply = (reply: RenderReply): void => finish(() => settle(reply, resolve, reject));
      signal?.addEventListener("abort", onAbort);
      worker.on("message", onReply);
      worker.on("error", onError);
      worker.on("exit", onExit);
      worker.ref();
      const answers = { trees: [tree], charts, remotes, paused, ended: ended.signal };
      answerQuestions(port1, wake, answers);
      // The port moves to the worker; its type there is that of the web interface it implements.
      const port = port2 as unknown as RenderRequest["port"];
      const request: RenderRequest = {
        port,
        signal: wake,
        revision: tree.revision,
        path,
        options,
        chartsAllowed: charts !== undefined,
        remotesAllowed: remotes !== undefined,
        ...prefetch(tree, path),
      };
      worker.postMessage(request, [port2]);
    });
  }
}

function settle(reply: RenderReply, resolve: (outcome: RenderOutcome) => void, reject: (error: unknown) => void): void {
  switch (reply.type) {
    case "done":
      resolve(reply.outcome);
      return;
    case "failed":
      reject(fromFailedReply(reply));
      return;
    case "bug":
      reject(new Error(`rendering failed: ${reply.message}`));
  }
}

function describeCrash(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ERR_WORKER_OUT_OF_MEMORY") return error;
  return renderError("render-too-large", `${path || "."} takes more memory to render than is allowed`, {
    file: path,
    cause: error,
  });
}

/** What the questions of one render are answered from. */
interface Answers {
  /** The source, and the remote bases asked for so far. */
  readonly trees: SourceTree[];
  readonly charts: AsyncChartInflator | undefined;
  readonly remotes: AsyncRemoteContents | undefined;
  readonly paused: <T>(work: () => Promise<T>) => Promise<T>;
  readonly ended: AbortSignal;
}

function answerQuestions(port: MessageChannel["port1"], wake: SharedArrayBuffer, answers: Answers): void {
  const { trees, charts, remotes, paused, ended } = answers;
  const signal = new Int32Array(wake);
  let asked = 0;
  const answer = (message: TreeAnswer | ChartAnswer | RemoteAnswer): void => {
    // A thread that was ended meanwhile waits for nothing.
    if (ended.aborted) return;
    port.postMessage(message);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  };
  port.on("message", (question: Question) => {
    switch (question.ask) {
      case "list":
      case "read":
        answer({ value: readTree(trees[question.tree], question) });
        return;
      case "pull":
      case "inflate":
        if (charts !== undefined) void askCharts(charts, question, ended).then(answer);
        return;
      case "base":
      case "remote-file":
        asked += 1;
        if (asked > MAX_REMOTES) answer(failure(tooManyRemotes()));
        else if (remotes !== undefined) void paused(() => askRemotes(remotes, question, trees, ended)).then(answer);
    }
  });
}

async function askRemotes(
  remotes: AsyncRemoteContents,
  question: RemoteQuestion,
  trees: SourceTree[],
  ended: AbortSignal,
): Promise<RemoteAnswer> {
  try {
    if (question.ask === "remote-file") return { bytes: await remotes.file(question.url, ended) };
    const { tree } = await remotes.base(question.reference, ended);
    trees.push(tree);
    return { tree: trees.length - 1, revision: tree.revision };
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): { readonly failed: FailedReply } {
  const known = error instanceof AppError ? error : renderError("render-failed", messageOf(error));
  return { failed: toFailedReply(known) };
}

async function askCharts(
  charts: AsyncChartInflator,
  question: ChartQuestion,
  ended: AbortSignal,
): Promise<ChartAnswer> {
  try {
    const pulls = question.ask === "pull";
    return {
      value: pulls ? await charts.pull(question.request, ended) : await charts.inflate(question.request, ended),
    };
  } catch (error) {
    return failure(error);
  }
}

function readTree(tree: SourceTree | undefined, { ask, path }: TreeQuestion): TreeAnswer["value"] {
  try {
    return ask === "list" ? tree?.list(path) : tree?.read(path);
  } catch {
    // A tree that cannot answer looks like one without the file, which the renderer reports with its name.
    return undefined;
  }
}

/** Whether the whole tree is small enough that a thread would cost more than the work. */
function isSmall(tree: SourceTree, maxBytes: number): boolean {
  if (maxBytes <= 0) return false;
  const contents = collect(tree, "", IN_THREAD_FILES, maxBytes);
  return contents.complete;
}

function prefetch(tree: SourceTree, path: string): Pick<RenderRequest, "folders" | "files"> {
  const { folders, files } = collect(tree, joinPath("", path) ?? "", PREFETCH_FILES, PREFETCH_BYTES);
  return { folders, files };
}

interface Contents {
  readonly folders: Map<string, readonly TreeEntry[]>;
  readonly files: Map<string, Uint8Array>;
  readonly complete: boolean;
}

// Reads folders breadth first until a limit is met; a folder is listed whole or not at all.
function collect(tree: SourceTree, start: string, maxFiles: number, maxBytes: number): Contents {
  const folders = new Map<string, readonly TreeEntry[]>();
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  const pending = [start];
  for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
    const entries = tree.list(folder);
    if (entries === undefined) continue;
    folders.set(folder, entries);
    for (const { name, type } of entries) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (type === "directory") {
        pending.push(path);
        continue;
      }
      const content = files.size < maxFiles ? tree.read(path) : undefined;
      if (content === undefined || bytes + content.length > maxBytes) return { folders, files, complete: false };
      bytes += content.length;
      files.set(path, content);
    }
    if (folders.size > maxFiles) return { folders, files, complete: false };
  }
  return { folders, files, complete: true };
}
