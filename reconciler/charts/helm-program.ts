// Inflates charts by the `helm` program, which sees a temporary folder with one chart and nothing of ours.
//
// A command renders in its own thread and may block it: `render(tree, path, { charts: helm.blocking })`.
// A Sync renders in a worker thread, which waits while the main thread, where a process can be ended with its render,
// awaits Helm: `pool.render(tree, path, { charts: helm.aside })`. Nobody inflates charts unless asked to: what is not
// trusted, such as a plan of somebody's proposal, is rendered without either.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { renderError } from "../../renderers/errors.ts";
import type {
  AsyncChartInflator,
  ChartFiles,
  ChartInflation,
  ChartInflator,
  ChartPull,
} from "../../renderers/kustomize/generators/helm-charts.ts";
import { AppError } from "../../runtime/errors.ts";
import { redactUrl } from "../../sources/redact-url.ts";
import { type HelmDefaults, helmEnvironment, pullArguments, templateArguments } from "./helm-arguments.ts";

export interface HelmProgramOptions extends HelmDefaults {
  /** The program, by name or path. Default `helm`. */
  readonly command?: string | undefined;
  /** Longest time of one run. Default 60 000. */
  readonly deadlineMs?: number | undefined;
  /** Bytes that one run may print, and that a pulled chart may have. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Where PATH and proxies come from; usually `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface Run {
  readonly args: readonly string[];
  readonly home: string;
  readonly network: boolean;
}

interface RunResult {
  readonly ended: "exited" | "timed-out" | "too-much" | "not-started";
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Work that pauses where the program runs, so that it can be carried out with or without blocking the thread. */
type Steps<T> = Generator<Run, T, RunResult>;

/** Charts that were pulled in an exact version and are kept. */
const KEPT_CHARTS = 16;

/**
 * `blocking` serves whoever may wait in place, as a command does; `aside` is for event loops.
 * What both throw is `render-plugin` when Helm refuses a chart, with recovery `retry` when the program or a repository
 * cannot be reached.
 */
export class HelmProgram {
  private readonly options: HelmProgramOptions;
  private readonly pulled = new Map<string, ChartFiles>();
  private versionChecked = false;

  constructor(options: HelmProgramOptions) {
    this.options = options;
  }

  readonly blocking: ChartInflator = {
    pull: (request) => this.runBlocking(this.pullSteps(request)),
    inflate: (request) => this.runBlocking(this.inflateSteps(request)),
  };

  readonly aside: AsyncChartInflator = {
    pull: (request, signal) => this.runAside(this.pullSteps(request), signal),
    inflate: (request, signal) => this.runAside(this.inflateSteps(request), signal),
  };

