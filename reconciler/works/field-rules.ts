// Which fields of a copy others may decide, from what its template says and from who scales it.

import { type ObjectDriftRule, readDriftAnnotations } from "../../api/drift-rules.ts";
import { valueAt } from "../../kube/json-patch.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { RETAIN_REPLICAS_LABEL } from "./metadata-keys.ts";

/** Where workloads keep how many replicas they are to have. */
export const REPLICAS_POINTER = "/spec/replicas";

export interface CopyRules {
  readonly mode: "correct" | "report" | "pause";
  readonly rules: readonly ObjectDriftRule[];
}

/**
 * The rules for one copy. Replicas that a scaler decides are given up, unless a rule of the template wants them corrected
 * all the same; so is what Kubernetes itself, or an injector that the object asks for, fills in.
 */
export function rulesOfCopy(manifest: KubeObject, isScaled: boolean): CopyRules {
  const { mode, rules } = readDriftAnnotations(manifest);
  const pointers = [...filledByOthers(manifest), ...(isScaled ? [REPLICAS_POINTER] : [])];
  const given = pointers.filter(
    (pointer) => !rules.some((rule) => rule.mode === "correct" && rule.jsonPointers.includes(pointer)),
  );
  if (given.length === 0) return { mode, rules };
  return { mode, rules: [{ mode: "ignore", jsonPointers: given, managers: [] }, ...rules] };
}

/** Annotations by which an object asks somebody in its cluster for the certificates of a CA. */
const ASKS_FOR_CA = [
  /^cert-manager\.io\/inject-(ca-from|ca-from-secret|apiserver-ca)$/,
  /^service\.beta\.openshift\.io\/inject-cabundle$/,
];

/** Fields of which the manifest has no more than a placeholder. */
function filledByOthers(manifest: KubeObject): string[] {
  const { kind } = manifest;
  // As Argo CD's ignoreAggregatedRoles: what is aggregated is the controller's.
  if (kind === "ClusterRole") return isObject(manifest["aggregationRule"]) && "rules" in manifest ? ["/rules"] : [];
  if (!CA_KINDS.has(kind)) return [];
  const asks = Object.keys(manifest.metadata.annotations ?? {}).some((key) =>
    ASKS_FOR_CA.some((form) => form.test(key)),
  );
  return caBundles(manifest)
    .filter(({ bundle }) => asks || isPlaceholder(bundle))
    .map(({ pointer }) => pointer);
}

const CA_KINDS: ReadonlySet<string> = new Set([
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "CustomResourceDefinition",
  "APIService",
]);

function caBundles(manifest: KubeObject): { readonly pointer: string; readonly bundle: unknown }[] {
  const webhooks: readonly unknown[] = Array.isArray(manifest["webhooks"]) ? manifest["webhooks"] : [];
  const places = [
    ...webhooks.map((_, index) => `/webhooks/${index}/clientConfig/caBundle`),
    "/spec/conversion/webhook/clientConfig/caBundle",
    "/spec/caBundle",
  ];
  return places
    .map((pointer) => ({ pointer, bundle: valueAt(manifest, pointer) }))
    .filter(({ bundle }) => bundle !== undefined);
}

/** Nothing, or in base64 nothing but white space: what authors write for a field that must be there. */
function isPlaceholder(bundle: unknown): boolean {
  if (bundle === null) return true;
  return typeof bundle === "string" && Buffer.from(bundle, "base64").toString().trim() === "";
}

/**
 * Whether the template itself leaves its replicas to a scaler. As Karmada: the label is about Deployments; other kinds that
 * know it keep their replicas by their Retain rules.
 */
export function retainsReplicas(manifest: KubeObject): boolean {
  return manifest.kind === "Deployment" && manifest.metadata.labels?.[RETAIN_REPLICAS_LABEL] === "true";
}
