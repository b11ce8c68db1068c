// How fast members are written to, from the command line. The flags are Karmada's by their names.
import type { RequestRate } from "../../fleets/member-transport.ts";
import type { Profile } from "../controllers/context.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const APPLY_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "cluster-api-qps": {
    type: "string",
    value: "NUMBER",
    help: "requests a second that each member cluster gets in the long run (default: 400; 40 with --compatibility karmada; -1: no limit)",
  },
  "cluster-api-burst": {
    type: "string",
    value: "NUMBER",
    help: "requests that a member cluster gets at once after a rest (default: twice --cluster-api-qps; 60 with --compatibility karmada)",
  },
};

const KARMADA: RequestRate = { perSecond: 40, burst: 60 };
/** Servers of today ask for a pause themselves when they have too much to do; this is for those that do not. */
const OURS: RequestRate = { perSecond: 400, burst: 800 };

/** Reads the options above. Throws a usage error. */
export function readApplySettings(invocation: Invocation): Pick<Profile, "memberRate"> {
  const qps = read(invocation, "cluster-api-qps", /^(-1|\d+(\.\d+)?)$/);
  const burst = read(invocation, "cluster-api-burst", /^\d+$/);
  if (qps === 0 || burst === 0) throw new UsageError("--cluster-api-qps and --cluster-api-burst must be more than 0");
  if (qps === undefined && burst === undefined) return { memberRate: undefined };
  if (qps === -1) {
    if (burst !== undefined) throw new UsageError("--cluster-api-burst has no effect with --cluster-api-qps=-1");
    return { memberRate: "unlimited" };
  }
  const { perSecond } = stringOption(invocation, "compatibility") === "karmada" ? KARMADA : OURS;
  const rate = qps ?? perSecond;
  return { memberRate: { perSecond: rate, burst: burst ?? Math.max(1, Math.ceil(rate * 2)) } };
}

/** The bound for each member; undefined: none. */
export function memberRateOf({
  memberRate,
  compatibility,
}: Pick<Profile, "memberRate" | "compatibility">): RequestRate | undefined {
  if (memberRate === "unlimited") return undefined;
  return memberRate ?? (compatibility === "karmada" ? KARMADA : OURS);
}

function read(invocation: Invocation, name: string, form: RegExp): number | undefined {
  const text = stringOption(invocation, name);
  if (text === undefined) return undefined;
  if (!form.test(text)) throw new UsageError(`--${name} takes a number, not "${text}"`);
  return Number(text);
}
