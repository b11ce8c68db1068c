// When two pod templates are the same, and what a template's revision is called.
import { hashSuffix } from "../../../kube/hash.ts";
import { sortKeys, stringifyJson } from "../../../kube/json.ts";
import { isObject } from "../../../kube/object.ts";
import type { PodTemplate } from "./pod-template.ts";

/** The label by which a Deployment tells the Pods of its ReplicaSets apart. */
export const TEMPLATE_HASH_LABEL = "pod-template-hash";

/** Maps that are as good as absent when they are empty. Other empty maps say something: `emptyDir: {}`. */
const PLAIN_MAPS = new Set(["labels", "annotations", "nodeSelector", "limits", "requests", "matchLabels", "resources"]);

// Templates are shared and never changed, and asked about with every step of a rollout.
const TEXTS = new WeakMap<PodTemplate, string>();

/** Whether two templates make the same Pods, but for the label that tells ReplicaSets apart. */
export function equalTemplates(a: PodTemplate, b: PodTemplate): boolean {
  return a === b || textOf(a) === textOf(b);
}

/**
 * Names the revision of a template, otherwise for each `collisionCount`. Not the value that Kubernetes comes to, which
 * hashes how Go prints the template, and so differs between its versions too.
 */
export function hashTemplate(template: PodTemplate, collisionCount?: number): string {
  return hashSuffix(`${textOf(template)}${collisionCount === undefined ? "" : `\0${collisionCount}`}`);
}

function textOf(template: PodTemplate): string {
  const known = TEXTS.get(template);
  if (known !== undefined) return known;
  const { labels = {}, ...metadata } = template.metadata ?? {};
  const { [TEMPLATE_HASH_LABEL]: _hash, ...own } = labels;
  const text = stringifyJson(sortKeys(withoutNothing({ ...template, metadata: { ...metadata, labels: own } })));
  TEXTS.set(template, text);
  return text;
}

/** As Kubernetes compares: lists and maps that are empty are as those that are absent. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field == null || (Array.isArray(field) && field.length === 0)) continue;
    const inner = withoutNothing(field);
    if (PLAIN_MAPS.has(key) && isObject(inner) && Object.keys(inner).length === 0) continue;
    kept[key] = inner;
  }
  return kept;
}
