// What a revision of an object is: all of it that is told to clusters, save what follows at once wherever it is.
import { createHash } from "node:crypto";
import { gvkOf, isObject, type KubeObject } from "../../kube/object.ts";
import { letPendingPass } from "../interpreter/answers.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { type AnyOverridePolicy, selectOverridePolicies } from "../overrides/order.ts";
import type { OverridePolicySource } from "../overrides/override-policies.ts";
import { pruneObject } from "../works/prune.ts";
import type { Needs } from "./needs.ts";

/** On a template: `true` holds its rollout. */
export const PAUSED_ANNOTATION = "gitops.flaghoist.io/rollout-paused";
/** On a template: the revision that is not to be rolled out. */
export const ABORT_ANNOTATION = "gitops.flaghoist.io/rollout-abort";
/** On a template: each new value tries once more after a failure. */
export const RETRY_ANNOTATION = "gitops.flaghoist.io/rollout-retry";
const CONTROLS_PREFIX = "gitops.flaghoist.io/rollout-";

type Replicas = Pick<Interpreter, "hookEnabled" | "getReplicas" | "reviseReplica">;

export interface RevisionContent {
  /** The template without status, replicas and bookkeeping, with the generation that first was of this revision. */
  readonly object: KubeObject;
  /** The override policies that select it. */
  readonly overrides: readonly AnyOverridePolicy[];
  /** What goes along, as it was then; absent when nothing does. */
  readonly needs?: Needs;
}

export interface Revision {
  /** Short and the same for the same content. */
  readonly name: string;
  readonly content: RevisionContent;
}

/** The revision that a template and the present overrides make, with what goes along with it. */
export function revisionOf(
  template: KubeObject,
  overrides: OverridePolicySource,
  interpreter: Replicas,
  needs: Needs = {},
): Revision {
  const selected = [
    ...selectOverridePolicies(template, overrides.clusterWide(template)),
    ...selectOverridePolicies(template, overrides.ofNamespace(template)),
  ].map(withoutServerFields);
  const content = comparableContent(template, interpreter);
  const { generation } = template.metadata;
  const along = Object.keys(needs).length === 0 ? {} : { needs };
  return {
    name: digestOf({ content, overrides: selected, ...along }),
    content: {
      object: { ...content, metadata: { ...content.metadata, ...(generation === undefined ? {} : { generation }) } },
      overrides: selected,
      ...along,
    },
  };
}

/** What of an object, be it a template or a copy, belongs to its revision. */
export function comparableContent(object: KubeObject, interpreter: Replicas): KubeObject {
  const pruned = pruneObject(object);
  const { labels, annotations, ...metadata } = pruned.metadata;
  const ownLabels = keysThat(labels, (key) => !isBookkeeping(key));
  const ownAnnotations = keysThat(annotations, (key) => !isBookkeeping(key));
  return withReplicas(
    {
      ...pruned,
      metadata: {
        ...metadata,
        ...(ownLabels === undefined ? {} : { labels: ownLabels }),
        ...(ownAnnotations === undefined ? {} : { annotations: ownAnnotations }),
      },
    },
    0,
    interpreter,
  );
}

/** The template as it was in a revision, with the replicas and the bookkeeping that it has now. */
export function templateOfRevision({ object }: RevisionContent, now: KubeObject, interpreter: Replicas): KubeObject {
  const { uid } = now.metadata;
  const labels = { ...object.metadata.labels, ...keysThat(now.metadata.labels, isBookkeeping) };
  const annotations = {
    ...object.metadata.annotations,
    ...keysThat(now.metadata.annotations, (key) => isBookkeeping(key) && !key.startsWith(CONTROLS_PREFIX)),
  };
  const metadata = { ...object.metadata, labels, annotations, ...(uid === undefined ? {} : { uid }) };
  return withReplicas({ ...object, metadata }, replicasOf(now, interpreter), interpreter);
}

/** The template as it is, without what people ask of its rollout: members have no use for that. */
export function withoutControls(template: KubeObject): KubeObject {
  const { annotations } = template.metadata;
  if (annotations === undefined || !Object.keys(annotations).some((key) => key.startsWith(CONTROLS_PREFIX)))
    return template;
  const kept = keysThat(annotations, (key) => !key.startsWith(CONTROLS_PREFIX)) ?? {};
  return { ...template, metadata: { ...template.metadata, annotations: kept } };
}

/** The object with so many replicas, where its kind has any; unchanged when nobody can tell how. */
export function withReplicas(object: KubeObject, replicas: number | undefined, interpreter: Replicas): KubeObject {
  if (replicas === undefined || !interpreter.hookEnabled(gvkOf(object), "ReviseReplica")) return object;
  try {
    return interpreter.reviseReplica(object, replicas);
  } catch (error) {
    letPendingPass(error);
    return object;
  }
}

function replicasOf(object: KubeObject, interpreter: Replicas): number | undefined {
  if (!interpreter.hookEnabled(gvkOf(object), "InterpretReplica")) return undefined;
  try {
    return interpreter.getReplicas(object).replicas;
  } catch (error) {
    letPendingPass(error);
    return undefined;
  }
}

const BOOKKEEPING_DOMAINS =
  /(^|\.)(karmada\.io|flaghoist\.io|toolkit\.fluxcd\.io|controlplane\.fluxcd\.io|argoproj\.io|meta\.helm\.sh|config\.kubernetes\.io|config\.k8s\.io)$/;
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Keys by which Karmada, we and other tools keep books about the template or say how its copies are treated: they belong
 * to no revision, and hold in every cluster at once.
 */
function isBookkeeping(key: string): boolean {
  const [domain = "", name] = key.split("/");
  return name !== undefined && (key === LAST_APPLIED || BOOKKEEPING_DOMAINS.test(domain));
}

function keysThat(
  map: Readonly<Record<string, string>> | undefined,
  wanted: (key: string) => boolean,
): Record<string, string> | undefined {
  const entries = Object.entries(map ?? {}).filter(([key]) => wanted(key));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function withoutServerFields<P extends AnyOverridePolicy>({ apiVersion, kind, metadata, spec }: P): P {
  const { name, namespace } = metadata;
  // What overriding looks at: who it is, and what it says.
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, spec } as P;
}

const NAME_LENGTH = 10;

function digestOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")
    .slice(0, NAME_LENGTH);
}

/** The order of fields is no difference. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sorted(field)]),
  );
}
