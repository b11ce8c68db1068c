// The command line: finds the command, parses its options, turns errors into messages and exit codes.
import { constants } from "node:os";
import { nearest } from "../../api/nearest.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { type Command, EXIT, type ExitCode, type Io, OUTPUT_OPTION, parseArguments, UsageError } from "./command.ts";
import { COMMANDS, type CommandEntry, loadCommands } from "./commands/table.ts";
import { commandHelp, overview } from "./help.ts";

/** Signals within this time are one. */
const SAME_SIGNAL_MS = 300;

/** Runs one command line, without the program's name. Never throws: answers with the exit code. */
export async function runCli(args: readonly string[], io: Io, signal: AbortSignal): Promise<ExitCode> {
  const [name, ...words] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") return showHelp(words, io);
  const { entry, rest } = findCommand(name === "--version" ? ["version", ...words] : args);
  if (entry === undefined) return unknownCommand(args, io);
  const command = await entry.load();
  try {
    const { values, positionals } = parseArguments(rest, command);
    if (values["help"] === true) {
      io.out(commandHelp(command));
      return EXIT.ok;
    }
    // Said before anything is done.
    const format = values["output"];
    if (
      command.options["output"] === OUTPUT_OPTION["output"] &&
      format !== undefined &&
      format !== "json" &&
      format !== "yaml"
    )
      throw new UsageError(`-o takes json or yaml, not "${String(format)}"`);
    return await command.run({
      positionals,
      values,
      io,
      signal,
      runCommand: (other, otherIo) => runCli(other, otherIo, signal),
    });
  } catch (error) {
    return reportError(command, error, io);
  }
}

/** The command that a line begins with, and the words behind its name, which may be two. */
function findCommand(words: readonly string[]): { readonly entry: CommandEntry | undefined; readonly rest: string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const entry = COMMANDS.find((candidate) => candidate.name === name);
    if (entry !== undefined) return { entry, rest: words.slice(length) };
  }
  return { entry: undefined, rest: [...words] };
}

async function showHelp(words: readonly string[], io: Io): Promise<ExitCode> {
  const [name] = words;
  const { entry } = findCommand(words);
  if (name !== undefined && !name.startsWith("-") && entry === undefined) return unknownCommand(words, io);
  io.out(entry === undefined ? overview(await loadCommands()) : commandHelp(await entry.load()));
  return EXIT.ok;
}

function reportError(command: Command, error: unknown, io: Io): ExitCode {
  const isUsage =
    error instanceof UsageError ||
    (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
  if (isUsage) {
    io.err(`flaghoist ${command.name}: ${messageOf(error)}\nusage: flaghoist ${command.name} ${command.usage}\n`);
    return command.usageExit ?? EXIT.usage;
  }
  io.err(`flaghoist ${command.name}: ${messageOf(error)}\n`);
  // What was not anticipated is a bug: its place helps whoever mends it.
  if (!(error instanceof AppError) && error instanceof Error && error.stack !== undefined) io.err(`${error.stack}\n`);
  return error instanceof AppError && error.code === "prune-held" ? EXIT.held : EXIT.failed;
}

function suggest(name: string): string {
  const names = COMMANDS.map((command) => command.name);
  const near = names.find((other) => other.startsWith(name) || name.startsWith(other)) ?? nearest(name, names);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

async function unknownCommand([name = "", second = ""]: readonly string[], io: Io): Promise<ExitCode> {
  const group = COMMANDS.flatMap((command) =>
    command.name.startsWith(`${name} `) ? [command.name.slice(name.length + 1)] : [],
  );
  if (group.length > 0) {
    const isHelp = second === "" || second === "--help" || second === "-h";
    const meant = isHelp ? undefined : nearest(second, group);
    const hint = meant === undefined ? "" : `; did you mean "${name} ${meant}"?`;
    const problem = isHelp ? "" : `flaghoist: there is no command "${name} ${second}"${hint}\n\n`;
    const commands = (await loadCommands()).filter((command) => command.name.startsWith(`${name} `));
    if (isHelp && second !== "") {
      io.out(overview(commands));
      return EXIT.ok;
    }
    io.err(`${problem}${overview(commands)}`);
    return EXIT.usage;
  }
  io.err(`flaghoist: there is no command "${name}"${suggest(name)}\n\n${overview(await loadCommands())}`);
  return EXIT.usage;
}

/** Runs a command line in this process, and ends the process with it. */
export async function main(args: readonly string[]): Promise<never> {
  const abort = new AbortController();
  let interruptedAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const now = performance.now();
      interruptedAt ??= now;
      abort.abort(new AppError("interrupted", "interrupted", { recovery: "stall" }));
      // A second signal ends at once. Ctrl-C arrives twice: from the terminal, and from bin/run.js, which passes it on.
      if (now - interruptedAt > SAME_SIGNAL_MS) process.exit(128 + constants.signals[signal]);
    });
  }
  const io: Io = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
    readInput: async () => (await import("node:stream/consumers")).text(process.stdin),
  };
  // Timers of the system clock hold no process: a command that only waits must not end in the middle.
  const keepAlive = setInterval(() => {}, 60_000);
  // Who reads us may have seen enough: `flaghoist get | head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    io.err(`flaghoist: the output cannot be written: ${error.message}\n`);
    process.exit(EXIT.failed);
  });
  process.exitCode = await runCli(args, io, abort.signal);
  clearInterval(keepAlive);
  // Connections that linger must not hold a finished command.
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  process.exit();
}

if (import.meta.main) await main(process.argv.slice(2));
