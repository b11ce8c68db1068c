// Changes of fields that a cluster refuses to change in a copy that exists.
import { REPLACE_ANNOTATION } from "../../../api/gitops.ts";
import type { ReportFinding } from "../../../api/plan-report.ts";
import { asksForReplacement, mayBeReplaced } from "../../../fleets/immutable-fields.ts";
import { equalJson, isObject, type KubeObject, type ObjectRef, parseApiVersion } from "../../../kube/object.ts";
import { compareQuantities, tryParseQuantity } from "../../../kube/quantity.ts";
import { onceEach } from "../../../runtime/once-each.ts";
import { objectName } from "../../reports/words.ts";
import { changeKey, type FieldChange } from "../changes.ts";
import { copyIn } from "../copy.ts";
import { GROWING_FIELDS, IMMUTABLE_FIELDS, type ImmutableFields } from "./immutable-fields.table.ts";
import { about, type ReviewedChange } from "./reviewed-change.ts";

interface Refused {
  readonly object: ObjectRef;
  readonly field: string;
  readonly manifest: KubeObject;
  readonly clusters: string[];
}

/** One finding for each immutable part of an object, with the clusters whose copies change in it. */
export function immutableField(change: ReviewedChange): readonly ReportFinding[] {
  const found = new Map<string, Refused>();
  const definitions = change.after.world.templates.filter(({ kind }) => kind === "CustomResourceDefinition");
  // Copies that change alike share their fields.
  const among = onceEach((before: KubeObject) =>
    onceEach((fields: readonly FieldChange[]) => immutableAmong(before, fields, definitions)),
  );
  for (const copy of change.plan.changes) {
    if (copy.change !== "changed") continue;
    const key = changeKey(copy);
    const [old, fresh] = [change.before, change.after].map(({ outcomes }) =>
      copyIn(outcomes.get(key)?.copies, copy.cluster),
    );
    if (old === undefined || fresh === undefined) continue;
    for (const field of among(old.manifest)(copy.fields)) {
      const one = found.get(`${key}\n${field}`);
      if (one !== undefined) one.clusters.push(copy.cluster);
      else
        found.set(`${key}\n${field}`, {
          object: copy.object,
          field,
          manifest: fresh.manifest,
          clusters: [copy.cluster],
        });
    }
  }
  return [...found.values()].map((refused) => findingOf(change, refused));
}

function findingOf(change: ReviewedChange, { object, field, manifest, clusters }: Refused): ReportFinding {
  const common = { rule: "immutable-field", ...about(change, object), field, clusters };
  const name = objectName(object);
  if (!mayBeReplaced(manifest))
    return {
      ...common,
      severity: "error",
      message: `${name} stays as it is: its clusters refuse to change ${field}, and objects of this kind are never replaced`,
      advice: "leave the field as it was, or write a new object with another name",
    };
  if (asksForReplacement(manifest))
    return {
      ...common,
      severity: "warning",
      message: `${name} is deleted and made anew: ${field} cannot be changed, and ${REPLACE_ANNOTATION} asks for it to be replaced`,
      advice: "expect it to be gone for a moment, or leave the field as it was",
    };
  return {
    ...common,
    severity: "error",
    message: `${name} stays as it is: its clusters refuse to change ${field}`,
    advice: `leave the field as it was, or annotate the object with ${REPLACE_ANNOTATION}=true to have it deleted and made anew`,
  };
}

/** The immutable parts that these changes touch, each once. */
export function immutableAmong(
  before: KubeObject,
  fields: readonly FieldChange[],
  definitions: readonly KubeObject[],
): readonly string[] {
  const { group } = parseApiVersion(before.apiVersion);
  const kind = `${group}/${before.kind}`;
  const rules = (IMMUTABLE_FIELDS[kind] ?? []).filter((rule) => applies(rule, before, fields));
  const found = new Set<string>();
  for (const field of fields) {
    if (isFixedData(before, field)) found.add(topOf(field.path));
    for (const rule of rules) {
      const part = fixedPart(field, rule);
      if (part !== undefined) found.add(part);
    }
    if (GROWING_FIELDS[kind]?.includes(field.path) === true && shrinks(field)) found.add(field.path);
  }
  for (const path of ruledByDefinition(before, fields, definitions)) found.add(path);
  return [...found];
}

