import { isObject } from "../../../kube/object.ts";

const MOST = 200;

/**
 * What an answer that is no success says in words, in one line and short; empty when it says nothing that a person reads.
 * Covers the forms of GitHub, GitLab, Gitea, Bitbucket and Azure DevOps.
 */
export function errorWords(body: unknown): string {
  if (!isObject(body)) return "";
  const said = [body["message"], body["error"], body["error_description"], body["errors"]]
    .flatMap((value) => flatten(value, 0))
    .filter((text, index, all) => text !== "" && all.indexOf(text) === index)
    .join("; ");
  return shorten(said);
}

function flatten(value: unknown, depth: number): string[] {
  if (typeof value === "string") return [value];
  if (depth > 3) return [];
  if (Array.isArray(value)) return value.slice(0, 5).flatMap((item) => flatten(item, depth + 1));
  if (!isObject(value)) return [];
  const { message, detail, code, field } = value;
  if (typeof message === "string") return [message, ...flatten(detail, depth + 1)];
  // GitHub's errors about fields may have nothing but a code.
  if (typeof code === "string") return [typeof field === "string" ? `${field}: ${code}` : code];
  // GitLab's: `{ "note": ["can't be blank"] }`.
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, depth + 1).map((text) => `${key} ${text}`));
}

function shorten(text: string): string {
  const line = Array.from(text.slice(0, 4 * MOST), (char) => (char < " " || char === "\u007f" ? " " : char)).join("");
  const points = Array.from(line.replace(/ +/g, " ").trim());
  return points.length > MOST ? `${points.slice(0, MOST - 1).join("")}…` : points.join("");
}
