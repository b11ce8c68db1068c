// Annotations as lines that the runner of GitHub Actions (and Gitea's, Forgejo's) reads from a job's output.
import type { Annotation } from "./annotations.ts";

const COMMANDS: Readonly<Record<Annotation["level"], string>> = {
  failure: "error",
  warning: "warning",
  notice: "notice",
};

/** `::error file=deploy/policies.yaml,line=14,endLine=14,title=mass-prune::41 of 60 objects would be deleted` */
export function workflowCommands(annotations: readonly Annotation[]): string {
  return annotations
    .map(({ level, path, startLine, endLine, title, message }) => {
      const properties = { file: path, line: String(startLine), endLine: String(endLine), title };
      const written = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`);
      return `::${COMMANDS[level]} ${written.join(",")}::${escapeData(message)}\n`;
    })
    .join("");
}

/** What would end the message. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** What would end a property, too. */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
