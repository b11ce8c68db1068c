// What a path and a method ask for.
import { quoteGo } from "../../../kube/go-text.ts";
import { badRequest } from "../registry/status-error.ts";

/** The verbs of Kubernetes' authorisation. */
export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** A path below `/api/v1` or `/apis/group/version`. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  /** Undefined for cluster-scoped paths and lists over all namespaces. */
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows the subresource, such as the path of a proxy request. */
  readonly rest: string;
  /** Under the old `/watch/` prefix. */
  readonly watchPrefix: boolean;
}

/** The path without query, and the query text. */
export function splitPath(path: string): { readonly path: string; readonly query: string } {
  const at = path.indexOf("?");
  return at < 0 ? { path, query: "" } : { path: path.slice(0, at), query: path.slice(at + 1) };
}

/** The path with its escapes resolved; undefined when one of them is none. */
export function decodePath(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    // Escaped bytes that are no UTF-8 are still a path.
    return /%(?![0-9a-fA-F]{2})/.test(path) ? undefined : Buffer.from(unescape(path), "latin1").toString();
  }
}

/**
 * Reads a resource path. Undefined when the path is something else, such as discovery. As the reference, escapes are
 * resolved first: an escaped slash separates like any other. A path with an empty segment among others is none.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const segments = (decodePath(path) ?? "").replace(/^\/+|\/+$/g, "").split("/");
  let next: number;
  let group: string;
  let version: string;
  if (segments[0] === "api" && segments.length > 2) {
    group = "";
    version = segments[1]!;
    next = 2;
  } else if (segments[0] === "apis" && segments.length > 3) {
    group = segments[1]!;
    version = segments[2]!;
    next = 3;
  } else {
    return undefined;
  }
  const watchPrefix = segments[next] === "watch" && segments.length > next + 1;
  if (watchPrefix) next += 1;

  let namespace: string | undefined;
  if (segments[next] === "namespaces" && segments.length > next + 2) {
    const third = segments[next + 2]!;
    const isNamespaceItself = group === "" && (third === "status" || third === "finalize");
    if (!isNamespaceItself) {
      namespace = segments[next + 1]!;
      next += 2;
    }
  }
  // What a proxy passes on may hold empty segments.
  if (segments.slice(0, next + 3).includes("")) return undefined;
  return {
    group,
    version,
    namespace,
    resource: segments[next] ?? "",
    name: segments[next + 1],
    subresource: segments[next + 2],
    rest: segments.slice(next + 3).join("/"),
    watchPrefix,
  };
}

/** The number of segments of a path up to its subresource, that included. */
export function segmentsBefore(target: ResourcePath): number {
  return (target.group === "" ? 2 : 3) + (target.watchPrefix ? 1 : 0) + (target.namespace === undefined ? 0 : 2) + 3;
}

/**
 * What follows the first `count` segments of a path, as it was sent: with its escapes, starting with `/`, or empty.
 * Undefined when one of those segments holds an escaped slash, which separates for some readers and not for others.
 */
export function remainderOf(path: string, count: number): string | undefined {
  let at = 0;
  for (let passed = 0; passed < count; passed++) {
    while (path[at] === "/") at += 1;
    while (at < path.length && path[at] !== "/") at += 1;
  }
  return /%2f/i.test(path.slice(0, at)) ? undefined : path.slice(at);
}

/**
 * True for a path that leads upwards where it is taken literally: a segment is `.` or `..`, as it stands or once its
 * escapes are undone. A path whose escapes are broken counts as well.
 */
export function leadsUpwards(path: string): boolean {
  if (!/\.|%/.test(path)) return false;
  let plain: string;
  try {
    plain = decodeURIComponent(path);
  } catch {
    return true;
  }
  return plain.split(/[/\\]/).some((segment) => segment === "." || segment === "..");
}

/** Refuses a name in a path that no object can have. */
export function checkPathName(name: string): void {
  const why =
    name === "." || name === ".." ? `may not be '${name}'` : name.includes("%") ? "may not contain '%'" : undefined;
  if (why !== undefined) throw badRequest(`Name parameter invalid: ${quoteGo(name)}: ${why}`);
}
