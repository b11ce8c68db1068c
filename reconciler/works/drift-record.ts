// Drift that stands, as it is kept on the Work of the copy: small, without secrets, and the same after a restart.
import { stringifyJson } from "../../kube/json.ts";
import { equalJson, isObject } from "../../kube/object.ts";

/** On a Work: the fields of its copies that others changed and that are only told of, as JSON. */
export const DRIFT_FINDINGS_ANNOTATION = "gitops.flaghoist.io/drift-findings";
/** Condition of a Work whose copies have such fields. */
export const DRIFTED_CONDITION = "Drifted";

export interface StandingField {
  /** Of the object: `apps/v1/Deployment/shop/web`. */
  readonly object: string;
  /** `spec.template.spec.containers[name=web].image`. */
  readonly path: string;
  /** As text of JSON, cut where it is long; absent for nothing, hidden where it is of a Secret. */
  readonly wanted?: string | undefined;
  readonly found?: string | undefined;
  readonly manager?: string | undefined;
  /** RFC 3339: when it was first seen. */
  readonly since: string;
}

/** What of a Secret may be shown. Annotations may hold a copy of the data, as kubectl's do. */
const PUBLIC_IN_SECRETS = /^(type|immutable|metadata\.labels\b.*|\(whole object\))$/;
const HIDDEN = "(hidden)";
const LONGEST_VALUE = 256;
const LONGEST_PATH = 512;
const MOST_FIELDS = 40;

/** Whether the values of a field must not be shown. */
export function isSecretField(kind: string, path: string): boolean {
  return kind === "Secret" && !PUBLIC_IN_SECRETS.test(path);
}

/** A value as it is kept and shown. */
export function shownValue(value: unknown, secret: boolean): string | undefined {
  if (value === undefined) return undefined;
  if (secret) return HIDDEN;
  const text = stringifyJson(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/** What stands now, with the time since which a field is known to differ, whatever its value was meanwhile. */
export function updateStanding(
  before: readonly StandingField[],
  now: readonly Omit<StandingField, "since">[],
  time: string,
): StandingField[] {
  return now.map((field) => {
    const known = before.find(
      ({ object, path }) => object === field.object && path === field.path.slice(0, LONGEST_PATH),
    );
    return { ...field, path: field.path.slice(0, LONGEST_PATH), since: known?.since ?? time };
  });
}

/** The annotation for what stands; undefined when nothing does. Of very many fields the first are kept. */
export function writeStanding(fields: readonly StandingField[]): string | undefined {
  if (fields.length === 0) return undefined;
  const kept = fields.slice(0, MOST_FIELDS);
  return JSON.stringify({
    fields: kept,
    ...(fields.length > kept.length ? { more: fields.length - kept.length } : {}),
  });
}

/** What an annotation says; nothing when it is absent or garbage. */
export function readStanding(text: string | undefined): StandingField[] {
  const fields = readRecord(text)?.["fields"];
  return Array.isArray(fields) ? fields.slice(0, MOST_FIELDS).filter(isStandingField) : [];
}

/** How many more fields there were than an annotation names. */
export function unlistedStanding(text: string | undefined): number {
  const more = readRecord(text)?.["more"];
  return typeof more === "number" && Number.isSafeInteger(more) && more > 0 ? more : 0;
}

function readRecord(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined || text.length > 200_000) return undefined;
  try {
    const read: unknown = JSON.parse(text);
    return isObject(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

function isStandingField(value: unknown): value is StandingField {
  if (!isObject(value)) return false;
  const isText = (field: unknown): boolean => typeof field === "string";
  const optional = (field: unknown): boolean => field === undefined || isText(field);
  return (
    isText(value["object"]) &&
    isText(value["path"]) &&
    isText(value["since"]) &&
    !Number.isNaN(Date.parse(String(value["since"]))) &&
    [value["wanted"], value["found"], value["manager"]].every(optional)
  );
}

/** Whether two lists say the same. */
export function sameStanding(a: readonly StandingField[], b: readonly StandingField[]): boolean {
  return equalJson(a, b);
}

/** `3 fields are not as wanted: spec.replicas wanted 2, found 5, by kubectl-scale; …`: for the condition. */
export function describeStanding(fields: readonly StandingField[]): string {
  const shown = fields.slice(0, 3).map(({ path, wanted = "nothing", found = "nothing", manager }) => {
    const by = manager === undefined ? "" : `, by ${manager}`;
    return `${path} wanted ${wanted}, found ${found}${by}`;
  });
  const more = fields.length > shown.length ? `; and ${fields.length - shown.length} more` : "";
  const count = fields.length === 1 ? "1 field is" : `${fields.length} fields are`;
  return `${count} not as wanted, and left so (drift: report): ${shown.join("; ")}${more}`;
}
