// Finds in a manifest what an API server would refuse later, and what it would take but cannot mean.
import { formatApiVersion, isObject, type KubeObject, parseApiVersion } from "../kube/object.ts";
import { defaultObject, validateObject } from "./admission/admit.ts";
import type { ValidationOptions } from "./admission/context.ts";
import { objectWarnings } from "./admission/warnings.ts";
import { KINDS } from "./kinds.ts";
import { KUBERNETES_GROUPS, KUBERNETES_KINDS, OTHER_KARMADA_KINDS, REMOVED_VERSIONS } from "./known-kinds.table.ts";
import { metadataProblems, nameProblems } from "./metadata-problems.ts";
import { nearest } from "./nearest.ts";
import { applySchemaDefaults } from "./schema-defaults.ts";
import { schemaProblems, withoutNulls } from "./schema-problems.ts";

export interface ManifestProblem {
  /** `error`: an API server refuses it. `warning`: it takes it, but part of it has no effect. */
  readonly severity: "error" | "warning";
  /** Path of the field, to find its line; empty for the object as a whole. */
  readonly field: string;
  /** For people, with the field: `spec.placement.spreadConstraints[0]: maxGroups 1 is lower than minGroups 2`. */
  readonly message: string;
}

export interface ManifestOptions extends ValidationOptions {
  /** The object that the manifest would change, to find what cannot change any more. */
  readonly stored?: KubeObject | undefined;
}

/** Empty when nothing is wrong. Objects of kinds we know nothing of pass. */
export function checkManifest(object: KubeObject, options: ManifestOptions = {}): readonly ManifestProblem[] {
  const { group, version } = parseApiVersion(object.apiVersion);
  const definition = KINDS.find(
    (known) => known.kind === object.kind && known.group === group && known.version === version,
  );
  // A list of objects has no metadata of its own to speak of.
  const metadata = object.metadata == null ? [] : metadataProblems(object.metadata).map(schemaError);
  if (definition === undefined) return [...unknownKind(object), ...metadata];
  const { metadata: _, ...rest } = object;
  const named = metadata.length > 0 ? metadata : nameProblems(object.metadata ?? {}).map(schemaError);
  const fields = schemaProblems(definition.schema, { ...rest, metadata: {} }).map(schemaError);
  // The rules read fields by their types, so they wait until the schema is met.
  if (named.length + fields.length > 0) return [...named, ...fields];
  return ruleProblems(object, options);
}

function problem(severity: ManifestProblem["severity"], field: string, words: string): ManifestProblem {
  return { severity, field, message: field === "" ? words : `${field}: ${words}` };
}

function schemaError({ field, words }: { readonly field: string; readonly words: string }): ManifestProblem {
  return problem("error", field, words);
}

function ruleProblems(object: KubeObject, options: ManifestOptions): ManifestProblem[] {
  const { stored } = options;
  // The copy has the shape of the object.
  const written = applySchemaDefaults(applyOver(stored, withoutNulls(object) as KubeObject));
  const applied = defaultObject(written, {
    operation: stored === undefined ? "CREATE" : "UPDATE",
    requestNamespace: object.metadata.namespace ?? "",
    nowMs: 0,
    newUuid: () => "00000000-0000-4000-8000-000000000000",
  });
  return [
    ...validateObject(applied, stored, options).map(schemaError),
    ...objectWarnings(applied, options).map(({ field, words }) => problem("warning", field, words)),
  ];
}

/** With what the control plane gave the object once, and a manifest therefore leaves out. */
function applyOver(stored: KubeObject | undefined, written: KubeObject): KubeObject {
  if (stored === undefined) return written;
  const labels = { ...stored.metadata.labels, ...written.metadata.labels };
  const spec = isObject(written["spec"]) ? written["spec"] : {};
  const scheduler = isObject(stored["spec"]) ? stored["spec"]["schedulerName"] : undefined;
  return {
    ...written,
    metadata: { ...written.metadata, labels },
    ...(scheduler === undefined ? {} : { spec: { schedulerName: scheduler, ...spec } }),
  };
}

function unknownKind({ apiVersion, kind }: KubeObject): ManifestProblem[] {
  const { group, version } = parseApiVersion(apiVersion);
  const ours = isKarmadaGroup(group) || KINDS.some((known) => known.group === group);
  if (!ours && !KUBERNETES_GROUPS.has(group)) return [];
  if (OTHER_KARMADA_KINDS[kind] === apiVersion || KUBERNETES_KINDS[kind] === apiVersion) return [];
  const hint = ours ? hintAmongOurs(group, version, kind) : hintAmongKubernetes(apiVersion, group, kind);
  if (hint === undefined) return [];
  return [problem("error", "", `there is no kind ${kind} in ${apiVersion}${hint}`)];
}

function isKarmadaGroup(group: string): boolean {
  return group === "karmada.io" || group.endsWith(".karmada.io");
}

/** Text after the statement; undefined when the kind may well exist. */
function hintAmongOurs(group: string, version: string, kind: string): string | undefined {
  const homes = [
    ...KINDS.map((known) => [known.kind, formatApiVersion(known.group, known.version)] as const),
    ...Object.entries(OTHER_KARMADA_KINDS),
  ];
  const home = homes.find(([name]) => name === kind)?.[1];
  if (home !== undefined) return `. Did you mean ${home}?`;
  const misspelt = nearest(
    kind,
    homes.map(([name]) => name),
  );
  if (misspelt !== undefined) {
    const apiVersion = homes.find(([name]) => name === misspelt)?.[1];
    return `. Did you mean ${apiVersion === `${group}/${version}` ? "" : `${apiVersion} `}${misspelt}?`;
  }
  return KINDS.some((known) => known.group === group) ? "" : undefined;
}

function hintAmongKubernetes(apiVersion: string, group: string, kind: string): string | undefined {
  const home = KUBERNETES_KINDS[kind];
  if (home !== undefined) {
    // Another version of the same group may be served; a removed one is not.
    const elsewhere = parseApiVersion(home).group !== group;
    return elsewhere || REMOVED_VERSIONS.has(apiVersion) ? `. Did you mean ${home}?` : undefined;
  }
  const misspelt = nearest(kind, Object.keys(KUBERNETES_KINDS));
  if (misspelt === undefined || KUBERNETES_KINDS[misspelt] !== apiVersion) return undefined;
  return `. Did you mean ${misspelt}?`;
}
