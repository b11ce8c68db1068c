// What kubectl, Helm, Argo CD, Flux and kustomize write on an object to know it again is about the place where they wrote
// it. In a member it would be about another one: a second Argo CD or Helm there takes the copy for its own, and may prune
// it. So copies go without. A betterment: Karmada propagates all of it.

import { isObject, type KubeObject } from "../../kube/object.ts";
import { metadataKeyMalformed } from "./errors.ts";

/** Tools whose marks are known. */
export const TRACKING_TOOLS = ["kubectl", "helm", "argocd", "flux", "kustomize"] as const;

type TrackingTool = (typeof TRACKING_TOOLS)[number];

/** On a template: what its copies keep all the same, by comma: names of tools, keys, `DOMAIN/*`, or `*` for everything. */
export const KEEP_METADATA_ANNOTATION = "gitops.flaghoist.io/keep-metadata";

/** Which labels and annotations copies go without; made by `readMetadataStripping`. */
export interface MetadataStripping {
  readonly tools: ReadonlySet<TrackingTool>;
  /** Keys, or `DOMAIN/*`, taken from labels and annotations alike. */
  readonly keys: readonly string[];
}

export const DEFAULT_METADATA_STRIPPING: MetadataStripping = { tools: new Set(TRACKING_TOOLS), keys: [] };

interface Marks {
  readonly annotations: readonly string[];
  readonly labels: readonly string[];
}

/**
 * Only what a tool writes to find or to treat the object it applied. What the same domains hold for the object's own
 * working in a member stays: `argocd.argoproj.io/secret-type`, `reconcile.fluxcd.io/requestedAt`,
 * `kubectl.kubernetes.io/default-container`.
 */
const MARKS: Readonly<Record<TrackingTool, Marks>> = {
  kubectl: { annotations: ["kubectl.kubernetes.io/last-applied-configuration"], labels: [] },
  helm: { annotations: ["meta.helm.sh/release-name", "meta.helm.sh/release-namespace"], labels: [] },
  argocd: {
    annotations: [
      "argocd.argoproj.io/tracking-id",
      "argocd.argoproj.io/installation-id",
      "argocd.argoproj.io/hook",
      "argocd.argoproj.io/hook-delete-policy",
      "argocd.argoproj.io/sync-wave",
      "argocd.argoproj.io/sync-options",
      "argocd.argoproj.io/compare-options",
      "argocd.argoproj.io/deletion-approved",
    ],
    labels: ["argocd.argoproj.io/instance"],
  },
  flux: {
    annotations: ["kustomize.toolkit.fluxcd.io/*", "helm.toolkit.fluxcd.io/*"],
    labels: [
      "kustomize.toolkit.fluxcd.io/*",
      "helm.toolkit.fluxcd.io/*",
      "fluxcd.controlplane.io/name",
      "fluxcd.controlplane.io/namespace",
      "resourceset.fluxcd.controlplane.io/name",
      "resourceset.fluxcd.controlplane.io/namespace",
    ],
  },
  kustomize: {
    annotations: [
      "config.kubernetes.io/*",
      "alpha.config.kubernetes.io/*",
      "internal.config.kubernetes.io/*",
      "config.k8s.io/owning-inventory",
      "config.k8s.io/id",
    ],
    labels: [],
  },
};

const TRACKING_ID = "argocd.argoproj.io/tracking-id";
const INSTANCE = "app.kubernetes.io/instance";
const MANAGED_BY = "app.kubernetes.io/managed-by";

