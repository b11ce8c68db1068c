// What is asked of members, from the command line, under Karmada's names.
import type { Profile } from "../controllers/context.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const MEMBER_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "enable-cluster-resource-modeling": {
    type: "string",
    value: "BOOL",
    help: "tell nodes, capacity and resource models of clusters in their status (default: true)",
  },
};

/** Reads the options above. Throws a usage error. */
export function readMemberSettings(invocation: Invocation): Pick<Profile, "clusterResourceModeling"> {
  const text = stringOption(invocation, "enable-cluster-resource-modeling") ?? "true";
  if (text !== "true" && text !== "false")
    throw new UsageError(`--enable-cluster-resource-modeling takes true or false, not "${text}"`);
  return { clusterResourceModeling: text === "true" };
}
