// On an API server that is not ours, Clusters are a custom resource at two versions: the one that everybody uses, whose
// requests that server passes on to this process, and one by which this process reaches what is stored. Their objects
// differ by the version's name alone.
import { CLUSTER_GROUP } from "../../api/cluster.ts";
import type { ApiRequest, ApiResponse, Transport, TransportEvent } from "../../kube/client/transport.ts";
import { parseJson, stringifyJson } from "../../kube/json.ts";
import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";

export const PUBLIC_VERSION = "v1alpha1";
/** The version by which this process reaches the stored objects. */
export const STORE_VERSION = "v1alpha1-store";

export const PUBLIC_PATH = `/apis/${CLUSTER_GROUP}/${PUBLIC_VERSION}`;
export const STORE_PATH = `/apis/${CLUSTER_GROUP}/${STORE_VERSION}`;
const PUBLIC_API = `${CLUSTER_GROUP}/${PUBLIC_VERSION}`;
const STORE_API = `${CLUSTER_GROUP}/${STORE_VERSION}`;

/** Name, Version, Mode, Ready, Age, Zones, Region, Provider, API-Endpoint, Proxy-URL. */
const CELLS = 10;
const READY_CELL = 3;
const ZONES_CELL = 5;
const ENDPOINT_CELL = 8;
const NONE = "<none>";
const YAML_BODIES: ReadonlySet<string> = new Set(["application/yaml", "application/apply-patch+yaml"]);

/**
 * Reaches Clusters at the public version by the version of the store. What is not about Clusters passes unchanged;
 * discovery tells of the public version alone.
 */
export function throughStoreVersion(transport: Transport): Transport {
  return async (request) => {
    const [path = ""] = request.path.split("?");
    if (path === "/apis") return renamedDiscovery(await transport(request));
    if (path !== PUBLIC_PATH && !path.startsWith(`${PUBLIC_PATH}/`)) return transport(request);
    return renamedAnswer(await transport(renamedRequest(request)));
  };
}

function renamedRequest(request: ApiRequest): ApiRequest {
  const path = `${STORE_PATH}${request.path.slice(PUBLIC_PATH.length)}`;
  const headers = { ...request.headers, accept: jsonOf(request.headers?.["accept"]) };
  if (request.object !== undefined)
    return { ...request, path, headers, object: renamed(request.object, PUBLIC_API, STORE_API) };
  if (request.body === undefined || request.body.length === 0) return { ...request, path, headers };
  const text = Buffer.from(request.body as Uint8Array).toString("utf8");
  const type = (request.headers?.["content-type"] ?? "application/json").split(";")[0]!.trim();
  const parsed = parsedBody(text, type);
  // What is no document is for the server to refuse.
  if (parsed === undefined) return { ...request, path, headers };
  const body = stringifyJson(renamed(parsed, PUBLIC_API, STORE_API));
  const contentType = type === "application/yaml" ? { "content-type": "application/json" } : {};
  return { ...request, path, headers: { ...headers, ...contentType }, body };
}

function parsedBody(text: string, type: string): unknown {
  try {
    return parseJson(text);
  } catch {
    if (!YAML_BODIES.has(type)) return undefined;
  }
  try {
    return parseYaml(text);
  } catch {
    return undefined;
  }
}

/** Answers are rewritten as JSON, so nothing else is asked for. */
function jsonOf(accept: string | undefined): string {
  const kept = (accept ?? "").split(",").filter((clause) => clause.trim().startsWith("application/json"));
  return kept.length === 0 ? "application/json" : kept.join(",");
}

async function renamedAnswer(answer: ApiResponse): Promise<ApiResponse> {
  const { "content-length": _length, ...headers } = answer.headers;
  if (!String(headers["content-type"] ?? "").startsWith("application/json")) return answer;
  const { status } = answer;
  if (answer.events !== undefined)
    return { status, headers, body: Buffer.alloc(0), events: renamedEvents(answer.events) };
  if (!(answer.body instanceof Uint8Array)) return { status, headers, body: renamedLines(answer.body) };
  const parsed: unknown = parseJson(Buffer.from(answer.body).toString("utf8"));
  return { status, headers, body: Buffer.from(stringifyJson(renamed(parsed, STORE_API, PUBLIC_API))) };
}

async function* renamedEvents(events: AsyncIterable<TransportEvent>): AsyncGenerator<TransportEvent> {
  for await (const event of events) {
    // Renaming keeps the shape.
    yield renamed(event, STORE_API, PUBLIC_API) as TransportEvent;
  }
}

