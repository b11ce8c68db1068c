// How much may be deleted in one cluster without a person's word, from the command line.

import type { Profile } from "../controllers/context.ts";
import { DEFAULT_DELETION_LIMITS } from "../works/mass-deletion.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const DELETION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "deletion-limit-percent": {
    type: "string",
    value: "N",
    help: "share of a cluster's objects that may be deleted within 10m before a person is asked; 100: all (default: 30, with --compatibility karmada 100)",
  },
  "deletion-limit-count": {
    type: "string",
    value: "N",
    help: "objects that may be deleted in a cluster within 10m whatever their share (default: 20)",
  },
};

/** Reads the options above. Throws a usage error. */
export function readDeletionSettings(
  invocation: Invocation,
  compatibility: Profile["compatibility"],
): Pick<Profile, "deletionLimits"> {
  const usual = compatibility === "karmada" ? 100 : DEFAULT_DELETION_LIMITS.sharePercent;
  const sharePercent = wholeNumber(invocation, "deletion-limit-percent", 100) ?? usual;
  const count = wholeNumber(invocation, "deletion-limit-count", 1_000_000) ?? DEFAULT_DELETION_LIMITS.count;
  return { deletionLimits: sharePercent >= 100 ? undefined : { ...DEFAULT_DELETION_LIMITS, sharePercent, count } };
}

function wholeNumber(invocation: Invocation, name: string, most: number): number | undefined {
  const text = stringOption(invocation, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most) throw new UsageError(`--${name} takes a whole number from 0 to ${most}`);
  return value;
}
