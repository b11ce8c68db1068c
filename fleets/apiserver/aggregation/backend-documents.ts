// The OpenAPI documents of another server, as far as they are about its group-version.
import { isObject, type JsonObject } from "../../../kube/object.ts";
import type { ApiServiceSpec } from "./api-service.ts";
import type { Backend } from "./backend.ts";
import type { RemoteDocuments } from "./remotes.ts";

const PATIENCE_MS = 30_000;
const REFERENCE = "#/definitions/";

/** Reads what changed; answers `known` itself when nothing did. Failures leave what is known. */
export async function readDocuments(
  spec: ApiServiceSpec,
  backend: Backend,
  known: RemoteDocuments,
): Promise<RemoteDocuments> {
  const v2 = await readV2(backend, known.v2).catch(() => known.v2);
  const v3 = await readV3(spec, backend, known.v3).catch(() => known.v3);
  return v2 === known.v2 && v3 === known.v3 ? known : { v2, v3 };
}

async function readV2(backend: Backend, known: RemoteDocuments["v2"]): Promise<RemoteDocuments["v2"]> {
  const condition: Record<string, string> =
    known === undefined || known.etag === "" ? {} : { "if-none-match": known.etag };
  const { status, headers, text } = await backend.read("/openapi/v2", condition, PATIENCE_MS);
  if (status === 304) return known;
  if (status !== 200) return undefined;
  const document: unknown = JSON.parse(text);
  if (!isObject(document) || !isObject(document["definitions"])) return undefined;
  // JSON throughout.
  const definitions = document["definitions"] as JsonObject;
  return { etag: String(headers["etag"] ?? ""), definitions };
}

async function readV3(
  spec: ApiServiceSpec,
  backend: Backend,
  known: RemoteDocuments["v3"],
): Promise<RemoteDocuments["v3"]> {
  const index = await backend.read("/openapi/v3", {}, PATIENCE_MS);
  if (index.status !== 200) return undefined;
  const parsed: unknown = JSON.parse(index.text);
  const paths = isObject(parsed) && isObject(parsed["paths"]) ? parsed["paths"] : {};
  const entry = paths[`apis/${spec.group}/${spec.version}`];
  const url =
    isObject(entry) && typeof entry["serverRelativeURL"] === "string" ? entry["serverRelativeURL"] : undefined;
  if (url === undefined || !url.startsWith("/openapi/v3/")) return undefined;
  if (known?.url === url && known.hash !== "") return known;
  const { status, text } = await backend.read(url, {}, PATIENCE_MS);
  if (status !== 200) return known;
  return { url, hash: new URLSearchParams(url.split("?")[1] ?? "").get("hash") ?? "", body: text };
}

/** Definitions that are needed for those of a group-version, by way of references. */
export function definitionsFor(spec: ApiServiceSpec, definitions: JsonObject): [name: string, schema: JsonObject][] {
  const needed = new Set<string>();
  const open = Object.entries(definitions)
    .filter(([, schema]) => isOfGroupVersion(schema, spec))
    .map(([name]) => name);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (needed.has(name) || !isObject(definitions[name])) continue;
    needed.add(name);
    open.push(...referencesIn(definitions[name]));
  }
  return [...needed].sort().map((name) => [name, definitions[name] as JsonObject]);
}

function isOfGroupVersion(schema: unknown, { group, version }: ApiServiceSpec): boolean {
  const kinds = isObject(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
  return (
    Array.isArray(kinds) &&
    kinds.some((each) => isObject(each) && each["group"] === group && each["version"] === version)
  );
}

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" && inner.startsWith(REFERENCE)
      ? [inner.slice(REFERENCE.length)]
      : referencesIn(inner),
  );
}
