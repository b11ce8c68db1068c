// Words that every report shares: counts, values, clusters, objects, ages.
import type { ObjectRef } from "../../kube/object.ts";
import type { Origin } from "../plan/origin.ts";

const LONGEST_VALUE = 80;

/** `1 field`, `3 fields`; `nothing` is written out by callers that need it. */
export function count(number: number, noun: string, plural: string = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** A value as people write it: text as it is, missing fields in words, long ones cut. */
export function value(given: unknown): string {
  if (given === undefined) return "(none)";
  const text = typeof given === "string" && /^[\w./:@%+-]+$/.test(given) ? given : (JSON.stringify(given) ?? "(none)");
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 1)}…`;
}

/** `Deployment shop/web`. */
export function objectName({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace === undefined || namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** `a`, `a, b`, or `a … z (12)`: the first and last of many, in the order given. */
export function clusterList(names: readonly string[], most = 4): string {
  if (names.length <= most) return names.join(", ");
  return `${names[0]} … ${names.at(-1)} (${names.length})`;
}

/** `12s`, `5m`, `2h`, `3 days`, from one moment to a later one. */
export function age(fromMs: number, toMs: number): string {
  const seconds = Math.max(0, Math.round((toMs - fromMs) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.round(hours / 24)} days`;
}

/** As `age`, of an RFC 3339 time; undefined when there is none. */
export function ageOf(time: string | undefined, nowMs: number): string | undefined {
  const from = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(from) ? undefined : age(from, nowMs);
}

/** `a, b and c`. */
export function andList(items: readonly string[]): string {
  if (items.length <= 1) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** ` (deploy/policies.yaml:3, commit 3f9c2ab)`. */
export function originText(origin: Origin | undefined): string {
  if (origin === undefined) return "";
  const parts = [
    ...(origin.file === undefined ? [] : [origin.file]),
    ...(origin.revision === undefined ? [] : [`commit ${shortCommit(origin.revision)}`]),
    ...(origin.file === undefined && origin.sync !== undefined ? [`Sync ${origin.sync}`] : []),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** `main@sha1:3f9c2ab…` as seven characters of the commit. */
export function shortCommit(revision: string): string {
  return revision.slice(revision.lastIndexOf(":") + 1).slice(0, 7);
}

/** The digits of a hash, of which `sha256:…` says how it was made. */
export function hashDigits(hash: string): string {
  return hash.slice(hash.lastIndexOf(":") + 1);
}
