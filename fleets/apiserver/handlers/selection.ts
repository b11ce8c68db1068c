// Label and field selectors of lists, watches and collection deletes.
import { matchesFields, parseFieldSelector, requiredFieldValue } from "../../../kube/field-selectors.ts";
import { matchesRequirements, parseLabelSelector } from "../../../kube/selectors.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest } from "../registry/status-error.ts";
import type { ListOptions } from "../request/options.ts";
import type { StoredObject } from "../storage/stored-object.ts";

/** Which objects a request is about, apart from the namespace. */
export interface Selection {
  /** Undefined when every object is selected. */
  readonly matches: ((object: StoredObject) => boolean) | undefined;
  /** Whether `matches` reads fields of the kind's own, which may differ between its versions. */
  readonly readsFields: boolean;
  /** The only name that can match, when the selector pins it. */
  readonly name: string | undefined;
}

const EVERYTHING: Selection = { matches: undefined, readsFields: false, name: undefined };

/** Reads both selectors; 400 for what they cannot ask. `name` narrows to one object, as old watch paths do. */
export function readSelection(options: ListOptions, kind: KindStrategy, name: string | undefined): Selection {
  if (options.labelSelector === "" && options.fieldSelector === "" && name === undefined) return EVERYTHING;
  const labels = guarded(() => parseLabelSelector(options.labelSelector));
  // As the reference: no field with no value is no condition.
  const fields = guarded(() => parseFieldSelector(options.fieldSelector)).filter(
    ({ field, value }) => field !== "" || value !== "",
  );
  for (const { field } of fields) checkField(field, kind);
  const pinned = requiredFieldValue(fields, "metadata.name");
  const usesFields = fields.length > 0;
  function matches(stored: StoredObject): boolean {
    if (name !== undefined && stored.name !== name) return false;
    if (labels.length > 0 && !matchesRequirements(labels, stored.labels)) return false;
    return !usesFields || matchesFields(fields, (field) => fieldText(stored, field, kind));
  }
  const readsFields = fields.some(({ field }) => field !== "metadata.name" && field !== "metadata.namespace");
  return { matches, readsFields, name: name ?? pinned };
}

function fieldText(stored: StoredObject, field: string, kind: KindStrategy): string {
  if (field === "metadata.name") return stored.name;
  if (field === "metadata.namespace") return stored.namespace;
  return kind.fieldValue(stored.object, field);
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw badRequest(messageOf(error));
  }
}

function checkField(field: string, kind: KindStrategy): void {
  if (field === "metadata.name" || (field === "metadata.namespace" && (kind.namespaced || !kind.custom))) return;
  if (kind.selectableFields?.includes(field) === true) return;
  if (kind.custom || kind.selectableFields !== undefined) throw badRequest(`field label not supported: ${field}`);
  throw badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}
