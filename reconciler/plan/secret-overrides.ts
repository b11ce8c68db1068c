// Override policies may hold what belongs into Secrets; nobody who reads a plan needs to see it.
import type { Overriders } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { AnyOverridePolicy } from "../overrides/order.ts";

/**
 * An override policy with the values hidden that it writes into Secrets; any other object as it is. Values that differ
 * stay different for calls that share `seen`, so that a change is still noticed.
 */
export function withoutSecretValues(object: KubeObject, seen: Map<string, string>): KubeObject {
  if (object.kind !== "OverridePolicy" && object.kind !== "ClusterOverridePolicy") return object;
  // Its kind says its shape.
  const policy = object as unknown as AnyOverridePolicy;
  const { resourceSelectors, overrideRules, overriders } = policy.spec;
  const mayMeanSecrets = !resourceSelectors?.length || resourceSelectors.some(({ kind }) => kind === "Secret");
  if (!mayMeanSecrets) return object;
  return {
    ...object,
    spec: {
      ...policy.spec,
      ...(overrideRules == null
        ? {}
        : { overrideRules: overrideRules.map((rule) => ({ ...rule, overriders: hidden(rule.overriders, seen) })) }),
      ...(overriders == null ? {} : { overriders: hidden(overriders, seen) }),
    },
  };
}

const SECRET_PATH = /^\/(data|stringData)(\/|$)|^$/;

function hidden(overriders: Overriders, seen: Map<string, string>): Overriders {
  const masked = <T extends { readonly value?: unknown }>(item: T): T => withMask(item, seen);
  const { plaintext, fieldOverrider } = overriders ?? {};
  return {
    ...overriders,
    ...(plaintext == null
      ? {}
      : { plaintext: plaintext.map((item) => (SECRET_PATH.test(item.path) ? masked(item) : item)) }),
    ...(fieldOverrider == null
      ? {}
      : {
          fieldOverrider: fieldOverrider.map((item) =>
            SECRET_PATH.test(item.fieldPath)
              ? {
                  ...item,
                  ...(item.json && { json: item.json.map(masked) }),
                  ...(item.yaml && { yaml: item.yaml.map(masked) }),
                }
              : item,
          ),
        }),
  };
}

function withMask<T extends { readonly value?: unknown }>(item: T, seen: Map<string, string>): T {
  if (item.value === undefined || item.value === null) return item;
  const text = JSON.stringify(item.value);
  const mask = seen.get(text) ?? (seen.size === 0 ? "(hidden)" : `(hidden, ${seen.size + 1})`);
  seen.set(text, mask);
  return { ...item, value: mask };
}
