import { isObject } from "../../../../kube/object.ts";
import { textAtPath } from "./field-paths.ts";
import type { References } from "./references.ts";

/**
 * Remembers the credentials that a configuration of many providers names, wherever it names them: Secrets under keys that
 * end in `SecretRef` or `credentialsRef`, or by `secretName`; accounts under keys that end in `serviceAccountRef`; and
 * certificates of authorities under `caProvider`. Keys in `made` name what the controller makes itself.
 */
export function addCredentials(value: unknown, references: References, made: readonly string[] = []): void {
  if (Array.isArray(value)) for (const item of value) addCredentials(item, references, made);
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (made.includes(key)) continue;
    const kind = kindUnder(key, inner);
    // Some group several references under such a key.
    const name = kind === undefined ? "" : textAtPath(inner, "name");
    if (kind !== undefined && name !== "") references.add(kind, name, "v1", textAtPath(inner, "namespace"));
    else if (key === "secretName" && typeof inner === "string") references.add("Secret", inner);
    else addCredentials(inner, references, made);
  }
}

function kindUnder(key: string, reference: unknown): "Secret" | "ConfigMap" | "ServiceAccount" | undefined {
  if (!isObject(reference)) return undefined;
  if (/(?:^s|S)ecretRef$|(?:^c|C)redentialsRef$/.test(key)) return "Secret";
  if (/(?:^s|S)erviceAccountRef$/.test(key)) return "ServiceAccount";
  if (key === "caProvider") return textAtPath(reference, "type") === "ConfigMap" ? "ConfigMap" : "Secret";
  return undefined;
}
