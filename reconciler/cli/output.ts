// How commands print: text for people, data on request.
import { parseJson, stringifyJson } from "../../kube/json.ts";
import { stringifyYaml } from "../../kube/yaml.ts";
import { type Invocation, stringOption, UsageError } from "./command.ts";

/** Prints `data` as JSON or YAML when asked for, else `text()`. */
export function print(invocation: Invocation, data: unknown, text: () => string): void {
  const format = stringOption(invocation, "output");
  const printed = format === undefined ? withNewline(text()) : dataText(format, data);
  if (printed === undefined) throw new UsageError(`-o takes json or yaml, not "${format}"`);
  invocation.io.out(printed);
}

/** `data` as JSON or YAML; undefined for any other format. */
export function dataText(format: string, data: unknown): string | undefined {
  switch (format) {
    case "json":
      return `${stringifyJson(data, 2)}\n`;
    case "yaml":
      return withNewline(stringifyYaml(parseJson(stringifyJson(data))));
    default:
      return undefined;
  }
}

function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  cyan(text: string): string;
}

/** Colours for a terminal; for anything else (and under NO_COLOR) the text itself. */
export function paint(invocation: Pick<Invocation, "io">): Paint {
  const { isTerminal, env } = invocation.io;
  const on = isTerminal && env["NO_COLOR"] === undefined && env["TERM"] !== "dumb";
  const wrap = (code: number) => (text: string) => (on ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: wrap(1), dim: wrap(2), green: wrap(32), yellow: wrap(33), red: wrap(31), cyan: wrap(36) };
}
