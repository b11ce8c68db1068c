import { type Command, EXIT, UsageError } from "../command.ts";
import { completionScript } from "../help.ts";

export function completionCommand(commands: () => Promise<readonly Command[]>): Command {
  return {
    name: "completion",
    summary: "print a completion script for bash, zsh or fish",
    usage: "bash|zsh|fish",
    description: "Prints a script that completes commands and options in your shell.",
    options: {},
    examples: [
      ["completion bash > ~/.local/share/bash-completion/completions/flaghoist", "for bash"],
      ["completion fish > ~/.config/fish/completions/flaghoist.fish", "for fish"],
    ],
    run: async ({ positionals, io }) => {
      const script = completionScript(positionals[0] ?? "", await commands());
      if (script === undefined) throw new UsageError("which shell? bash, zsh or fish");
      io.out(script);
      return EXIT.ok;
    },
  };
}
