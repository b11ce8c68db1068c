// How changes in the members are looked for, from the command line.
import type { Profile } from "../controllers/context.ts";
import { type CommandOption, durationOption, type Invocation, UsageError } from "./command.ts";

export const DRIFT_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "drift-check-interval": {
    type: "string",
    value: "DURATION",
    help: "within this time every copy is compared once by a dry run in its cluster, beside watches; 0 never (default: 1h)",
  },
};

/** Reads the options above. Throws a usage error. */
export function readDriftSettings(invocation: Invocation): Pick<Profile, "driftCheckIntervalMs"> {
  const driftCheckIntervalMs = durationOption(invocation, "drift-check-interval", "1h");
  if (driftCheckIntervalMs > 0 && driftCheckIntervalMs < 10_000)
    throw new UsageError("--drift-check-interval takes at least 10s, or 0");
  return { driftCheckIntervalMs };
}