const KEY = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?(\*|[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$/;

/**
 * What a list asks for: names of tools, `default` for all of them, `off` for nothing, keys and `DOMAIN/*`. Throws
 * `metadata-key-malformed` for a word that is none of these.
 */
export function readMetadataStripping(words: readonly string[]): MetadataStripping {
  const tools = new Set<TrackingTool>();
  const keys: string[] = [];
  for (const word of words) {
    if (word === "off") continue;
    const tool = TRACKING_TOOLS.find((known) => known === word);
    if (word === "default") for (const known of TRACKING_TOOLS) tools.add(known);
    else if (tool !== undefined) tools.add(tool);
    else if (KEY.test(word) && word.includes("/")) keys.push(word);
    else throw metadataKeyMalformed(word, TRACKING_TOOLS);
  }
  return { tools, keys };
}

/** What a control plane strips: as it was told, else everything known, and nothing where it is to do as Karmada. */
export function metadataStrippingOf(profile: {
  readonly compatibility: "karmada" | "flaghoist";
  readonly strippedMetadata: readonly string[] | undefined;
}): MetadataStripping {
  return readMetadataStripping(profile.strippedMetadata ?? [profile.compatibility === "karmada" ? "off" : "default"]);
}

/** Keys that the copies of one template go without. */
export interface StrippedKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

const NOTHING: StrippedKeys = { labels: [], annotations: [] };

/** The marks on a template. A label that a selector in the same object names is never among them. */
export function trackingKeys(template: KubeObject, stripping: MetadataStripping): StrippedKeys {
  const { labels, annotations } = template.metadata;
  if (labels == null && annotations == null) return NOTHING;
  const keep = keptBy(annotations?.[KEEP_METADATA_ANNOTATION]);
  if (keep.includes("*")) return NOTHING;
  const tools = [...stripping.tools].filter((tool) => !keep.includes(tool));
  const isMark = (key: string, of: keyof Marks): boolean =>
    (matchesAny(key, stripping.keys) || tools.some((tool) => matchesAny(key, MARKS[tool][of]))) &&
    !matchesAny(key, keep);
  const marks = Object.keys(labels ?? {}).filter((key) => isMark(key, "labels"));
  if (tools.includes("helm") && labels?.[MANAGED_BY] === "Helm" && !keep.includes(MANAGED_BY)) marks.push(MANAGED_BY);
  if (tools.includes("argocd") && isArgoInstance(template) && !keep.includes(INSTANCE)) marks.push(INSTANCE);
  return {
    annotations: Object.keys(annotations ?? {}).filter((key) => isMark(key, "annotations")),
    labels: marks.length === 0 ? marks : withoutSelected(marks, template),
  };
}

/**
 * The copy without `keys` of its template. What an override policy added or changed is meant for the member and stays.
 */
export function withoutTrackingKeys(copy: KubeObject, template: KubeObject, keys: StrippedKeys): KubeObject {
  if (keys.labels.length === 0 && keys.annotations.length === 0) return copy;
  const { labels, annotations } = copy.metadata;
  return {
    ...copy,
    metadata: {
      ...copy.metadata,
      ...(labels == null ? {} : { labels: without(labels, keys.labels, template.metadata.labels) }),
      ...(annotations == null
        ? {}
        : { annotations: without(annotations, keys.annotations, template.metadata.annotations) }),
    },
  };
}

function without(
  map: Readonly<Record<string, string>>,
  keys: readonly string[],
  original: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const copy = { ...map };
  for (const key of keys) if (copy[key] === original?.[key]) delete copy[key];
  return copy;
}

function keptBy(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(",").map((word) => word.trim());
}

function matchesAny(key: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith("/*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern));
}

/** Kinds that other objects choose by label: a Service its Pods, a monitor its Services, a claim its volumes. */
const CHOSEN_BY_LABEL: ReadonlySet<string> = new Set([
  "Pod",
  "Service",
  "Namespace",
  "PersistentVolume",
  "ClusterRole",
]);

/**
 * Whether `app.kubernetes.io/instance` is Argo CD's. Charts write the same label with the same value, and others select by
 * it, so it counts as Argo CD's only when all says so: the object is tracked by an application of that name, nothing else
 * of the recommended set is there, which charts write together, no pod template carries it on, and the kind is none that
 * others choose by label. With tracking by label alone nothing tells the two apart: then it stays.
 */
function isArgoInstance(template: KubeObject): boolean {
  const { labels, annotations } = template.metadata;
  const instance = labels?.[INSTANCE];
  if (instance === undefined || CHOSEN_BY_LABEL.has(template.kind)) return false;
  if (annotations?.[TRACKING_ID]?.split(":")[0] !== instance) return false;
  const isOfChart = (key: string): boolean => key.startsWith("app.kubernetes.io/") || key.startsWith("helm.sh/");
  if (Object.keys(labels ?? {}).some((key) => key !== INSTANCE && isOfChart(key))) return false;
  return !carriesLabel(template["spec"], INSTANCE);
}

/** Whether a template of pods inside `value` has the label. */
function carriesLabel(value: unknown, label: string): boolean {
  if (Array.isArray(value)) return value.some((item) => carriesLabel(item, label));
  if (!isObject(value)) return false;
  const { metadata } = value;
  if (isObject(metadata) && isObject(metadata["labels"]) && label in metadata["labels"]) return true;
  return Object.values(value).some((inner) => carriesLabel(inner, label));
}

function withoutSelected(labels: readonly string[], template: KubeObject): readonly string[] {
  const selected = new Set<string>();
  const { metadata: _metadata, status: _status, ...content } = template;
  collectSelected(content, selected);
  return labels.filter((label) => !selected.has(label));
}

/** Keys named by anything that looks like a label selector, wherever it stands. */
function collectSelected(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collectSelected(item, into);
    return;
  }
  if (!isObject(value)) return;
  for (const [field, inner] of Object.entries(value)) {
    if (field === "matchLabels" || /selector$/i.test(field)) {
      if (isObject(inner)) for (const key of Object.keys(inner)) into.add(key);
      // The scale subresource and some custom resources write selectors as text.
      else if (typeof inner === "string") for (const part of inner.split(/[,=!\s()]+/)) into.add(part);
    }
    if (field === "matchExpressions" && Array.isArray(inner)) {
      for (const item of inner) if (isObject(item) && typeof item["key"] === "string") into.add(item["key"]);
    }
    collectSelected(inner, into);
  }
}
