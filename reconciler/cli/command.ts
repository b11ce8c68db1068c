// What a command of the CLI is, and what it gets to work with.
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { isDuration, parseDuration } from "../../runtime/duration.ts";

/** Exit codes, the same for every command. */
export const EXIT = {
  /** As wished. */
  ok: 0,
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** Differences or drift were found (`--exit-code`). */
  differences: 3,
  /** Held: a person must confirm. */
  held: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface CommandOption {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** Shown as the value in help: `--base REF`. */
  readonly value?: string;
  readonly help: string;
  readonly default?: string | boolean;
  readonly multiple?: boolean;
  /** What an option that takes a value means without one. */
  readonly bare?: string;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Arguments as help shows them: `KIND/NAME [-n NAMESPACE]`. */
  readonly usage: string;
  /** Sentences below the usage line. */
  readonly description: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Pairs of a command line and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Exit code for a command line that makes no sense, where another program's is expected. Default: 2. */
  readonly usageExit?: ExitCode;
  run(invocation: Invocation): Promise<ExitCode>;
}

export interface Invocation {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly io: Io;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Runs another command line, with its output going to `io`. */
  readonly runCommand: (args: readonly string[], io: Io) => Promise<ExitCode>;
}

/** Where a command reads its surroundings and writes to: replaced in tests. */
export interface Io {
  readonly out: (text: string) => void;
  /** Progress, warnings and errors. */
  readonly err: (text: string) => void;
  /** Colour and live progress are for terminals only. */
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** All of the standard input; absent where there is none. */
  readonly readInput?: () => Promise<string>;
}

/** A wrong command line; shown with the command's usage, exit code 2. */
export class UsageError extends Error {}

export function stringOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.values[name];
  return typeof value === "string" ? value : undefined;
}

/** In milliseconds. `fallback` where it is not given; a usage error for what is no duration, or a negative one. */
export function durationOption(invocation: Invocation, name: string, fallback: string): number {
  const text = stringOption(invocation, name) ?? fallback;
  if (!isDuration(text) || text.startsWith("-"))
    throw new UsageError(`--${name} takes a duration such as ${fallback}, not "${text}"`);
  return parseDuration(text);
}

/** What `--seed` says; undefined without it. */
export function seedOption(invocation: Invocation): number | undefined {
  const text = stringOption(invocation, "seed");
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text) || Number(text) >= 2 ** 32)
    throw new UsageError(`--seed takes a whole number below 4294967296, not "${text}"`);
  return Number(text);
}

export function booleanOption(invocation: Invocation, name: string): boolean {
  return invocation.values[name] === true;
}

function parseOptions(command: Command): ParseArgsOptionsConfig {
  return Object.fromEntries(
    Object.entries({ ...command.options, ...HELP_OPTION }).map(([name, option]) => [
      name,
      {
        type: option.type,
        ...(option.short === undefined ? {} : { short: option.short }),
        ...(option.multiple === undefined ? {} : { multiple: option.multiple }),
      },
    ]),
  );
}

const TRUE = /^(?:1|t|true)$/i;
const FALSE = /^(?:0|f|false)$/i;

/** What a command line says: values of options by name, and the other words. */
export type Arguments = Pick<Invocation, "values" | "positionals">;

/**
 * Reads the words behind a command's name, also as programs in Go take them: `--flag=true`, `--flag=false` (the last word
 * on a flag counts) and `-o=FILE`. Throws a usage error, or the TypeError of parseArgs.
 */
export function parseArguments(args: readonly string[], command: Command): Arguments {
  const off = new Set<string>();
  const words: string[] = [];
  for (const [i, argument] of args.entries()) {
    const bare = argument.startsWith("--") ? command.options[argument.slice(2)]?.bare : undefined;
    const next = args[i + 1];
    if (bare !== undefined && (next === undefined || next.startsWith("-"))) {
      words.push(`${argument}=${bare}`);
      continue;
    }
    if (argument === "--") {
      words.push(...args.slice(i));
      break;
    }
    const [, name = "", value] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const [, letter = "", text = ""] = /^-([^-])=(.*)$/s.exec(argument) ?? [];
    const short = Object.entries(command.options).find(([, option]) => option.short === letter);
    if (command.options[name]?.type === "boolean") {
      const isOn = value === undefined || TRUE.test(value);
      if (!isOn && !FALSE.test(value)) throw new UsageError(`--${name} takes true or false, not "${value}"`);
      if (isOn) off.delete(name);
      else off.add(name);
      words.push(`--${name}`);
    } else {
      words.push(short?.[1].type === "string" ? `--${short[0]}=${text}` : argument);
    }
  }
  const { values, positionals } = parseArgs({
    args: words,
    options: parseOptions(command),
    allowPositionals: true,
    strict: true,
  });
  // Options are strings, booleans and lists of these, by how `parseOptions` declares them.
  const read = values as Arguments["values"];
  return { values: { ...read, ...Object.fromEntries([...off].map((name) => [name, false])) }, positionals };
}

const HELP_OPTION: Readonly<Record<string, CommandOption>> = {
  help: { type: "boolean", short: "h", help: "show this help" },
};

/** Options that commands share, so that each means the same everywhere. */
export const OUTPUT_OPTION: Readonly<Record<string, CommandOption>> = {
  output: { type: "string", short: "o", value: "json|yaml", help: "print data instead of text" },
};

export const SERVER_OPTIONS: Readonly<Record<string, CommandOption>> = {
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: "the control plane (default: $FLAGHOIST_KUBECONFIG, ./.flaghoist/kubeconfig, $KUBECONFIG)",
  },
  context: { type: "string", value: "NAME", help: "context of that kubeconfig" },
};

/** For commands that ask a control plane and change nothing. */
export const READING_OPTIONS: Readonly<Record<string, CommandOption>> = {
  ...SERVER_OPTIONS,
  snapshot: { type: "string", value: "FILE", help: "ask a file of 'flaghoist snapshot' instead of a control plane" },
};

/** For commands that work on the files of `flaghoist up` themselves. */
export const DATA_OPTION: Readonly<Record<string, CommandOption>> = {
  data: { type: "string", value: "FOLDER", help: "data folder of 'flaghoist up' (default: .flaghoist)" },
};

export const NAMESPACE_OPTION: Readonly<Record<string, CommandOption>> = {
  namespace: { type: "string", short: "n", value: "NAMESPACE", help: "namespace of the object (default: default)" },
};
