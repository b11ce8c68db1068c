// Which filters and scores are switched on, as Karmada's --plugins says it.

import { nearest } from "../../api/nearest.ts";
import { FILTER_NAMES } from "./fleet/filters.ts";

/** Every filter and score of Karmada's scheduler, by its name there. ClusterAffinity also scores, always 0. */
export const BUILT_IN_PLUGINS: readonly string[] = [...FILTER_NAMES, "ClusterLocality"];

/** What Karmada's flag holds when it is not given. */
export const ALL_PLUGINS: readonly string[] = ["*"];

/**
 * The names of `known` that a list switches on. As Karmada: `*` stands for all of them wherever it is, then the entries
 * count in their order: `name` switches on, `-name` off. Differs from Karmada: a name that nothing has is told by
 * `unknownPlugin`, where there it is passed over.
 */
export function enabledPlugins(list: readonly string[], known: readonly string[]): ReadonlySet<string> {
  const enabled = new Set<string>(list.includes("*") ? known : []);
  for (const entry of list) {
    if (known.includes(entry)) enabled.add(entry);
    else if (entry.startsWith("-")) enabled.delete(entry.slice(1));
  }
  return enabled;
}

/** What is wrong with the first entry of a list that no plugin has the name of; undefined when all are known. */
export function unknownPlugin(list: readonly string[], known: readonly string[]): string | undefined {
  for (const entry of list) {
    if (entry === "*" || known.includes(entry.replace(/^-/, ""))) continue;
    const meant = nearest(entry.replace(/^-/, ""), known);
    const hint = meant === undefined ? "" : ` Did you mean ${entry.startsWith("-") ? "-" : ""}${meant}?`;
    return `there is no scheduling plugin "${entry}".${hint} There are ${known.join(", ")}`;
  }
  return undefined;
}