/** One event of a watch a line; a chunk may hold part of a line or several. */
async function* renamedLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    rest = rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    const end = rest.lastIndexOf(10);
    if (end < 0) continue;
    const lines = rest.subarray(0, end).toString("utf8").split("\n");
    rest = rest.subarray(end + 1);
    const texts = lines
      .filter((line) => line !== "")
      .map((line) => stringifyJson(renamed(parseJson(line), STORE_API, PUBLIC_API)));
    yield Buffer.from(texts.map((text) => `${text}\n`).join(""));
  }
}

/**
 * A copy in which objects of one version are of the other: in themselves, in their managed fields, and as part of lists,
 * tables, events and patches. Texts of users stay as they are.
 */
export function renamed(value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map((each) => (isObject(each) ? renamedOperation(each, from, to) : each));
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = { ...value };
  if (copy["apiVersion"] === from) copy["apiVersion"] = to;
  if (copy["kind"] === "Status" && typeof copy["message"] === "string") {
    return JSON.parse(JSON.stringify(copy).replaceAll(from, to));
  }
  if (isObject(copy["metadata"])) copy["metadata"] = renamedMetadata(copy["metadata"], from, to);
  for (const field of ["items", "rows"]) {
    const list = copy[field];
    if (Array.isArray(list)) copy[field] = list.map((each) => renamed(each, from, to));
  }
  if (from === STORE_API && Array.isArray(copy["cells"])) copy["cells"] = printedCells(copy["cells"]);
  // Of a row of a table, and of an event.
  if (isObject(copy["object"])) copy["object"] = renamed(copy["object"], from, to);
  return copy;
}

/** Cells as Karmada prints them; a custom resource leaves out what is not there, and prints lists as JSON. */
function printedCells(cells: readonly unknown[]): readonly unknown[] {
  if (cells.length !== CELLS) return cells;
  return cells.map((cell, index) => {
    if (index === ZONES_CELL && typeof cell === "string" && cell.startsWith("[")) {
      const zones: unknown = JSON.parse(cell);
      if (Array.isArray(zones) && zones.length > 0) return zones.join(",");
      return NONE;
    }
    if (cell !== null && cell !== "") return cell;
    if (index === READY_CELL) return "Unknown";
    return index >= ZONES_CELL && index !== ENDPOINT_CELL ? NONE : "";
  });
}

function renamedMetadata(metadata: Readonly<Record<string, unknown>>, from: string, to: string): unknown {
  const entries = metadata["managedFields"];
  if (!Array.isArray(entries)) return metadata;
  return { ...metadata, managedFields: renamedEntries(entries, from, to) };
}

function renamedEntries(entries: readonly unknown[], from: string, to: string): unknown[] {
  return entries.map((entry) =>
    isObject(entry) && entry["apiVersion"] === from ? { ...entry, apiVersion: to } : entry,
  );
}

/** One operation of a JSON patch. */
function renamedOperation(operation: Readonly<Record<string, unknown>>, from: string, to: string): unknown {
  const { path, value } = operation;
  if (path === "/apiVersion" && value === from) return { ...operation, value: to };
  if (path === "" && isObject(value)) return { ...operation, value: renamed(value, from, to) };
  if (path === "/metadata" && isObject(value)) return { ...operation, value: renamedMetadata(value, from, to) };
  if (typeof path !== "string" || !path.startsWith("/metadata/managedFields")) return operation;
  if (Array.isArray(value)) return { ...operation, value: renamedEntries(value, from, to) };
  return { ...operation, value: renamedEntries([value], from, to)[0] };
}

/** Discovery in which the group has the public version, with what the store serves. */
async function renamedDiscovery(answer: ApiResponse): Promise<ApiResponse> {
  if (answer.status !== 200 || !(answer.body instanceof Uint8Array)) return answer;
  const document: unknown = parseJson(Buffer.from(answer.body).toString("utf8"));
  if (!isObject(document) || !Array.isArray(document["items"])) return answer;
  const items = document["items"].map((group) => {
    if (!isObject(group) || !isObject(group["metadata"]) || group["metadata"]["name"] !== CLUSTER_GROUP) return group;
    const versions = (Array.isArray(group["versions"]) ? group["versions"] : []).filter(isObject);
    const stored = versions.find(({ version }) => version === STORE_VERSION);
    if (stored === undefined) return group;
    const others = versions.filter(({ version }) => version !== PUBLIC_VERSION && version !== STORE_VERSION);
    return { ...group, versions: [{ ...stored, version: PUBLIC_VERSION }, ...others] };
  });
  const { "content-length": _length, ...headers } = answer.headers;
  return { status: 200, headers, body: Buffer.from(stringifyJson({ ...document, items })) };
}
