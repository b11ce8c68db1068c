// Which objects of the control plane are templates at all.

import { type KubeObject, parseApiVersion } from "../../kube/object.ts";

const SKIPPED_GROUPS: ReadonlySet<string> = new Set([
  "cluster.karmada.io",
  "policy.karmada.io",
  "work.karmada.io",
  "config.karmada.io",
  "networking.karmada.io",
  "autoscaling.karmada.io",
  "remedy.karmada.io",
  "apps.karmada.io",
  "events.k8s.io",
]);

/** A template with this label belongs to another controller. */
export const CLAIMED_BY_LABEL = "resourcetemplate.karmada.io/claimed-by";

/** What an installation leaves out beside the fixed rules. */
export interface SkipList {
  readonly groups: ReadonlySet<string>;
  readonly groupVersions: ReadonlySet<string>;
  /** `group/version/kind` in lower case; the core group is written without its slash. */
  readonly kinds: ReadonlySet<string>;
  /** Regular expressions over whole namespace names. */
  readonly namespaces: readonly RegExp[];
}

export interface SkipSettings {
  /** `group`, `group/version` or `group/version/kind1,kind2`, separated by semicolons. */
  readonly skippedApis?: string;
  /** Patterns of namespaces; each must match the whole name. */
  readonly skippedNamespaces?: readonly string[];
}

const DEFAULT_SKIPPED_NAMESPACES: readonly string[] = ["kube-.*"];

/** Reads the settings. Throws a `SyntaxError` for a pattern that is no regular expression. */
export function readSkipList(settings: SkipSettings = {}): SkipList {
  const groups = new Set<string>();
  const groupVersions = new Set<string>();
  const kinds = new Set<string>();
  for (const entry of (settings.skippedApis ?? "").split(";")) {
    const [group = "", version, kindList] = entry.trim().split("/");
    if (group === "") continue;
    // A core version such as `v1/Pod,Node` has no group.
    if (version !== undefined && kindList === undefined && /^v[0-9]/.test(group)) addKinds(kinds, group, version);
    else if (version === undefined) groups.add(group);
    else if (kindList === undefined) groupVersions.add(`${group}/${version}`);
    else addKinds(kinds, `${group}/${version}`, kindList);
  }
  const patterns = settings.skippedNamespaces ?? DEFAULT_SKIPPED_NAMESPACES;
  return { groups, groupVersions, kinds, namespaces: patterns.map((pattern) => new RegExp(`^(?:${pattern})$`)) };
}

function addKinds(kinds: Set<string>, apiVersion: string, list: string): void {
  for (const kind of list.split(",")) kinds.add(`${apiVersion}/${kind.trim()}`.toLowerCase());
}

/** Namespaces that hold what the control plane keeps for itself. */
export function isReservedNamespace(namespace: string): boolean {
  return namespace === "karmada-system" || namespace === "karmada-cluster" || namespace.startsWith("karmada-es-");
}

/** Why an object is not propagated whatever the policies say; undefined for a template. */
export function whyNotTemplate(object: KubeObject, skipped: SkipList): string | undefined {
  const { group } = parseApiVersion(object.apiVersion);
  const namespace = object.metadata.namespace ?? "";
  if (SKIPPED_GROUPS.has(group) || skipped.groups.has(group)) return `objects of group ${group} are not propagated`;
  if (
    object.apiVersion === "coordination.k8s.io/v1" ||
    (object.apiVersion === "v1" && object.kind === "Event") ||
    skipped.groupVersions.has(object.apiVersion) ||
    skipped.kinds.has(`${object.apiVersion}/${object.kind}`.toLowerCase())
  ) {
    return `${object.apiVersion} ${object.kind} is not propagated`;
  }
  if (isReservedNamespace(namespace) || skipped.namespaces.some((pattern) => pattern.test(namespace))) {
    return `namespace ${namespace} is not propagated`;
  }
  if (object.kind === "ConfigMap" && namespace === "kube-system") {
    if (object.metadata.name === "extension-apiserver-authentication") return "belongs to the API server";
  }
  // Differs from Karmada, whose control plane publishes none: each cluster has its own, and never wants this one.
  if (object.kind === "ConfigMap" && object.metadata.name === "kube-root-ca.crt") return "belongs to the API server";
  const owner = object.metadata.labels?.[CLAIMED_BY_LABEL];
  return owner ? `is claimed by ${owner} (label ${CLAIMED_BY_LABEL})` : undefined;
}
