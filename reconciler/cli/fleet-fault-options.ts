// Faults as a command line writes them.
import type { FaultType } from "../../api/fleet-faults.ts";
import { type CommandOption, type Invocation, UsageError } from "./command.ts";

/** An option that begins a fault, and the fault that it means. */
interface FaultOption extends CommandOption {
  readonly fault: FaultType;
  /** Fields of the fault from the option's values. */
  readonly fields?: (values: readonly string[]) => Readonly<Record<string, unknown>>;
}

function flag(fault: FaultType, help: string): FaultOption {
  return { type: "boolean", help, fault };
}

const BEGIN: Readonly<Record<string, FaultOption>> = {
  down: flag("down", "refuse connections; with --node, lose the nodes"),
  hang: flag("hang", "take connections and never answer"),
  slow: flag("slow", "answer late: see --latency"),
  errors: flag("errors", "fail requests: see --percent and --status"),
  throttle: flag("throttle", "answer 429: see --percent and --retry-after"),
  unhealthy: flag("unhealthy", "let /readyz and /healthz fail"),
  "expired-credentials": flag("expired-credentials", "answer 401"),
  "watch-drop": flag("watch-drop", "let no watch last: see --interval and --ending"),
  "api-group-missing": {
    type: "string",
    value: "GROUP",
    help: "neither serve an API group nor list it",
    fault: "api-group-missing",
    fields: ([text = ""]) => {
      const [group, version] = text.split("/");
      return { group, ...(version === undefined ? {} : { version }) };
    },
  },
  "clock-skew": {
    type: "string",
    value: "DURATION",
    help: "set the control plane's clock ahead; with a minus, back (--clock-skew=-90s)",
    fault: "clock-skew",
    fields: ([by]) => ({ by }),
  },
  "node-down": flag("node-down", "lose nodes: see --node and --count"),
  shrink: {
    type: "string",
    value: "RESOURCE=AMOUNT",
    multiple: true,
    help: "take a quantity or a share of a resource from the nodes: cpu=4, memory=50%",
    fault: "capacity-shrink",
    fields: (values) => ({ by: Object.fromEntries(values.map((each) => pairOf("shrink", each))) }),
  },
  "slow-disk": {
    type: "string",
    value: "FACTOR",
    help: "make disks so many times slower",
    fault: "slow-disk",
    fields: ([factor]) => ({ factor: Number(factor) }),
  },
  "crash-loop": {
    type: "string",
    value: "IMAGE",
    multiple: true,
    help: "let containers of an image crash",
    fault: "crash-loop",
    fields: (images) => ({ images }),
  },
  "image-pull-failure": {
    type: "string",
    value: "IMAGE",
    multiple: true,
    help: "let an image not be pulled",
    fault: "image-pull-failure",
    fields: (images) => ({ images }),
  },
  partition: {
    type: "string",
    value: "PARTY",
    multiple: true,
    help: "cut the network to control-plane, users, agents, nodes or cluster:NAME",
    fault: "partition",
    fields: (from) => ({ from }),
  },
  outage: flag("outage", "take the power away"),
  upgrade: {
    type: "string",
    value: "VERSION",
    help: "upgrade node by node, the server first",
    fault: "upgrade",
    fields: ([to]) => ({ to }),
  },
  backup: flag("backup", "take a backup of the store, called as --name says"),
  restore: flag("restore", "put the store back to a backup: see --from-backup"),
  "revision-reset": flag("revision-reset", "let revisions begin anew"),
};

/** Options that say more of a fault, with the field that they are. */
const FIELDS: Readonly<Record<string, CommandOption & { readonly field: string; readonly isNumber?: boolean }>> = {
  for: { type: "string", value: "DURATION", help: "end it after so long", field: "for" },
  at: { type: "string", value: "DURATION", help: "begin in so long", field: "at" },
  every: { type: "string", value: "DURATION", help: "strike again so long after each beginning", field: "every" },
  times: { type: "string", value: "N", help: "strike so often in all", field: "times", isNumber: true },
  jitter: { type: "string", value: "DURATION", help: "begin up to so much later, by chance", field: "jitter" },
  name: { type: "string", value: "NAME", help: "call it so, in messages and for --end", field: "name" },
  caller: { type: "string", value: "PARTY", multiple: true, help: "only for requests of this party", field: "callers" },
  latency: { type: "string", value: "LATENCY", help: "2s, 100ms..2s (evenly) or 200ms/3s (p50/p99)", field: "latency" },
  percent: { type: "string", value: "N", help: "so many requests of a hundred", field: "percent", isNumber: true },
  status: { type: "string", value: "CODE", help: "the status of --errors", field: "status", isNumber: true },
  "retry-after": { type: "string", value: "DURATION", help: "what --throttle asks to wait", field: "retryAfter" },
  interval: { type: "string", value: "DURATION", help: "how long watches last under --watch-drop", field: "interval" },
  ending: { type: "string", value: "HOW", help: "how they end: reset, end or expired", field: "ending" },
  mode: { type: "string", value: "MODE", help: "of --partition: drop or reject", field: "mode" },
  count: { type: "string", value: "N", help: "so many of the nodes, by chance", field: "count", isNumber: true },
  "from-backup": {
    type: "string",
    value: "NAME",
    help: "the backup of --restore (default: the latest)",
    field: "backup",
  },
  "max-unavailable": {
    type: "string",
    value: "N",
    help: "nodes that --upgrade takes at a time",
    field: "maxUnavailable",
    isNumber: true,
  },
  "node-pause": {
    type: "string",
    value: "DURATION",
    help: "how long --upgrade keeps an empty node away",
    field: "nodePause",
  },
};

