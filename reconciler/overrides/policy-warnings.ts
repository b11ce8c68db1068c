// What an override policy says in vain, or surely does not mean: as far as the policy alone tells.

import { hasVariables, textsIn } from "../../api/override-variables.ts";
import type { Overriders } from "../../api/policy.ts";
import { hasKnownContainers } from "./containers.ts";
import { isTagOrDigest } from "./image-reference.ts";
import { type AnyOverridePolicy, overridersPath, rulesOf } from "./order.ts";

export interface PolicyWarning {
  /** Stable name of the sort. */
  readonly code: "identity" | "plain-variable" | "no-containers" | "no-tag";
  readonly field: string;
  readonly words: string;
}

const IDENTITY: ReadonlySet<string> = new Set(["/kind", "/apiVersion", "/metadata/name", "/metadata/namespace"]);

export function policyWarnings(policy: AnyOverridePolicy): readonly PolicyWarning[] {
  const kinds = [...new Set((policy.spec.resourceSelectors ?? []).map(({ kind }) => kind))];
  const hasNoContainers = kinds.length > 0 && kinds.every((kind) => !hasKnownContainers({ kind }));
  const found: PolicyWarning[] = [];
  for (const [rule, { overriders }] of rulesOf(policy).entries()) {
    const at = overridersPath(policy, rule);
    if (hasNoContainers) found.push(...withoutContainers(overriders, at, kinds));
    found.push(...identityWarnings(overriders, at), ...tagWarnings(overriders, at));
    if (policy.spec.flaghoist?.variables !== true) found.push(...variableWarnings(overriders, at));
  }
  return found;
}

function withoutContainers(overriders: Overriders, at: string, kinds: readonly string[]): PolicyWarning[] {
  const lists = [
    ["imageOverrider", (overriders.imageOverrider ?? []).map(({ predicate }) => predicate === undefined)],
    ["commandOverrider", (overriders.commandOverrider ?? []).map(() => true)],
    ["argsOverrider", (overriders.argsOverrider ?? []).map(() => true)],
  ] as const;
  return lists.flatMap(([overrider, vain]) =>
    vain.flatMap((isVain, index): PolicyWarning[] => {
      if (!isVain) return [];
      const instead = overrider === "imageOverrider" ? "name the place in its predicate" : "use a plaintext overrider";
      const words = `${noEffectOn(kinds)}; ${instead}`;
      return [{ code: "no-containers", field: `${at}.${overrider}[${index}]`, words }];
    }),
  );
}

/** Of kinds whose containers no overrider finds by itself. */
export function noEffectOn(kinds: readonly string[]): string {
  return `has no effect on ${kinds.join(" and ")}: containers are found by themselves in Pods, Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs only`;
}

function identityWarnings(overriders: Overriders, at: string): PolicyWarning[] {
  return (overriders.plaintext ?? []).flatMap(({ path }, index): PolicyWarning[] => {
    if (!IDENTITY.has(path)) return [];
    const words = `makes another object of a copy (${path}), which is refused unless it stays what it is`;
    return [{ code: "identity", field: `${at}.plaintext[${index}].path`, words }];
  });
}

function tagWarnings(overriders: Overriders, at: string): PolicyWarning[] {
  return (overriders.imageOverrider ?? []).flatMap(({ component, operator, value = "" }, index): PolicyWarning[] => {
    if (component !== "Tag" || operator !== "replace" || isTagOrDigest(value) || hasVariables(value)) return [];
    const words = `has no effect: ${JSON.stringify(value)} is neither a tag nor a digest (sha256:…)`;
    return [{ code: "no-tag", field: `${at}.imageOverrider[${index}].value`, words }];
  });
}

function variableWarnings(overriders: Overriders, at: string): PolicyWarning[] {
  return Object.entries(overriders ?? {}).flatMap(([overrider, items]) =>
    ((items ?? []) as readonly object[]).flatMap((item, index): PolicyWarning[] => {
      const text = [...textsIn(item)].find((one) => one.includes("${cluster."));
      if (text === undefined) return [];
      const words = `holds ${"${cluster."}… as plain text; spec.flaghoist.variables: true has it filled in`;
      return [{ code: "plain-variable", field: `${at}.${overrider}[${index}]`, words }];
    }),
  );
}
