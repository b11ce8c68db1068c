// A process that may compute, and nothing else: it reads the program's own code and one folder, has no environment, no
// network and no other process, and talks over one connection with whoever started it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Duplex, Readable } from "node:stream";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { AppError } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { planCrashed, planOutOfMemory, planTimedOut, planTooLarge, reportTooLarge } from "./errors.ts";
import { encodeFrame, type Frame, FrameError, FrameReader } from "./frames.ts";
import type { PlanLimits } from "./plan-job.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
/** Not the whole checkout: the data folder may be in it. */
const CODE = ["api", "fleets", "kube", "node_modules", "package.json", "reconciler", "renderers", "runtime", "sources"];

/** The connection, beside the three that every process has. */
export const SANDBOX_FD = 3;

/** Shares of the memory that the heap may take; the rest is for what is beside it: code, buffers, files. */
const HEAP_SHARE = 0.75;
const LEAST_HEAP_MB = 32;
const MEBIBYTE = 1024 * 1024;
const MEMORY_LOOK_MS = 250;
const PAGE_BYTES = 4096;
/** Of the two outputs that nobody reads. */
const MOST_NOISE_BYTES = 1024 * 1024;
const KEPT_NOISE_BYTES = 64 * 1024;
const SHELL = "/bin/sh";
const OPEN_FILES = 256;
const MOST_SERVED = 64;

/** Flags by which Node says that its heap is full. */
const HEAP_FULL = /JavaScript heap out of memory|Reached heap limit|Array buffer allocation failed/;

export interface SandboxTask {
  /** The file that runs there. */
  readonly entry: string;
  /** What it may read beside the program's own code. */
  readonly folders: readonly string[];
  /** Folder with compiled code. With `isFilled` it is written, and nothing else that was not trusted may run there. */
  readonly code?: { readonly folder: string; readonly isFilled: boolean } | undefined;
  /** The first message, and all that the process is told at its start. */
  readonly task: Frame;
  /** Answers a message of the process; undefined when there is nothing to answer. Rejects when all is to end. */
  readonly serve: (frame: Frame, signal: AbortSignal) => Promise<Frame | undefined>;
  readonly limits: PlanLimits;
  /** Largest message that the process may send but its last one. */
  readonly mostMessageBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Runs the task until the process sends a message of the type `result`, which is the answer. The process is gone when this
 * settles, however it does. Rejects with `plan-timed-out`, `plan-out-of-memory`, `plan-too-large`, `plan-crashed`, with
 * what `serve` threw, and with the reason of the signal.
 */
export async function runInSandbox(options: SandboxTask): Promise<Frame> {
  options.signal.throwIfAborted();
  const run = new SandboxRun(options);
  return run.outcome();
}

type Outcome = { readonly result: Frame } | { readonly error: unknown };

class SandboxRun {
  readonly #options: SandboxTask;
  readonly #child: ChildProcess;
  readonly #ended = new AbortController();
  readonly #timers = new Set<Timer>();
  /** Messages that are being answered. */
  #serving = 0;
  #noise = "";
  #noiseBytes = 0;
  #outcome: Outcome | undefined;

  constructor(options: SandboxTask) {
    this.#options = options;
    this.#child = start(options);
  }

