// The entries of `metadata.managedFields`, decoded: who owns which fields.
import { isObject, type ManagedFieldsEntry } from "../object.ts";
import { decodeFieldsV1, EMPTY_SET, encodeFieldsV1, type FieldSet, unionSets } from "./field-set.ts";

export type ManagerOperation = "Apply" | "Update";

/** One manager's fields, at one version and subresource. */
export interface ManagerEntry {
  readonly manager: string;
  readonly operation: ManagerOperation;
  /** The version that the paths are of. */
  readonly apiVersion: string;
  /** Empty for the main resource. */
  readonly subresource: string;
  readonly time: string | undefined;
  readonly set: FieldSet;
}

/** Entries by identity: an applier has one entry whatever version it speaks, an updater one for each version. */
export type Managers = Map<string, ManagerEntry>;

const IDENTITIES = new Map<string, string>();
const MAX_IDENTITIES = 10_000;

/** The identity of an entry, which also orders managers in conflict messages as the server does. */
export function managerIdentity(
  manager: string,
  operation: ManagerOperation,
  apiVersion: string,
  subresource: string,
): string {
  const raw = `${manager}\n${operation}\n${operation === "Update" ? apiVersion : ""}\n${subresource}`;
  const known = IDENTITIES.get(raw);
  if (known !== undefined) return known;
  const identity = JSON.stringify({
    ...(manager === "" ? {} : { manager }),
    operation,
    ...(operation === "Update" ? { apiVersion } : {}),
    ...(subresource === "" ? {} : { subresource }),
  });
  if (IDENTITIES.size >= MAX_IDENTITIES) IDENTITIES.clear();
  IDENTITIES.set(raw, identity);
  return identity;
}

export function identityOf(entry: Pick<ManagerEntry, "manager" | "operation" | "apiVersion" | "subresource">): string {
  return managerIdentity(entry.manager, entry.operation, entry.apiVersion, entry.subresource);
}

/** Decodes `managedFields`; undefined when an entry is not well formed. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined | null): Managers | undefined {
  const managers: Managers = new Map();
  if (entries == null) return managers;
  if (!Array.isArray(entries)) return undefined;
  for (const entry of entries as readonly ManagedFieldsEntry[]) {
    const decoded = decodeManager(entry);
    if (decoded === undefined) return undefined;
    managers.set(identityOf(decoded), decoded);
  }
  return managers;
}

function decodeManager(entry: ManagedFieldsEntry): ManagerEntry | undefined {
  if (!isObject(entry)) return undefined;
  const { operation, apiVersion, fieldsType, fieldsV1 } = entry;
  if ((operation !== "Apply" && operation !== "Update") || fieldsType !== "FieldsV1") return undefined;
  if (typeof apiVersion !== "string" || apiVersion === "") return undefined;
  const set = fieldsV1 == null ? EMPTY_SET : decodeFieldsV1(fieldsV1);
  if (set === undefined) return undefined;
  return {
    manager: textOf(entry.manager),
    operation,
    apiVersion,
    subresource: textOf(entry.subresource),
    time: typeof entry.time === "string" ? entry.time : undefined,
    set,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The `managedFields` of these managers in the server's order; undefined when there is none. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareEntries).map(encodeManager);
}

function encodeManager(entry: ManagerEntry): ManagedFieldsEntry {
  const encoded: ManagedFieldsEntry = { apiVersion: entry.apiVersion, fieldsType: "FieldsV1" };
  encoded.fieldsV1 = encodeFieldsV1(entry.set);
  if (entry.manager !== "") encoded.manager = entry.manager;
  encoded.operation = entry.operation;
  if (entry.subresource !== "") encoded.subresource = entry.subresource;
  if (entry.time !== undefined) encoded.time = entry.time;
  return encoded;
}

function compareEntries(a: ManagerEntry, b: ManagerEntry): number {
  return (
    compareText(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

function secondsOf(entry: ManagerEntry): number {
  return entry.time === undefined ? 0 : Math.floor(Date.parse(entry.time) / 1000) || 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How messages name a manager: `"kubectl" with subresource "status" using apps/v1`. */
export function describeManager(entry: ManagerEntry): string {
  let text = JSON.stringify(entry.manager);
  if (entry.subresource !== "") text += ` with subresource ${JSON.stringify(entry.subresource)}`;
  if (entry.operation === "Update") text += ` using ${entry.apiVersion}`;
  return text;
}

const MAX_UPDATERS = 10;
const ANCIENT = "ancient-changes";

/** Merges the oldest Update entries of one version into one until at most ten remain. Changes `managers`. */
export function capUpdaters(managers: Managers): void {
  if (managers.size <= MAX_UPDATERS) return;
  const updaters = [...managers].filter(([, entry]) => entry.operation === "Update");
  let count = updaters.length;
  if (count <= MAX_UPDATERS) return;
  updaters.sort(([a, left], [b, right]) => secondsOf(left) - secondsOf(right) || compareText(a, b));
  const firstOfVersion = new Map<string, string>();
  for (const [identity, entry] of updaters) {
    if (count <= MAX_UPDATERS) return;
    const first = firstOfVersion.get(entry.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(entry.apiVersion, identity);
      continue;
    }
    const bucket = managerIdentity(ANCIENT, "Update", entry.apiVersion, "");
    let into = managers.get(bucket);
    if (into === undefined) {
      into = managers.get(first);
      managers.delete(first);
    }
    managers.delete(identity);
    managers.set(bucket, {
      manager: ANCIENT,
      operation: "Update",
      apiVersion: entry.apiVersion,
      subresource: "",
      time: entry.time,
      set: into === undefined ? entry.set : unionSets(into.set, entry.set),
    });
    count--;
  }
}
