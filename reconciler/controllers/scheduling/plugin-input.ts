// Asks the scheduling plugins of the user before a decision; what they do wrong becomes the decision's error.
import { AppError } from "../../../runtime/errors.ts";
import { PluginHost } from "../../plugins/plugin-host.ts";
import { PluginVerdictCache } from "../../plugins/plugin-verdicts.ts";
import type { DecisionOptions } from "../../scheduler/decide-scheduling.ts";
import { whyIgnored } from "../../scheduler/occasion.ts";
import type { AnyBinding } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import type { FleetState } from "./fleet-state.ts";
import type { SchedulingInput } from "./scheduling-inputs.ts";

export interface PluginInput extends SchedulingInput {
  stop(): Promise<void>;
}

/**
 * Loads the modules of the profile, and ends them all again when one is unusable; undefined when there are none.
 * Rejects with `scheduling-plugin-unusable`.
 */
export async function startPluginInput(
  context: ControllerContext,
  fleet: FleetState,
): Promise<PluginInput | undefined> {
  const { clock, logger, profile } = context;
  const { pluginModules, schedulerName } = profile.scheduling;
  if (pluginModules.length === 0) return undefined;
  const hosts = pluginModules.map(
    ({ name, path, timeoutMs }) => new PluginHost({ name, path, timeoutMs, clock, logger }),
  );
  const stop = async (): Promise<void> => {
    for (const host of hosts) await host.close();
  };
  try {
    for (const host of hosts) await host.start();
  } catch (error) {
    await stop();
    throw error;
  }
  logger.info("loaded scheduling plugins", { plugins: pluginModules.map(({ name }) => name) });
  const plugins = hosts.map((host, index) => ({
    name: host.name,
    weight: pluginModules[index]?.weight ?? 1,
    args: pluginModules[index]?.args ?? {},
    ask: host.ask.bind(host),
  }));
  const cache = new PluginVerdictCache(plugins, () => Array.from(fleet.index.records, ({ cluster }) => cluster));
  fleet.subscribe(({ before, after }) => {
    if (after === undefined) cache.noteDeleted(before?.metadata.name ?? "");
    else cache.noteChange();
  });
  const optionsFor = (binding: AnyBinding): Partial<DecisionOptions> | Promise<Partial<DecisionOptions>> => {
    const { placement, resource } = binding.spec;
    if (placement == null || whyIgnored(binding, schedulerName) !== undefined) return {};
    const verdicts = cache.verdicts(placement, resource);
    return verdicts instanceof Promise ? verdicts.catch(failureOf) : verdicts;
  };
  return { optionsFor, stop };
}

function failureOf(error: unknown): Partial<DecisionOptions> {
  if (error instanceof AppError) return { pluginFailure: error.message };
  throw error;
}
