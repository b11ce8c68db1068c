// Serves the OpenAPI documents of the registered kinds.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import type { JsonObject } from "../../../kube/object.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { definitionsFor } from "../aggregation/backend-documents.ts";
import type { Remotes } from "../aggregation/remotes.ts";
import type { ExtraPaths } from "../handlers/paths.ts";
import { type OpenApiDocument, openApiV3Document, openApiV3Index } from "../kinds/openapi.ts";
import { openApiHash, openApiV2Json, openApiV2Protobuf } from "../kinds/openapi-v2.ts";
import type { Registry } from "../registry/registry.ts";

type RequestHeaders = Readonly<Record<string, string>>;

interface CachedBody {
  readonly generation: string;
  readonly body: Buffer;
  readonly etag: string;
}

const V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const YEAR_S = 31_536_000;

/** Answers `/openapi/v2` and `/openapi/v3`. Documents are built when first asked for. */
export function createOpenApiPaths(registry: Registry, remotes: Remotes, clock: Clock): ExtraPaths {
  const cache = new Map<string, CachedBody>();
  const generationNow = (): string => `${registry.generation} ${remotes.generation}`;

  function cached(name: string, build: () => string | Uint8Array): CachedBody {
    const present = cache.get(name);
    if (present !== undefined && present.generation === generationNow()) return present;
    const body = Buffer.from(build() as string);
    const made = { generation: generationNow(), body, etag: `"${openApiHash(body)}"` };
    cache.set(name, made);
    return made;
  }

  function answerV2(headers: RequestHeaders): ApiResponse {
    const isProtobuf = (headers["accept"] ?? "").includes("proto-openapi.spec.v2");
    const document = isProtobuf
      ? cached("v2 protobuf", () => openApiV2Protobuf(registry.all(), remoteDefinitions(remotes)))
      : cached("v2 json", () => openApiV2Json(registry.all(), remoteDefinitions(remotes)));
    return answerCached(document, headers, {
      "content-type": isProtobuf ? V2_PROTOBUF : "application/json",
      vary: "Accept",
    });
  }

  return (path, headers, query) => {
    if (path === "/openapi/v2") return answerV2(headers);
    if (path === "/openapi/v3") {
      const index = cached("v3 index", () => openApiV3Index(registry.all(), remotePaths(remotes)));
      return answerCached(index, headers, {
        "cache-control": "no-cache, private",
        "content-type": "text/plain; charset=utf-8",
        "last-modified": new Date(clock.now()).toUTCString(),
      });
    }
    if (!path.startsWith("/openapi/v3/")) return undefined;
    const name = path.slice("/openapi/v3/".length);
    const remote = remotes.all().find(({ spec }) => name === `apis/${spec.group}/${spec.version}`)?.documents.v3;
    const document = remote ?? openApiV3Document(name, registry.all());
    return document === undefined ? undefined : answerV3(name, document, query.get("hash"), headers, clock);
  };
}

/** Where the documents of other servers are found, under the hashes that those give. */
function remotePaths(remotes: Remotes): Record<string, string> {
  const paths: Record<string, string> = {};
  for (const { spec, documents } of remotes.all()) {
    if (documents.v3 !== undefined) paths[`apis/${spec.group}/${spec.version}`] = documents.v3.hash;
  }
  return paths;
}

function remoteDefinitions(remotes: Remotes): [name: string, schema: JsonObject][] {
  return remotes
    .all()
    .flatMap(({ spec, documents }) =>
      documents.v2 === undefined ? [] : definitionsFor(spec, documents.v2.definitions),
    );
}

function answerCached(document: CachedBody, headers: RequestHeaders, extra: RequestHeaders): ApiResponse {
  const { etag, body } = document;
  if (headers["if-none-match"] !== etag) return { status: 200, headers: { ...extra, etag }, body };
  // There is no content to have a type.
  const { "content-type": _type, ...others } = extra;
  return { status: 304, headers: { ...others, etag }, body: Buffer.alloc(0) };
}

function answerV3(
  name: string,
  document: OpenApiDocument,
  hash: string | undefined,
  headers: RequestHeaders,
  clock: Clock,
): ApiResponse {
  const etag = `"${document.hash}"`;
  if (hash !== undefined && hash !== document.hash) {
    const location = `/openapi/v3/${name}?hash=${document.hash}`;
    return { status: 301, headers: { "cache-control": "no-cache, private", location }, body: Buffer.alloc(0) };
  }
  if (headers["if-none-match"] === etag) return { status: 304, headers: { etag }, body: Buffer.alloc(0) };
  const caching: RequestHeaders =
    hash === undefined
      ? { "cache-control": "no-cache, private" }
      : { "cache-control": "public, immutable", expires: new Date(clock.now() + YEAR_S * 1000).toUTCString() };
  return {
    status: 200,
    headers: { ...caching, "content-type": "application/json", vary: "Accept", etag },
    body: Buffer.from(document.body),
  };
}
