// What a plan may ask of an API server: objects and lists of them, and what the server would make of an object without
// storing it. A request is put together anew from what was understood of it, so that nothing else travels along.
import type { AskedRequest } from "./messages.ts";

/** The resource that a request is about; undefined for discovery. */
export interface AskedResource {
  readonly group: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export type GatedRequest =
  | {
      readonly kind: "read" | "dry-run";
      /** With the query. */
      readonly path: string;
      readonly resource: AskedResource | undefined;
    }
  | { readonly kind: "refused"; readonly why: string };

const VERSION = /^v[0-9][a-z0-9]{0,62}$/;
const APPLY = "application/apply-patch+yaml";
const MOST_ITEMS = 500;
const MOST_QUERY = 16_384;
const MOST_NAME = 253;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what no name has.
const MEANT_OTHERWISE = /[\u0000-\u001f\u007f/\\%?#]/;

/** Words that stand where a resource would, and mean a verb: those of old paths of the API. */
const NO_RESOURCES: ReadonlySet<string> = new Set(["watch", "proxy", "status", "finalize"]);
/** What people and programs said of objects, in words that may quote anything; and groups that answer about callers. */
const UNREADABLE: ReadonlySet<string> = new Set(["/events", "events.k8s.io/events"]);
const CLOSED_GROUPS: ReadonlySet<string> = new Set(["authentication.k8s.io", "authorization.k8s.io"]);

export function gateRequest({ method, path, contentType }: AskedRequest): GatedRequest {
  const [pathname = "", query = "", ...more] = path.split("?");
  if (more.length > 0 || query.length > MOST_QUERY) return refused("its address is none");
  if (pathname === "/api" || pathname === "/apis")
    return method === "GET" && query === ""
      ? { kind: "read", path: pathname, resource: undefined }
      : refused("discovery is only read");
  const segments = pathname.split("/").slice(1).map(decoded);
  const resource = segments.every((segment) => segment !== undefined) ? resourceOf(segments) : undefined;
  if (resource === undefined) return refused("only objects and lists of objects can be asked for");
  if (UNREADABLE.has(`${resource.group}/${resource.plural}`) || CLOSED_GROUPS.has(resource.group))
    return refused(`a plan has no use for ${resource.plural}`);
  const plain = `/${segments.map((segment = "") => encodeURIComponent(segment)).join("/")}`;
  const asked = new URLSearchParams(query);
  if (method === "GET") return gateRead(plain, asked, resource);
  if (method === "PATCH" && contentType === APPLY) return gateDryRun(plain, asked, resource);
  return refused("nothing is written");
}

function gateRead(path: string, asked: URLSearchParams, resource: AskedResource): GatedRequest {
  const query = new URLSearchParams();
  for (const [key, value] of asked) {
    if (resource.name !== undefined || query.has(key)) return refused(`it may not say ${key}`);
    if (key === "labelSelector" || key === "continue") query.set(key, value);
    else if (key === "limit" && /^[0-9]{1,6}$/.test(value))
      query.set(key, String(Math.min(Math.max(1, Number(value)), MOST_ITEMS)));
    else return refused(`it may not say ${key}`);
  }
  // A list that is not cut into pages has no bound.
  if (resource.name === undefined && !query.has("limit")) query.set("limit", String(MOST_ITEMS));
  return { kind: "read", path: query.size === 0 ? path : `${path}?${query}`, resource };
}

function gateDryRun(path: string, asked: URLSearchParams, resource: AskedResource): GatedRequest {
  if (resource.name === undefined) return refused("a list is not written");
  const isDry = asked.getAll("dryRun").join() === "All";
  const isKnown = [...asked.keys()].every((key) => ["dryRun", "fieldManager", "force"].includes(key));
  if (!isDry || !isKnown) return refused("nothing is written but dry runs");
  return { kind: "dry-run", path: `${path}?fieldManager=flaghoist&dryRun=All&force=true`, resource };
}

/** Undefined for subresources, and for what is no path of an object or list. */
function resourceOf([root, ...segments]: readonly (string | undefined)[]): AskedResource | undefined {
  if (root !== "api" && root !== "apis") return undefined;
  const group = root === "api" ? "" : segments.shift();
  const version = segments.shift();
  if (group === undefined || version === undefined || !VERSION.test(version)) return undefined;
  const [first = "", second, third, fourth, ...more] = segments;
  if (more.length > 0) return undefined;
  if (third === undefined) return known(group, { plural: first, namespace: undefined, name: second });
  if (first !== "namespaces") return undefined;
  return known(group, { plural: third, namespace: second, name: fourth });
}

function known(group: string, resource: Omit<AskedResource, "group">): AskedResource | undefined {
  return resource.plural === "" || NO_RESOURCES.has(resource.plural) ? undefined : { group, ...resource };
}

/** Names may have any character but those that paths are made of. Undefined for what would lead elsewhere. */
function decoded(segment: string): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    return undefined;
  }
  const isPlain =
    text !== "" && text !== "." && text !== ".." && text.length <= MOST_NAME && !MEANT_OTHERWISE.test(text);
  return isPlain ? text : undefined;
}

function refused(why: string): GatedRequest {
  return { kind: "refused", why };
}
