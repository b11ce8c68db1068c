// What is wrong with a store's file: read only, beside a program that may be writing it.
import { createPrivateKey } from "node:crypto";
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { isObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { SERVICE_ACCOUNT_KEY } from "../tokens/service-account-tokens.ts";
import { openForReading } from "./database-file.ts";
import { isDamage } from "./errors.ts";
import { type LogRow, readRows, rowKey, rowObject, rowProblems, rowTitle } from "./log-rows.ts";
import { latestVersion, schemaVersion } from "./schema.ts";

/** One thing that was found. */
export interface Finding {
  /** `error` should not be; `note` is worth knowing and does no harm. */
  readonly severity: "error" | "note";
  /** Stable name of the rule: `integrity`, `schema`, `checksum`, `json`, `identity`, `uid`, `name`, `owner`, … */
  readonly rule: string;
  /** `configmaps default/web`; absent for what is about the whole file. */
  readonly object?: string;
  readonly revision?: number;
  readonly message: string;
}

export interface StoreReport {
  readonly path: string;
  readonly bytes: number;
  readonly schema: number;
  /** The revision that the next write comes after. */
  readonly revision: number;
  readonly rows: number;
  readonly objects: number;
  readonly findings: readonly Finding[];
}

const MOST_INTEGRITY_LINES = 20;

/** What is wrong with the file at `path`. Throws when there is none, or when it belongs to another program. */
export function checkStore(path: string): StoreReport {
  const findings: Finding[] = [];
  const counts = { schema: 0, revision: 0, rows: 0, objects: 0 };
  let database: DatabaseSync | undefined;
  try {
    database = openForReading(path);
    // One snapshot for everything.
    database.exec("BEGIN");
    findings.push(...checkIntegrity(database));
    counts.schema = schemaVersion(database, path);
    findings.push(...checkSchema(database, counts.schema));
    const contents = checkContents(database);
    findings.push(...contents.findings);
    Object.assign(counts, contents.counts);
  } catch (error) {
    if (!isDamage(error)) throw error;
    findings.push({ severity: "error", rule: "integrity", message: messageOf(error) });
  } finally {
    database?.close();
  }
  return { path, bytes: statSync(path).size, ...counts, findings };
}

/** True when something should not be as it is. */
export function hasErrors(report: StoreReport): boolean {
  return report.findings.some((finding) => finding.severity === "error");
}

function checkIntegrity(database: DatabaseSync): Finding[] {
  const lines = database.prepare(`PRAGMA integrity_check(${MOST_INTEGRITY_LINES})`).all();
  return lines
    .map((line) => String(line["integrity_check"]))
    .filter((text) => text !== "ok")
    .map((message) => ({ severity: "error", rule: "integrity", message }));
}

function checkSchema(database: DatabaseSync, version: number): Finding[] {
  const findings: Finding[] = [];
  const latest = latestVersion();
  if (version > latest) {
    const message = `schema version ${version} is of a newer program; this one reads up to ${latest}`;
    findings.push({ severity: "error", rule: "schema", message });
  } else if (version < latest) {
    const message = `schema version ${version} becomes ${latest} at the next start of 'flaghoist up'`;
    findings.push({ severity: "note", rule: "schema", message });
  }
  const key = database.prepare("SELECT v FROM meta WHERE k = ?").get(`kept:${SERVICE_ACCOUNT_KEY}`)?.["v"];
  if (key === undefined) {
    const message = "there is no key for ServiceAccount tokens; the next start makes one, and older tokens do not hold";
    findings.push({ severity: "note", rule: "key", message });
  } else if (!isPrivateKey(String(key))) {
    findings.push({ severity: "error", rule: "key", message: "the key for ServiceAccount tokens cannot be read" });
  }
  return findings;
}

export function isPrivateKey(pem: string): boolean {
  try {
    createPrivateKey(pem);
    return true;
  } catch {
    return false;
  }
}

/** What is known of the last version of an object. */
interface Present {
  readonly row: Omit<LogRow, "value">;
  readonly owners: readonly { readonly uid: string; readonly text: string }[];
}

function checkContents(database: DatabaseSync): {
  readonly findings: Finding[];
  readonly counts: { readonly rows: number; readonly objects: number; readonly revision: number };
} {
  const findings: Finding[] = [];
  const present = new Map<string, Present>();
  let rows = 0;
  let revision = 0;
  for (const row of readRows(database)) {
    rows += 1;
    revision = Math.max(revision, row.revision);
    for (const { rule, message } of rowProblems(row)) {
      findings.push({ severity: "error", rule, object: rowTitle(row), revision: row.revision, message });
    }
    if (row.type === 2) present.delete(rowKey(row));
    else {
      const { value: _value, ...rest } = row;
      present.set(rowKey(row), { row: rest, owners: ownersIn(row) });
    }
  }
  findings.push(...checkUids(present), ...checkReferences(present));
  const floor = database.prepare("SELECT v FROM meta WHERE k = 'floor'").get()?.["v"];
  if (floor !== undefined && typeof floor !== "number")
    findings.push({ severity: "error", rule: "revision", message: "the first revision after a restore is no number" });
  const counter = Math.max(revision, typeof floor === "number" ? floor : 0);
  return { findings, counts: { rows, objects: present.size, revision: counter } };
}

function ownersIn(row: LogRow): Present["owners"] {
  const references = rowObject(row)?.metadata["ownerReferences"];
  if (!Array.isArray(references)) return [];
  return references
    .filter((reference) => isObject(reference))
    .map((reference) => ({
      uid: String(reference["uid"]),
      text: `${String(reference["kind"])} ${String(reference["name"])} (uid ${String(reference["uid"])})`,
    }));
}

function checkUids(present: ReadonlyMap<string, Present>): Finding[] {
  const findings: Finding[] = [];
  const byUid = new Map<string, string>();
  for (const { row } of present.values()) {
    const object = rowTitle(row);
    const other = byUid.get(row.uid);
    if (row.uid === "") findings.push({ severity: "error", rule: "uid", object, message: "has no uid" });
    else if (other !== undefined) {
      findings.push({ severity: "error", rule: "uid", object, message: `has the uid of ${other} (${row.uid})` });
    } else byUid.set(row.uid, object);
  }
  return findings;
}

function checkReferences(present: ReadonlyMap<string, Present>): Finding[] {
  const findings: Finding[] = [];
  const uids = new Set<string>();
  const namespaces = new Set<string>();
  for (const { row } of present.values()) {
    uids.add(row.uid);
    if (row.resource === "namespaces") namespaces.add(row.name);
  }
  for (const { row, owners } of present.values()) {
    const object = rowTitle(row);
    for (const owner of owners) {
      if (uids.has(owner.uid)) continue;
      findings.push({ severity: "note", rule: "owner", object, message: `its owner ${owner.text} does not exist` });
    }
    if (row.namespace !== "" && !namespaces.has(row.namespace))
      findings.push({ severity: "note", rule: "namespace", object, message: "its namespace does not exist" });
  }
  return findings;
}
