// What in a member cluster no longer is as we applied it, and who changed it. Compared are only the fields that our
// field manager owned after our last apply, with the values the server gave them then: so defaulting, rounding of
// quantities and mutating webhooks never look like drift.
import type { FieldPath } from "../kube/fields/path.ts";
import { equalJson, isObject, type JsonObject, type KubeObject, type ManagedFieldsEntry } from "../kube/object.ts";
import { valueOfElement } from "./field-values.ts";

export interface FieldDrift {
  /** Readable path: `spec.template.spec.containers[name=web].image`. */
  readonly path: string;
  readonly wanted: unknown;
  /** Undefined when the field is gone. */
  readonly found: unknown;
  /** The field manager that owns the field now; undefined when nobody claims it. */
  readonly manager: string | undefined;
  /** When that manager last wrote, as the server recorded it. */
  readonly time: string | undefined;
}

/** Drift of a field that we own, with its path as field ownership writes it. */
export interface OwnedDrift extends FieldDrift {
  readonly fieldPath: FieldPath;
}

type FieldSet = JsonObject;

/** One step into a value: a map key, or a list element by its keys, value or place. */
interface Step {
  readonly raw: string;
  readonly text: string;
}

/**
 * Compares `live` with `applied`, the server's answer to our last apply, on the fields that `manager` owned in it.
 * Empty when nothing differs. A whole object that is gone is not drift of fields: callers see that themselves.
 */
export function findDrift(applied: KubeObject, live: KubeObject, manager: string): OwnedDrift[] {
  const owned = ownEntry(applied, manager)?.fieldsV1;
  if (owned === undefined) return [];
  const found: OwnedDrift[] = [];
  walk(owned, applied, live, [], (steps, wanted, actual) => {
    if (isEmpty(wanted) && isFilledByOthers(live, steps, manager)) return;
    const owner = ownerOf(live, steps, manager);
    found.push({
      path: pathText(steps),
      fieldPath: steps.map(({ raw }) => raw),
      wanted,
      found: actual,
      manager: owner?.manager,
      time: owner?.time,
    });
  });
  return found;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/**
 * Whether others own items inside. A map or list that we applied empty looks like a single value in our set, although
 * what others put into it is theirs and another apply would leave it there.
 */
function isFilledByOthers(live: KubeObject, steps: readonly Step[], self: string): boolean {
  return (live.metadata.managedFields ?? []).some((entry) => {
    if (entry.manager === self) return false;
    const node = nodeAt(entry, steps);
    return isObject(node) && Object.keys(node).some((key) => key !== ".");
  });
}

function nodeAt(entry: ManagedFieldsEntry, steps: readonly Step[]): unknown {
  let node: unknown = entry.fieldsV1;
  for (const step of steps) node = isObject(node) ? node[step.raw] : undefined;
  return node;
}

function ownEntry(object: KubeObject, manager: string): ManagedFieldsEntry | undefined {
  return object.metadata.managedFields?.find(
    (entry) => entry.manager === manager && entry.operation === "Apply" && (entry.subresource ?? "") === "",
  );
}

function walk(
  set: FieldSet,
  wanted: unknown,
  actual: unknown,
  steps: readonly Step[],
  report: (steps: readonly Step[], wanted: unknown, actual: unknown) => void,
): void {
  let isLeaf = true;
  for (const raw in set) {
    if (raw === ".") continue;
    isLeaf = false;
    const nextWanted = valueOfElement(wanted, raw);
    const nextActual = valueOfElement(actual, raw);
    if (equalJson(nextWanted, nextActual)) continue;
    const step: Step = { raw, text: stepText(raw) };
    const child = set[raw];
    if (nextActual === undefined || !isObject(child)) report([...steps, step], nextWanted, nextActual);
    // A set holds sets.
    else walk(child as FieldSet, nextWanted, nextActual, [...steps, step], report);
  }
  if (isLeaf && !equalJson(wanted, actual)) report(steps, wanted, actual);
}

function stepText(raw: string): string {
  const rest = raw.slice(2);
  switch (raw.slice(0, 2)) {
    case "k:":
      return `[${Object.entries(JSON.parse(rest) as Record<string, unknown>)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(",")}]`;
    case "v:":
      return `[${rest}]`;
    case "i:":
      return `[${rest}]`;
    default:
      return /[.[\]/]/.test(rest) ? `["${rest}"]` : `.${rest}`;
  }
}

/** A path of field ownership as findings have it: `spec.template.spec.containers[name=web].image`. */
export function fieldPathText(path: FieldPath): string {
  return pathText(path.map((raw) => ({ raw, text: stepText(raw) })));
}

function pathText(steps: readonly Step[]): string {
  return steps
    .map((step) => step.text)
    .join("")
    .replace(/^\./, "");
}

function ownerOf(
  live: KubeObject,
  steps: readonly Step[],
  self: string,
): { manager: string; time: string | undefined } | undefined {
  let best: { manager: string; time: string | undefined } | undefined;
  for (const entry of live.metadata.managedFields ?? []) {
    if (entry.manager === undefined || entry.manager === self || entry.fieldsV1 === undefined) continue;
    if (nodeAt(entry, steps) === undefined) continue;
    if (best?.time === undefined || (entry.time ?? "") > best.time) best = { manager: entry.manager, time: entry.time };
  }
  return best;
}