  async outcome(): Promise<Frame> {
    const { signal, clock, limits } = this.#options;
    const closed = new Promise<void>((resolve) => {
      this.#child.once("close", (code, ended) => {
        this.#end({ error: this.#howEnded(code, ended) });
        resolve();
      });
      // It was never there: then it is not closed either.
      this.#child.once("error", (error) => {
        this.#end({ error: planCrashed(`it could not be started: ${error.message}`) });
        if (this.#child.pid === undefined) resolve();
      });
    });
    const onAbort = (): void => this.#end({ error: signal.reason });
    signal.addEventListener("abort", onAbort, { once: true });
    this.#timers.add(clock.after(limits.timeoutMs, () => this.#end({ error: planTimedOut(limits) })));
    this.#watchMemory();
    for (const stream of [this.#child.stdout, this.#child.stderr]) if (stream !== null) this.#hear(stream);
    this.#talk();
    await closed;
    signal.removeEventListener("abort", onAbort);
    const outcome = this.#outcome;
    if (outcome !== undefined && "result" in outcome) return outcome.result;
    throw outcome?.error;
  }

  /** The first word counts. */
  #end(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    for (const timer of this.#timers) timer.cancel();
    this.#ended.abort(new Error("the process of the plan has ended"));
    this.#child.kill("SIGKILL");
  }

  #talk(): void {
    const { limits, mostMessageBytes, task } = this.#options;
    // A pipe in both directions, as the options of the start say.
    const connection = this.#child.stdio[SANDBOX_FD] as Duplex | null | undefined;
    if (connection === null || connection === undefined) return;
    // The process may end while something is written; how it ended is told elsewhere.
    connection.on("error", () => {});
    const reader = new FrameReader(Math.max(limits.outputBytes, mostMessageBytes));
    connection.on("data", (chunk: Uint8Array) => {
      if (this.#outcome !== undefined) return;
      try {
        for (const frame of reader.push(chunk)) this.#take(frame, connection);
        this.#pace(connection);
      } catch (error) {
        this.#end({
          error:
            error instanceof FrameError && error.isTooLarge
              ? reportTooLarge(limits)
              : planCrashed("it sent what is no message"),
        });
      }
    });
    connection.on("drain", () => this.#pace(connection));
    send(connection, task);
  }

  /** Who asks faster than it is answered, or does not read the answers, is not listened to for a while. */
  #pace(connection: Duplex): void {
    const isBusy = this.#serving >= MOST_SERVED || connection.writableNeedDrain;
    if (isBusy !== connection.isPaused()) {
      if (isBusy) connection.pause();
      else connection.resume();
    }
  }

  #take(frame: Frame, connection: Duplex): void {
    const { limits, mostMessageBytes, serve } = this.#options;
    if (frame.header["type"] === "result") {
      this.#end(frame.payload.length > limits.outputBytes ? { error: reportTooLarge(limits) } : { result: frame });
      return;
    }
    if (frame.payload.length > mostMessageBytes) {
      this.#end({ error: planTooLarge(`an object of the plan is larger than ${mostMessageBytes} bytes`) });
      return;
    }
    this.#serving++;
    serve(frame, this.#ended.signal).then(
      (answer) => {
        this.#serving--;
        if (this.#outcome !== undefined) return;
        if (answer !== undefined) send(connection, answer);
        this.#pace(connection);
      },
      (error: unknown) => this.#end({ error }),
    );
  }

  /** Nobody reads it, but for how a process ended. */
  #hear(stream: Readable): void {
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      this.#noiseBytes += chunk.length;
      if (this.#noise.length < KEPT_NOISE_BYTES) this.#noise += chunk.toString("utf8");
      if (this.#noiseBytes > MOST_NOISE_BYTES) this.#end({ error: reportTooLarge(this.#options.limits) });
    });
  }

  #howEnded(code: number | null, signal: NodeJS.Signals | null): AppError {
    const { limits, logger } = this.#options;
    if (HEAP_FULL.test(this.#noise)) return planOutOfMemory(limits);
    // The kernel's own bound, should this process have been too busy to keep its own.
    if (signal === "SIGXCPU") return planTimedOut(limits);
    const how = signal ?? `exit code ${code}`;
    // Messages may quote what was read; where something happened does not.
    const where = this.#noise.split("\n").filter((line) => /^ {4}at /.test(line));
    logger.warn("the program of a plan ended by itself", { how, stack: where.slice(0, 20).join("\n") });
    return planCrashed(how);
  }

  /** The heap has a bound of its own; this is about everything beside it. */
  #watchMemory(): void {
    const { pid } = this.#child;
    if (process.platform !== "linux" || pid === undefined) return;
    const { clock, limits } = this.#options;
    const look = async (): Promise<void> => {
      const resident = await residentBytes(pid);
      if (this.#outcome !== undefined) return;
      if (resident !== undefined && resident > limits.memoryBytes) this.#end({ error: planOutOfMemory(limits) });
      else this.#timers.add(clock.after(MEMORY_LOOK_MS, () => void look()));
    };
    this.#timers.add(clock.after(MEMORY_LOOK_MS, () => void look()));
  }
}

function send(connection: Duplex, { header, payload }: Frame): void {
  for (const part of encodeFrame(header, payload)) connection.write(part);
}

function start({ entry, folders, code, limits }: SandboxTask): ChildProcess {
  const hasShell = existsSync(SHELL);
  // Without the kernel's bounds nothing may be written that is read again.
  const kept = hasShell ? code : undefined;
  const heap = Math.max(LEAST_HEAP_MB, Math.floor((limits.memoryBytes * HEAP_SHARE) / MEBIBYTE));
  const readable = [...CODE.map((name) => join(ROOT, name)), realpathSync(join(ROOT, "node_modules")), ...folders];
  const flags = [
    "--permission",
    ...readable.map((path) => `--allow-fs-read=${path}`),
    // Node uses no code that it could not write. That it cannot, the kernel sees to.
    ...(kept === undefined ? [] : [`--allow-fs-read=${kept.folder}`, `--allow-fs-write=${kept.folder}`]),
    // It opens files without asking for permission.
    "--no-experimental-sqlite",
    "--disallow-code-generation-from-strings",
    "--disable-sigusr1",
    "--no-warnings",
    `--max-old-space-size=${heap}`,
  ];
  const command = [process.execPath, ...flags, entry];
  const script = boundsOf(limits.timeoutMs, kept?.isFilled === true);
  const [program = process.execPath, ...args] = hasShell ? [SHELL, "-c", script, "sh", ...command] : command;
  return spawn(program, args, {
    cwd: "/",
    env: kept === undefined ? {} : { NODE_COMPILE_CACHE: kept.folder },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
}

/**
 * Bounds that the kernel keeps. Should this process be killed, the other sees that at its next turn of the event loop; when it has
 * none, its time runs out. It writes no byte into a file, and leaves none behind when it crashes.
 */
function boundsOf(timeoutMs: number, mayWrite: boolean): string {
  // Threads that collect garbage count, too.
  const cpuSeconds = 2 * Math.ceil(timeoutMs / 1_000) + 1;
  const files = mayWrite ? "" : "ulimit -f 0; ";
  return `unset PWD OLDPWD SHLVL; ulimit -c 0; ${files}ulimit -n ${OPEN_FILES}; ulimit -t ${cpuSeconds}; exec "$@"`;
}

async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const pages = Number((await readFile(`/proc/${pid}/statm`, "utf8")).split(" ")[1]);
    return Number.isFinite(pages) ? pages * PAGE_BYTES : undefined;
  } catch {
    // Gone, or not to be looked at.
    return undefined;
  }
}
