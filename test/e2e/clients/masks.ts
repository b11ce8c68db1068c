// Takes out of a client's output what differs from run to run: identifiers, times, ports, addresses, ages.

import { isObject } from "../../../kube/object.ts";

type Mask = readonly [pattern: RegExp, replacement: string];

const MASKS: readonly Mask[] = [
  [/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g, "<pem>"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "<token>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/X509SHA256=[0-9a-f]+/g, "X509SHA256=<hash>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4}( UTC)?|Z)?/g, "<time>"],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+\d{4}/g, "<time>"],
  [/\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\b/g, "<time>"],
  [/modifiedAt=\d+/g, "modifiedAt=<time>"],
  [/^[EWI]\d{4} [\d:.]+ +\d+ (\w+\.go):\d+\]/gm, "<log $1>"],
  [/(resource ?version"?: *"?)\d+/gi, "$1<rv>"],
  [/https?:\/\/(127\.0\.0\.1|localhost):\d+/g, "<server>"],
  // The whole object in the order of its type's fields, in messages that quote it: once in the API, twice in a log line.
  [/(patch: Invalid value: )\\?"\{.*?\}\\?"(?=: json)/g, "$1<object>"],
  [/\/tmp\/(LIVE|MERGED)-\d+/g, "/tmp/$1"],
  [/kubectl-edit-\d+\.yaml/g, "kubectl-edit.yaml"],
  [/\/tmp\/[\w.-]*\/?kubectl-edit/g, "/tmp/kubectl-edit"],
  // Addresses and ports that are handed out.
  [/\b10\.(?!244\.)\d+\.\d+\.\d+\b/g, "<ip>"],
  [/\b(nodePort"?: |NodePort:\s+\S+\s+|80:)3\d{4}\b/g, "$1<port>"],
  [/"(git\w+|buildDate|goVersion|platform|compiler)": "[^"]*"/g, '"$1": "<build>"'],
  // Ages stand alone in a column. Columns then have other widths.
  [/(?<=\s{2})\s*(?:(?:\d+[smhdy]){1,2}|<invalid>)(?=\s{2,}|\s*$)/gm, "<age>"],
  [/(?<=\S) {2,}/g, "  "],
  [/[ \t]+$/gm, ""],
];

/** Bodies as they came over the wire are compared as JSON: the order of fields is nobody's business. */
function sortJson(text: string): string {
  if (!text.startsWith('{"')) return text;
  try {
    const sorted = (_key: string, value: unknown): unknown =>
      isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
    return JSON.stringify(JSON.parse(text), sorted, 2);
  } catch {
    return text;
  }
}

/** kubectl describes a Secret's keys in the order of a Go map, which is another each time. */
function sortSecretKeys(text: string): string {
  return text.replace(/(?<=^Data\n====\n)(?:.+: +\d+ bytes\n?)+/gm, (lines) => {
    const end = lines.endsWith("\n") ? "\n" : "";
    return `${lines.trimEnd().split("\n").sort().join("\n")}${end}`;
  });
}

/** `text` with everything masked that depends on the run, and no empty lines at its end. */
export function maskOutput(text: string): string {
  return MASKS.reduce(
    (masked, [pattern, replacement]) => masked.replace(pattern, replacement),
    sortSecretKeys(sortJson(text)),
  ).trimEnd();
}
