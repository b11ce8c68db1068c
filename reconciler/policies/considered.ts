// Which objects of the control plane are templates at all.

import { type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { compileRegex } from "../../kube/regex/regex.ts";
import { RegexError } from "../../kube/regex/syntax.ts";
import { AppError } from "../../runtime/errors.ts";
import { isReservedNamespace } from "../works/naming.ts";

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
  /** Whether the installation leaves out what is in this namespace; empty for cluster-scoped objects. */
  skipsNamespace(namespace: string): boolean;
}

export interface SkipSettings {
  /** `group`, `group/version` or `group/version/kind1,kind2`, separated by semicolons. */
  readonly skippedApis?: string;
  /** Patterns of namespaces; each must match the whole name. */
  readonly skippedNamespaces?: readonly string[];
}

const DEFAULT_SKIPPED_NAMESPACES: readonly string[] = ["kube-.*"];

/**
 * Reads the settings. Throws `skip-list-invalid`, naming the part, for a pattern that is no regular expression (RE2, as
 * Karmada's) and for an API that is in none of the three forms.
 */
export function readSkipList(settings: SkipSettings = {}): SkipList {
  const groups = new Set<string>();
  const groupVersions = new Set<string>();
  const kinds = new Set<string>();
  for (const entry of (settings.skippedApis ?? "").split(";").map((text) => text.trim())) {
    const [group = "", version, kindList, ...rest] = entry.split("/");
    if (entry === "") continue;
    if (rest.length > 0 || group === "" || version === "" || kindList === "")
      throw skipListInvalid(`"${entry}" is not of the form GROUP, GROUP/VERSION or GROUP/VERSION/KIND,KIND`);
    // A core version such as `v1/Pod,Node` has no group.
    if (version !== undefined && kindList === undefined && /^v[0-9]/.test(group)) addKinds(kinds, group, version);
    else if (version === undefined) groups.add(group);
    else if (kindList === undefined) groupVersions.add(`${group}/${version}`);
    else addKinds(kinds, `${group}/${version}`, kindList);
  }
  const patterns = (settings.skippedNamespaces ?? DEFAULT_SKIPPED_NAMESPACES).map((pattern) => {
    const regex = compileRegex(pattern);
    if (regex instanceof RegexError) throw skipListInvalid(`"${pattern}" is no regular expression: ${regex.message}`);
    return regex;
  });
  // Namespaces are few beside the objects in them.
  const known = new Map<string, boolean>();
  const skipsNamespace = (namespace: string): boolean => {
    let skips = known.get(namespace);
    if (skips === undefined) {
      skips = patterns.some((pattern) => pattern.matchesWhole(namespace));
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(namespace, skips);
    }
    return skips;
  };
  return { groups, groupVersions, kinds, skipsNamespace };
}

const MAX_REMEMBERED = 10_000;

function skipListInvalid(message: string): AppError {
  return new AppError("skip-list-invalid", message, { recovery: "stall" });
}

function addKinds(kinds: Set<string>, apiVersion: string, list: string): void {
  for (const kind of list.split(",")) kinds.add(`${apiVersion}/${kind.trim()}`.toLowerCase());
}

/** Why no object of a kind is ever propagated; undefined for kinds of templates. */
export function whyNotTemplateKind(apiVersion: string, kind: string, skipped: SkipList): string | undefined {
  const { group } = parseApiVersion(apiVersion);
  if (SKIPPED_GROUPS.has(group)) return `objects of group ${group} are not propagated`;
  if (skipped.groups.has(group)) return `objects of group ${group} are not propagated (--skipped-propagating-apis)`;
  if (apiVersion === "coordination.k8s.io/v1" || (apiVersion === "v1" && kind === "Event"))
    return `${apiVersion} ${kind} is not propagated`;
  if (skipped.groupVersions.has(apiVersion) || skipped.kinds.has(`${apiVersion}/${kind}`.toLowerCase()))
    return `${apiVersion} ${kind} is not propagated (--skipped-propagating-apis)`;
  return undefined;
}

/** Why nothing in a namespace is propagated, or, for "", nothing that is in none; undefined when it may be. */
export function whyNamespaceKept(namespace: string, skipped: SkipList): string | undefined {
  if (isReservedNamespace(namespace))
    return `namespace ${namespace} is not propagated: the control plane keeps it for itself, whatever policies select`;
  if (!skipped.skipsNamespace(namespace)) return undefined;
  const what = namespace === "" ? "what is in no namespace" : `namespace ${namespace}`;
  return `${what} is not propagated, whatever policies select (--skipped-propagating-namespaces)`;
}

/** Why an object is not propagated whatever the policies say; undefined for a template. */
export function whyNotTemplate(object: KubeObject, skipped: SkipList): string | undefined {
  const why =
    whyNotTemplateKind(object.apiVersion, object.kind, skipped) ??
    whyNamespaceKept(object.metadata.namespace ?? "", skipped);
  if (why !== undefined) return why;
  if (belongsToApiServer(object)) return "belongs to the API server";
  const owner = object.metadata.labels?.[CLAIMED_BY_LABEL];
  return owner ? `is claimed by ${owner} (label ${CLAIMED_BY_LABEL})` : undefined;
}

/** Objects that an API server makes for itself and its clients. */
export function belongsToApiServer({ apiVersion, kind, metadata }: KubeObject): boolean {
  if (apiVersion !== "v1" || kind !== "ConfigMap") return false;
  if (metadata.namespace === "kube-system" && metadata.name === "extension-apiserver-authentication") return true;
  // Differs from Karmada, whose control plane publishes none: each cluster has its own, and never wants this one.
  return metadata.name === "kube-root-ca.crt";
}
