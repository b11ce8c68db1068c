// Help, the list of commands, and shell completion: all from the command table.
import type { Command, CommandOption } from "./command.ts";

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return [
    "flaghoist: GitOps for fleets of Kubernetes clusters",
    "",
    "usage: flaghoist COMMAND [OPTION...]",
    "",
    ...lines,
    "",
    "'flaghoist COMMAND --help' shows a command's options and examples.",
    "Exit codes: 0 as wished, 1 failed, 2 usage, 3 differences or drift found, 4 held for a person.",
    "",
  ].join("\n");
}

export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, option]) => [optionText(name, option), option.help] as const,
  );
  const width = Math.max(0, ...options.map(([text]) => text.length));
  const sections = [`usage: flaghoist ${command.name} ${command.usage}`.trimEnd(), "", command.description];
  if (options.length > 0)
    sections.push("", "Options:", ...options.map(([text, help]) => `  ${text.padEnd(width)}  ${help}`));
  if (command.examples.length > 0) {
    const lineWidth = Math.max(...command.examples.map(([line]) => line.length));
    sections.push(
      "",
      "Examples:",
      ...command.examples.map(([line, what]) => `  flaghoist ${line.padEnd(lineWidth)}  ${what}`),
    );
  }
  return `${sections.join("\n")}\n`;
}

function optionText(name: string, option: CommandOption): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  return `${short}--${name}${option.type === "string" ? ` ${option.value ?? "VALUE"}` : ""}`;
}

/** Commands of two words, by the first. */
function groupsOf(commands: readonly Command[]): ReadonlyMap<string, readonly Command[]> {
  return Map.groupBy(
    commands.filter(({ name }) => name.includes(" ")),
    ({ name }) => name.split(" ")[0] ?? "",
  );
}

function secondWord({ name }: Command): string {
  return name.slice(name.indexOf(" ") + 1);
}

function optionWords({ options }: Command): string {
  return `${Object.keys(options)
    .map((name) => `--${name}`)
    .join(" ")} --help`;
}

/** A completion script for bash, zsh or fish; undefined for another shell. */
export function completionScript(shell: string, commands: readonly Command[]): string | undefined {
  const groups = groupsOf(commands);
  const single = commands.filter(({ name }) => !name.includes(" "));
  const names = [...single.map(({ name }) => name), ...groups.keys()].join(" ");
  const cases = [
    ...single.map((command) => `    ${command.name}) words="${optionWords(command)}" ;;`),
    ...[...groups].flatMap(([group, members]) => [
      `    ${group})`,
      `      words="${members.map(secondWord).join(" ")} --help"`,
      '      if [ "$COMP_CWORD" -gt 2 ]; then',
      '        case "${COMP_WORDS[2]}" in',
      ...members.map((command) => `        ${secondWord(command)}) words="${optionWords(command)}" ;;`),
      "        esac",
      "      fi ;;",
    ]),
  ];
  const bash = [
    "_flaghoist() {",
    `  local words="${names}"`,
    '  if [ "$COMP_CWORD" -gt 1 ]; then',
    '    words="--help"',
    '    case "${COMP_WORDS[1]}" in',
    ...cases,
    "    esac",
    "  fi",
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    "}",
    "complete -o default -F _flaghoist flaghoist",
    "",
  ].join("\n");
  switch (shell) {
    case "bash":
      return bash;
    case "zsh":
      return `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
    case "fish":
      return [
        ...single.map(
          ({ name, summary }) => `complete -c flaghoist -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`,
        ),
        ...[...groups].flatMap(([group, members]) => [
          `complete -c flaghoist -n __fish_use_subcommand -a ${group}`,
          ...members.map(
            (command) =>
              `complete -c flaghoist -n '__fish_seen_subcommand_from ${group}' -a ${secondWord(command)} -d '${quoted(command.summary)}'`,
          ),
        ]),
        ...commands.flatMap((command) => {
          const seen = command.name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
          return Object.entries(command.options).map(
            ([name, option]) =>
              `complete -c flaghoist -n '${seen.join("; and ")}' -l ${name} -d '${quoted(option.help)}'`,
          );
        }),
        "",
      ].join("\n");
    default:
      return undefined;
  }
}

/** Within single quotes of fish. */
function quoted(text: string): string {
  return text.replaceAll(/['\\]/g, "\\$&");
}
