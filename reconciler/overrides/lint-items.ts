// Single overriders that do nothing in any copy they reach, cannot be carried out, or are written over by others.

import type { CommandArgsOverrider, LabelAnnotationOverrider, Overriders } from "../../api/policy.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { containersOf, hasKnownContainers } from "./containers.ts";
import type { Effects } from "./lint-effects.ts";
import { type AnyOverridePolicy, overridersPath, rulesOf } from "./order.ts";
import { describePolicy, type OverriderKind, overriderField, type PolicyRef } from "./override-result.ts";
import { noEffectOn } from "./policy-warnings.ts";

interface ItemFinding {
  readonly code: "fails" | "no-effect" | "shadowed";
  readonly field: string;
  readonly words: string;
}

export function itemFindings(policy: AnyOverridePolicy, ref: PolicyRef, effects: Effects): ItemFinding[] {
  return rulesOf(policy).flatMap(({ overriders }, rule) => {
    const reached = effects.reached(ref, rule);
    if (reached.length === 0) return [];
    return Object.entries(overriders ?? {}).flatMap(([overrider, items]) =>
      (items ?? []).flatMap((_, index): ItemFinding[] => {
        // The keys of overriders are their kinds.
        const kind = overrider as OverriderKind;
        const field = overriderField({ field: overridersPath(policy, rule), overrider: kind, index });
        const failures = effects.failures(ref, field);
        if (failures.length > 0)
          return failures.map((failure) => ({ code: "fails", field, words: failsWords(failure) }));
        const effect = effects.effect(ref, field);
        if (effect === undefined) {
          const why = whyNothing(overriders, kind, index, reached, policy);
          return why === undefined ? [] : [{ code: "no-effect", field, words: why }];
        }
        if (effect.by === undefined || effect.shadowed < effect.changed) return [];
        const words = `never shows: ${describePolicy(effect.by.policy)}, ${overriderField(effect.by)}, writes over it`;
        return [{ code: "shadowed", field, words }];
      }),
    );
  });
}

function failsWords({ object, clusters, problem }: ReturnType<Effects["failures"]>[number]): string {
  const { namespace, name } = object.metadata;
  const what = `${object.kind} ${namespace === undefined ? "" : `${namespace}/`}${name ?? ""}`;
  const where = clusters.length > 2 ? `${clusters[0]} and ${clusters.length - 1} more` : clusters.join(", ");
  return `cannot be carried out for ${what} in ${where}: ${problem}`;
}

/** Why an overrider that changed nothing never can; undefined when it may be that all is as it asks already. */
function whyNothing(
  overriders: Overriders,
  overrider: OverriderKind,
  index: number,
  reached: readonly KubeObject[],
  policy: AnyOverridePolicy,
): string | undefined {
  switch (overrider) {
    case "imageOverrider":
      return overriders.imageOverrider?.[index]?.predicate === undefined ? unknownKinds(reached, policy) : undefined;
    case "commandOverrider":
    case "argsOverrider":
      return unknownKinds(reached, policy) ?? missingContainer(overriders[overrider]?.[index], reached);
    case "labelsOverrider":
    case "annotationsOverrider":
      return missingKeys(overriders[overrider]?.[index], overrider, reached);
    default:
      return undefined;
  }
}

function unknownKinds(reached: readonly KubeObject[], policy: AnyOverridePolicy): string | undefined {
  if (reached.some(hasKnownContainers)) return undefined;
  const selected = policy.spec.resourceSelectors ?? [];
  // A policy that selects only such kinds is told so without looking at any object.
  if (selected.length > 0 && !selected.some(hasKnownContainers)) return undefined;
  return noEffectOn([...new Set(reached.map(({ kind }) => kind))].slice(0, 3));
}

function missingContainer(
  overrider: CommandArgsOverrider | undefined,
  reached: readonly KubeObject[],
): string | undefined {
  if (overrider === undefined) return undefined;
  const names = new Set(reached.flatMap(containerNames));
  if (names.has(overrider.containerName)) return undefined;
  const there = [...names].slice(0, 4).join(", ");
  return `has no effect: no container is called ${overrider.containerName}${there === "" ? "" : `; there are ${there}`} (init containers are left out)`;
}

function containerNames(object: KubeObject): string[] {
  try {
    return containersOf(object, "absent").map(({ fields }) => String(fields["name"] ?? ""));
  } catch {
    // A list of another form; whoever works on it says so.
    return [];
  }
}

function missingKeys(
  overrider: LabelAnnotationOverrider | undefined,
  kind: "labelsOverrider" | "annotationsOverrider",
  reached: readonly KubeObject[],
): string | undefined {
  if (overrider === undefined || overrider.operator === "add") return undefined;
  const field = kind === "labelsOverrider" ? "labels" : "annotations";
  const keys = Object.keys(overrider.value ?? {});
  if (keys.length === 0) return "has no effect: it names no key";
  const isThere = (key: string): boolean =>
    reached.some(({ metadata }) => isObject(metadata?.[field]) && Object.hasOwn(metadata[field] ?? {}, key));
  if (keys.some(isThere)) return undefined;
  const one = field === "labels" ? "label" : "annotation";
  const hint = overrider.operator === "replace" ? "; add sets it in any case" : "";
  return `has no effect: no object has the ${one} ${keys.join(" or ")} to ${overrider.operator}${hint}`;
}
