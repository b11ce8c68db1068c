// How bindings are scheduled, from the command line and the file it names: Karmada's flags by their names.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type FeatureGates, featureGates, parseFeatureGates } from "../../api/feature-gates.ts";
import type { SchedulerConfiguration } from "../../api/scheduler-configuration.ts";
import { parseDuration } from "../../runtime/duration.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { PluginModuleSettings, SchedulingProfile } from "../controllers/context.ts";
import { ALL_PLUGINS, BUILT_IN_PLUGINS, enabledPlugins, unknownPlugin } from "../scheduler/enabled-plugins.ts";
import { DEFAULT_SCHEDULER_NAME } from "../scheduler/occasion.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";
import { readSchedulerConfiguration } from "./scheduler-configuration.ts";

export const SCHEDULING_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "feature-gates": {
    type: "string",
    multiple: true,
    value: "GATE=BOOL,...",
    help: "switch features on or off, by Karmada's names",
  },
  "scheduler-name": {
    type: "string",
    value: "NAME",
    help: `schedule what asks for this scheduler in spec.schedulerName (default: ${DEFAULT_SCHEDULER_NAME})`,
  },
  "enable-empty-workload-propagation": {
    type: "boolean",
    help: "send workloads also to chosen clusters that get none of their replicas, with 0",
  },
  plugins: {
    type: "string",
    multiple: true,
    value: "NAMES",
    help: "filters and scores to use, by comma: * for all (the default), NAME, -NAME for all but that",
  },
  "scheduler-config": {
    type: "string",
    value: "FILE",
    help: "the settings above and scheduling plugins of your own, as a SchedulerConfiguration; options win over it",
  },
};

const DEFAULT_PLUGIN_TIMEOUT_MS = 1_000;

export interface SchedulingSettings {
  readonly featureGates: FeatureGates;
  readonly scheduling: SchedulingProfile;
}

/** Reads the options above. Throws a usage error, or an `AppError` that says what to change in the file. */
export function readSchedulingSettings(invocation: Invocation): SchedulingSettings {
  const path = stringOption(invocation, "scheduler-config");
  const file = path === undefined ? undefined : resolve(invocation.io.cwd, path);
  const config = file === undefined || path === undefined ? undefined : readFile(file, path);
  const modules = (config?.plugins?.modules ?? []).map(
    ({ name, path: module, timeout, args, weight }): PluginModuleSettings => ({
      name,
      path: resolve(dirname(file ?? ""), module),
      timeoutMs: timeout == null ? DEFAULT_PLUGIN_TIMEOUT_MS : parseDuration(timeout),
      args: args ?? {},
      weight: weight ?? 1,
    }),
  );
  const known = [...BUILT_IN_PLUGINS, ...modules.map(({ name }) => name)];
  const list = pluginsOption(invocation, known) ?? config?.plugins?.enabled ?? ALL_PLUGINS;
  const enabled = enabledPlugins(list, known);
  return {
    featureGates: featureGates({ ...config?.featureGates, ...gatesOption(invocation) }),
    scheduling: {
      schedulerName: nameOption(invocation) ?? config?.schedulerName ?? DEFAULT_SCHEDULER_NAME,
      emptyWorkloadPropagation:
        flagOption(invocation, "enable-empty-workload-propagation") ?? config?.enableEmptyWorkloadPropagation ?? false,
      disabledPlugins: BUILT_IN_PLUGINS.filter((name) => !enabled.has(name)),
      pluginModules: modules.filter(({ name }) => enabled.has(name)),
    },
  };
}

function readFile(file: string, shown: string): SchedulerConfiguration {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new AppError("scheduler-config-unreadable", `cannot read --scheduler-config ${shown}: ${messageOf(error)}`, {
      recovery: "stall",
      cause: error,
    });
  }
  return readSchedulerConfiguration(text, shown);
}

/** The gates of --feature-gates. Throws a usage error. */
export function gatesOption(invocation: Invocation): Partial<FeatureGates> {
  try {
    return parseFeatureGates(listOption(invocation, "feature-gates")?.join(",") ?? "");
  } catch (error) {
    throw new UsageError(`--feature-gates: ${messageOf(error)}`);
  }
}

function nameOption(invocation: Invocation): string | undefined {
  const name = stringOption(invocation, "scheduler-name");
  if (name === "") throw new UsageError("--scheduler-name takes a name, not nothing");
  return name;
}

function pluginsOption(invocation: Invocation, known: readonly string[]): readonly string[] | undefined {
  const list = listOption(invocation, "plugins");
  const problem = list === undefined ? undefined : unknownPlugin(list, known);
  if (problem !== undefined) throw new UsageError(`--plugins: ${problem}`);
  return list;
}

function flagOption(invocation: Invocation, name: string): boolean | undefined {
  const value = invocation.values[name];
  return typeof value === "boolean" ? value : undefined;
}

/** The entries of an option that may be repeated, and hold several by comma. */
function listOption(invocation: Invocation, name: string): readonly string[] | undefined {
  const value = invocation.values[name];
  const texts = typeof value === "string" ? [value] : Array.isArray(value) ? (value as readonly string[]) : undefined;
  return texts?.flatMap((text) => text.split(",")).flatMap((text) => (text.trim() === "" ? [] : [text.trim()]));
}