  private *inflateSteps(request: ChartInflation): Steps<string> {
    const home = mkdtempSync(join(tmpdir(), "flaghoist-helm-"));
    try {
      yield* this.checkVersion(home);
      const chart = join(home, "chart");
      writeFiles(chart, request.files);
      const values = request.values.map((text, index) => {
        const file = join(home, `values-${index}.yaml`);
        writeFileSync(file, text);
        return file;
      });
      const result = yield { args: templateArguments(request, chart, values, this.options), home, network: false };
      if (result.ended === "exited" && result.status === 0) return result.stdout;
      throw this.failure(`helm cannot render the chart ${request.name}`, result, home, "stall");
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  private *pullSteps(request: ChartPull): Steps<ChartFiles> {
    const key = JSON.stringify(request);
    const kept = this.pulled.get(key);
    if (kept !== undefined) return kept;
    const home = mkdtempSync(join(tmpdir(), "flaghoist-helm-"));
    try {
      yield* this.checkVersion(home);
      const folder = join(home, "pulled");
      const result = yield { args: pullArguments(request, folder), home, network: true };
      if (result.ended !== "exited" || result.status !== 0) {
        const what = `the chart ${request.name} cannot be pulled from ${redactUrl(request.repo)}`;
        const stderr = result.stderr.replaceAll(request.repo, redactUrl(request.repo));
        throw this.failure(what, { ...result, stderr }, home, "retry");
      }
      if (!existsSync(join(folder, request.name))) {
        throw renderError("render-plugin", `the archive pulled for ${request.name} holds no chart of that name`);
      }
      const files = readFiles(join(folder, request.name), this.maxBytes);
      if (/^v?\d+\.\d+\.\d+/.test(request.version)) this.keep(key, files);
      return files;
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  private keep(key: string, files: ChartFiles): void {
    this.pulled.set(key, files);
    for (const oldest of this.pulled.keys()) {
      if (this.pulled.size <= KEPT_CHARTS) return;
      this.pulled.delete(oldest);
    }
  }

  // As kustomize: any Helm that says it is of version 3 or 4 will do.
  private *checkVersion(home: string): Steps<void> {
    if (this.versionChecked) return;
    const result = yield { args: ["version", "--short"], home, network: false };
    if (result.ended !== "exited" || result.status !== 0) {
      throw this.failure(`${this.command} cannot be run to inflate charts`, result, home, "retry");
    }
    const version = /v?(\d+)(\.\d+)+/.exec(result.stdout);
    if (version === null) throw renderError("render-plugin", `${this.command} does not tell its version`);
    if (version[1] !== "3" && version[1] !== "4") {
      throw renderError("render-plugin", `charts need Helm 3 or 4, ${this.command} is ${version[0]}`);
    }
    this.versionChecked = true;
  }

  private failure(what: string, result: RunResult, home: string, recovery: "retry" | "stall"): AppError {
    if (result.ended === "too-much") {
      return renderError("render-too-large", `${what}: it prints more than ${this.maxBytes} bytes`);
    }
    const told = result.stderr
      .replaceAll(`${home}/`, "")
      .replace(/^Error: /, "")
      .trim()
      .slice(0, MAX_TOLD);
    const reason = result.ended === "timed-out" ? `no answer within ${this.deadlineMs} ms` : told || "no reason given";
    return new AppError("render-plugin", `${what}: ${reason}`, { recovery });
  }

  private get command(): string {
    return this.options.command || "helm";
  }

  private get deadlineMs(): number {
    return this.options.deadlineMs ?? 60_000;
  }

  private get maxBytes(): number {
    return this.options.maxBytes ?? 64 * 1024 * 1024;
  }

  private runBlocking<T>(steps: Steps<T>): T {
    let step = steps.next();
    while (step.done !== true) {
      const { args, home, network } = step.value;
      const { error, status, stdout, stderr } = spawnSync(this.command, args, {
        cwd: home,
        env: helmEnvironment(this.options.environment, home, network),
        timeout: this.deadlineMs,
        killSignal: "SIGKILL",
        maxBuffer: this.maxBytes,
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
      });
      step = steps.next(resultOf(error, status, stdout ?? "", stderr ?? ""));
    }
    return step.value;
  }

  private async runAside<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
    let step = steps.next();
    while (step.done !== true) {
      let result: RunResult;
      try {
        result = await this.spawn(step.value, signal);
      } catch (error) {
        // Lets the steps clean up behind themselves.
        steps.return(undefined as T);
        throw error;
      }
      step = steps.next(result);
    }
    return step.value;
  }

  private spawn({ args, home, network }: Run, signal: AbortSignal): Promise<RunResult> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const child = spawn(this.command, args, {
        cwd: home,
        env: helmEnvironment(this.options.environment, home, network),
        stdio: ["ignore", "pipe", "pipe"],
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let bytes = 0;
      let ended: RunResult["ended"] = "exited";
      const stop = (why: RunResult["ended"]): void => {
        if (ended === "exited") ended = why;
        child.kill("SIGKILL");
      };
      const timer = setTimeout(() => stop("timed-out"), this.deadlineMs);
      const onAbort = (): void => stop("timed-out");
      signal.addEventListener("abort", onAbort);
      for (const [stream, chunks] of [
        [child.stdout, stdout],
        [child.stderr, stderr],
      ] as const) {
        stream.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > this.maxBytes) stop("too-much");
          else chunks.push(chunk);
        });
      }
      const finish = (result: RunResult): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        if (signal.aborted) reject(signal.reason);
        else resolve(result);
      };
      child.on("error", (error) => finish({ ended: "not-started", status: null, stdout: "", stderr: error.message }));
      child.on("close", (status) => {
        finish({
          ended,
          status,
          stdout: Buffer.concat(stdout).toString("utf8"),
          stderr: Buffer.concat(stderr).toString("utf8"),
        });
      });
    });
  }
}

/** Characters of Helm's message that are passed on. */
const MAX_TOLD = 2000;

function resultOf(error: Error | undefined, status: number | null, stdout: string, stderr: string): RunResult {
  if (error === undefined) return { ended: "exited", status, stdout, stderr };
  const code = "code" in error ? error.code : undefined;
  const ended = code === "ETIMEDOUT" ? "timed-out" : code === "ENOBUFS" ? "too-much" : "not-started";
  return { ended, status, stdout, stderr: ended === "not-started" ? error.message : stderr };
}

function writeFiles(folder: string, files: ChartFiles): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of files) {
    if (path.startsWith("/") || path.split("/").includes("..")) {
      throw renderError("render-plugin", `the chart has a file ${path}, which leads out of it`);
    }
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

// Links inside a pulled chart are left out: Helm makes none when it unpacks.
function readFiles(folder: string, maxBytes: number): ChartFiles {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  const visit = (inside: string): void => {
    for (const entry of readdirSync(join(folder, inside), { withFileTypes: true })) {
      const path = inside === "" ? entry.name : `${inside}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      if (!entry.isFile()) continue;
      const content = readFileSync(join(folder, path));
      bytes += content.length;
      if (bytes > maxBytes) throw renderError("render-too-large", `the chart has more than ${maxBytes} bytes`);
      files.set(path, content);
    }
  };
  visit("");
  return files;
}
