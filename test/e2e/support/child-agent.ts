// A `flaghoist` command in a process of its own, for agents that are started and killed.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { runCli } from "../../../reconciler/cli/main.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** Were this process killed, they would stay behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface CommandOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end, in this process. */
export async function runFlaghoist(args: readonly string[], cwd: string): Promise<CommandOutcome> {
  const said = { out: "", err: "" };
  const io = {
    out: (text: string): void => {
      said.out += text;
    },
    err: (text: string): void => {
      said.err += text;
    },
    isTerminal: false,
    env: {},
    cwd,
  };
  const code = await runCli(args, io, new AbortController().signal);
  return { code, ...said };
}

/** A command that runs until it is ended. */
export class ChildCommand {
  readonly #args: readonly string[];
  readonly #cwd: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  /** What it said since its last start, for failing tests. */
  log = "";

  /** `env` is added to this process's own. */
  constructor(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    this.#args = args;
    this.#cwd = cwd;
    this.#env = env;
  }

  get hasEnded(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  start(): void {
    this.log = "";
    const child = start(this.#args, this.#cwd, this.#env);
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    this.#child = child;
  }

  /** Sends a signal and leaves it at that. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<number | null> {
    if (!this.hasEnded) this.signal(signal);
    return this.ended();
  }

  /** Resolves with its exit code when it has ended; null for one that a signal killed. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (this.hasEnded) return child.exitCode;
    return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  }
}

function start(args: readonly string[], cwd: string, more: Readonly<Record<string, string>>): ChildProcess {
  const { KUBECONFIG: _kubeconfig, FLAGHOIST_KUBECONFIG: _own, ...env } = process.env;
  const child = spawn(process.execPath, [join(root, "reconciler/cli/main.ts"), ...args], {
    cwd,
    env: { ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}