/** Whether the rule is about objects like this one. */
function applies({ where }: ImmutableFields, before: KubeObject, fields: readonly FieldChange[]): boolean {
  if (where === undefined) return true;
  const { path, is, isNot, stays } = where;
  const meets = (value: unknown): boolean => is?.includes(value) ?? isNot?.includes(value) !== true;
  const old = valueAt(before, path);
  if (!meets(old)) return false;
  const change = fields.find((field) => field.path === path);
  return stays !== true || change === undefined || meets(change.after);
}

function valueAt(object: unknown, path: string): unknown {
  return path.split(".").reduce((node: unknown, key) => (isObject(node) ? node[key] : undefined), object);
}

function fixedPart({ path, before, after }: FieldChange, rule: ImmutableFields): string | undefined {
  const whole = rule.fixed.find((fixed) => isWithin(path, fixed));
  if (whole === undefined) return undefined;
  if (rule.free?.some((free) => (typeof free === "string" ? isWithin(path, free) : free.test(path))) === true)
    return undefined;
  const byDefault = rule.defaults?.[path];
  if (byDefault !== undefined && equalJson(before ?? byDefault, after ?? byDefault)) return undefined;
  if (isGiven(before, after, rule.unless)) return undefined;
  return whole === "spec" ? firstParts(path, 2) : whole;
}

/** Whether a field is given that nobody had given, or is left to the server, where servers take that. */
function isGiven(before: unknown, after: unknown, unless: ImmutableFields["unless"]): boolean {
  if (unless === undefined) return false;
  const wasNone = before === undefined || before === "";
  if (unless === "once") return wasNone;
  return after === undefined || (wasNone && !equalJson(after, "None") && !equalJson(after, ["None"]));
}

function shrinks({ before, after }: FieldChange): boolean {
  const [old, fresh] = [before, after].map((value) => tryParseQuantity(String(value)));
  return old !== undefined && fresh !== undefined && compareQuantities(fresh, old) < 0;
}

/** As their authors asked: what holds data and is marked as immutable. */
function isFixedData(before: KubeObject, { path }: FieldChange): boolean {
  if (before.apiVersion !== "v1" || (before.kind !== "ConfigMap" && before.kind !== "Secret")) return false;
  return before["immutable"] === true && /^(data|binaryData|stringData|immutable)\b/.test(path);
}

function topOf(path: string): string {
  return firstParts(path, 1);
}

function firstParts(path: string, parts: number): string {
  return path.split(/[.[]/).slice(0, parts).join(".");
}

function isWithin(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}.`) || path.startsWith(`${part}[`);
}

/** Fields of a custom resource whose definition says `self == oldSelf`. */
function ruledByDefinition(
  before: KubeObject,
  fields: readonly FieldChange[],
  definitions: readonly KubeObject[],
): readonly string[] {
  const { group, version } = parseApiVersion(before.apiVersion);
  for (const { spec } of definitions) {
    if (!isObject(spec)) continue;
    if (spec["group"] !== group || !isObject(spec["names"]) || spec["names"]["kind"] !== before.kind) continue;
    const versions = Array.isArray(spec["versions"]) ? spec["versions"].filter(isObject) : [];
    const schema = versions.find(({ name }) => name === version)?.["schema"];
    const root = isObject(schema) ? schema["openAPIV3Schema"] : undefined;
    return fields
      .filter(({ before: old, after }) => old !== undefined && after !== undefined)
      .flatMap(({ path }) => fixedBySchema(root, path) ?? []);
  }
  return [];
}

function fixedBySchema(root: unknown, path: string): string | undefined {
  let schema = root;
  const walked: string[] = [];
  for (const part of path.split(/\.(?![^[]*\])/)) {
    if (!isObject(schema) || !isObject(schema["properties"])) return undefined;
    const name = part.replace(/\[.*$/, "");
    schema = schema["properties"][name];
    walked.push(name);
    const rules = isObject(schema) ? schema["x-kubernetes-validations"] : undefined;
    const isFixed =
      Array.isArray(rules) &&
      rules.some(
        (rule) =>
          isObject(rule) && typeof rule["rule"] === "string" && /^\s*self\s*==\s*oldSelf\s*$/.test(rule["rule"]),
      );
    if (isFixed) return walked.join(".");
    if (part !== name) return undefined;
  }
  return undefined;
}
