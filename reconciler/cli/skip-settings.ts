// What an installation never propagates, from the command line.
import { AppError } from "../../runtime/errors.ts";
import type { Profile } from "../controllers/context.ts";
import { readSkipList } from "../policies/considered.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const SKIP_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "skipped-propagating-apis": {
    type: "string",
    value: "APIS",
    help: "never propagate these beside Karmada's and Events and Leases: GROUP, GROUP/VERSION or GROUP/VERSION/KIND,KIND, by semicolon",
  },
  "skipped-propagating-namespaces": {
    type: "string",
    value: "PATTERNS",
    help: "never propagate what is in namespaces that match one of these regular expressions, by comma (default: kube-.*)",
  },
};

/** Reads the options. Throws a `UsageError` that names the part which cannot be read. */
export function readSkipSettings(invocation: Invocation): Partial<Pick<Profile, "skippedApis" | "skippedNamespaces">> {
  const apis = stringOption(invocation, "skipped-propagating-apis");
  const namespaces = stringOption(invocation, "skipped-propagating-namespaces");
  const skippedNamespaces = namespaces === undefined ? undefined : listOf(namespaces, ",");
  check("skipped-propagating-apis", () => readSkipList(apis === undefined ? {} : { skippedApis: apis }));
  check("skipped-propagating-namespaces", () =>
    readSkipList(skippedNamespaces === undefined ? {} : { skippedNamespaces }),
  );
  return {
    ...(apis === undefined ? {} : { skippedApis: listOf(apis, ";") }),
    ...(skippedNamespaces === undefined ? {} : { skippedNamespaces }),
  };
}

function listOf(text: string, separator: string): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function check(option: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (error instanceof AppError) throw new UsageError(`--${option}: ${error.message}`);
    throw error;
  }
}
