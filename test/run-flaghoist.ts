// The command line in this process, for tests: what it prints, and its exit code.
import type { ExitCode } from "../reconciler/cli/command.ts";
import { runCli } from "../reconciler/cli/main.ts";

export interface Ran {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The standard input. */
  readonly input?: string;
}

/** Runs `flaghoist ARGS` in the folder `cwd`, with no other environment than `env`. */
export async function runFlaghoist(args: readonly string[], { cwd, env = {}, input = "" }: Surroundings): Promise<Ran> {
  let out = "";
  let err = "";
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    isTerminal: false,
    env,
    cwd,
    readInput: async () => input,
  };
  const code = await runCli(args, io, new AbortController().signal);
  return { code, out, err };
}
