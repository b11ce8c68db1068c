import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, EXIT, OUTPUT_OPTION } from "../command.ts";
import { print } from "../output.ts";

/** The version in package.json. */
export function productVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}

export const versionCommand: Command = {
  name: "version",
  summary: "print the version",
  usage: "[-o json|yaml]",
  description: "Prints the versions of flaghoist and of the Node that runs it.",
  options: OUTPUT_OPTION,
  examples: [["version -o json", "as data"]],
  run: async (invocation) => {
    const data = {
      flaghoist: productVersion(),
      node: process.versions.node,
      platform: `${process.platform}/${process.arch}`,
    };
    print(invocation, data, () => `flaghoist ${data.flaghoist} (Node ${data.node}, ${data.platform})`);
    return EXIT.ok;
  },
};