/** Options that say where. */
const TARGET: Readonly<Record<string, CommandOption>> = {
  node: { type: "string", value: "NODE", multiple: true, help: "these nodes only; * stands for any letters" },
  region: { type: "string", value: "REGION", help: "clusters of this region" },
  provider: { type: "string", value: "PROVIDER", help: "clusters of this provider" },
  zone: { type: "string", value: "ZONE", help: "clusters, or nodes, in this zone" },
  selector: { type: "string", short: "l", value: "KEY=VALUE,...", help: "clusters with these labels" },
};

export const FAULT_OPTIONS: Readonly<Record<string, CommandOption>> = {
  ...Object.fromEntries(
    Object.entries(BEGIN).map(([name, { fault: _fault, fields: _fields, ...option }]) => [name, option]),
  ),
  ...Object.fromEntries(
    Object.entries(FIELDS).map(([name, { field: _field, isNumber: _isNumber, ...option }]) => [name, option]),
  ),
  ...TARGET,
};

/**
 * The fault of a command line, as the management API takes it; undefined when no option begins one. Throws a usage error
 * for more than one, and for what no fault could be made of. Whether it makes sense, the fleet says.
 */
export function faultOfOptions({
  positionals,
  values,
}: Pick<Invocation, "positionals" | "values">): Readonly<Record<string, unknown>> | undefined {
  const given = Object.keys(BEGIN).filter((name) => values[name] !== undefined && values[name] !== false);
  if (given.length > 1) throw new UsageError(`one fault at a time: --${given[0]} and --${given[1]} are two commands`);
  const [name] = given;
  const begin = name === undefined ? undefined : BEGIN[name];
  if (name === undefined || begin === undefined) return undefined;
  const nodes = textsOf(values["node"]);
  const type = begin.fault === "down" && nodes.length > 0 ? "node-down" : begin.fault;
  const fault: Record<string, unknown> = {
    type,
    target: targetOf(positionals, values, nodes),
    ...begin.fields?.(textsOf(values[name])),
  };
  for (const [option, { field, isNumber, multiple }] of Object.entries(FIELDS)) {
    const texts = textsOf(values[option]);
    const [text] = texts;
    if (text === undefined) continue;
    if (option === "latency") fault[field] = latencyOf(text);
    else fault[field] = multiple === true ? texts : isNumber === true ? numberOf(option, text) : text;
  }
  return fault;
}

function targetOf(
  clusters: readonly string[],
  values: Invocation["values"],
  nodes: readonly string[],
): Readonly<Record<string, unknown>> {
  const { region, provider, zone, selector } = values;
  const target = {
    ...(clusters.length === 0 ? {} : { clusters }),
    ...(region === undefined ? {} : { region }),
    ...(provider === undefined ? {} : { provider }),
    ...(zone === undefined ? {} : { zone }),
    ...(typeof selector === "string" ? { labels: labelsOf(selector) } : {}),
    ...(nodes.length === 0 ? {} : { nodes }),
  };
  if (Object.keys(target).length === 0)
    throw new UsageError("which cluster? Name one, or --region, --provider, --zone or --selector; '*' is all");
  return target;
}

function labelsOf(text: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(text.split(",").map((each) => pairOf("selector", each)));
}

function pairOf(option: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0 || at === text.length - 1) throw new UsageError(`--${option} takes KEY=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `2s`, `100ms..2s` or `200ms/3s`. */
function latencyOf(text: string): Readonly<Record<string, string>> {
  const [min = "", max] = text.split("..");
  if (max !== undefined) return { min, max };
  const [p50 = "", p99] = text.split("/");
  return p99 === undefined ? { fixed: text } : { p50, p99 };
}

function numberOf(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${option} takes a whole number, not "${text}"`);
  return Number(text);
}

function textsOf(value: Invocation["values"][string]): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.map(String) : [];
}
