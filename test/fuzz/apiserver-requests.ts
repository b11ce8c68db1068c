// Whole requests against a live server: several kinds, a custom resource, roles, and whatever a client may send.
import { createApiServer } from "../../fleets/apiserver/server.ts";
import type { ApiRequest, ApiResponse } from "../../kube/client/transport.ts";
import { equalJson, isObject, type JsonObject } from "../../kube/object.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import type { Random } from "../../runtime/random.ts";
import type { FuzzInput, FuzzTarget } from "./fuzz-target.ts";
import { HOSTILE_KEYS, mutateText, randomJson, randomObject, randomText } from "./random.ts";
import { encodeProtobuf, randomBody } from "./typed-bodies.ts";

const WIDGETS = "/apis/fuzz.example.com/v1/namespaces/default/widgets";
const PATHS = [
  ...["/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/secrets"],
  ...["/api/v1/namespaces/default/services", "/apis/apps/v1/namespaces/default/deployments", WIDGETS, WIDGETS],
  ...["/api/v1/namespaces", "/apis/rbac.authorization.k8s.io/v1/clusterroles"],
  ...["/apis/apiextensions.k8s.io/v1/customresourcedefinitions"],
];
const QUESTIONS = [
  ...["/", "/api", "/apis", "/version", "/openapi/v2", "/openapi/v3", "/openapi/v3/apis/apps/v1", "/healthz?verbose"],
  ...["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/apis/authentication.k8s.io/v1/tokenreviews"],
  ...["/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "/.well-known/openid-configuration"],
  ...["/api/v1/namespaces/default/serviceaccounts/default/token", "/api/v1/watch/namespaces/default/configmaps"],
];
const NAMES = ["a", "b", "fuzz", "..", "%2F", "%00", "a%2Fb", "x".repeat(300), ...HOSTILE_KEYS];
const SUBRESOURCES = [
  "",
  "",
  "",
  "/status",
  "/scale",
  "/log",
  "/eviction",
  "/binding",
  "/finalize",
  "/bogus",
  "/proxy/x",
];
const CONTENT_TYPES = [
  ...["application/json", "application/json", "application/yaml", "application/merge-patch+json", "text/plain", ""],
  ...["application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"],
  ...["application/vnd.kubernetes.protobuf", "application/json;charset=utf-8", "application/cbor"],
];
const ACCEPTS = [
  ...["", "*/*", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/html", "garbage"],
  ...["application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"],
  ...["application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"],
];
const QUERIES = [
  ...[
    "dryRun=All",
    "dryRun=Foo",
    "fieldManager=f",
    "fieldManager=%00",
    "force=true",
    "limit=1",
    "limit=-1",
    "continue=x",
  ],
  ...["continue=bnVsbA", "resourceVersion=0", "resourceVersion=abc", "labelSelector=a%20in%20(b)", "labelSelector=!!"],
  ...[
    "fieldSelector=metadata.name=a",
    "fieldSelector=%5C",
    "fieldValidation=Strict",
    "pretty=1",
    "includeObject=Object",
  ],
  ...[
    "propagationPolicy=Foreground",
    "gracePeriodSeconds=0",
    "timeoutSeconds=1",
    "resourceVersionMatch=Exact",
    "x=%ff",
  ],
  ...["resourceVersion=1", "resourceVersionMatch=NotOlderThan", "orphanDependents=true", "fieldValidation=Ignore"],
];
const HEADERS: readonly (readonly [string, string])[] = [
  ["impersonate-user", "alice"],
  ["impersonate-user", ""],
  ["impersonate-group", "system:masters"],
  ["impersonate-extra-%zz", "x"],
  ["impersonate-uid", "1"],
  ["authorization", "Bearer a.b.c"],
  ["authorization", "Bearer e30.e30.e30"],
  ["user-agent", "\u0001/x"],
  ["if-none-match", "*"],
];

/** 500s that the reference answers too: their text or its beginning. */
const MEANT = [
  "failed to create typed patch object",
  "failed to create manager for existing fields",
  "resourceVersion should not be set on objects to be created",
  "strconv.ParseUint: parsing",
  "cannot merge lists without merge key",
  "unknown patch type",
  "merging lists cannot yet",
  "does not contain declared merge key",
  "expected a ",
  "The order in patch list",
  "list element types are not identical",
  "no elements in any of the given slices",
  "map: map[",
  "unable to convert unstructured object",
  "failed to convert",
  "no corresponding type",
];

const CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.fuzz.example.com" },
  spec: {
    group: "fuzz.example.com",
    names: { plural: "widgets", kind: "Widget" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
        additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.items[*].size" }],
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: {
                  replicas: { type: "integer", default: 1, minimum: 0 },
                  text: { type: "string", pattern: "^(a+)+$", maxLength: 100 },
                  any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                  items: {
                    type: "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    items: {
                      type: "object",
                      required: ["name"],
                      properties: { name: { type: "string" }, size: { type: "integer" } },
                    },
                  },
                },
              },
              status: { type: "object", properties: { replicas: { type: "integer" } } },
            },
          },
        },
      },
    ],
  },
};

function widget(random: Random): JsonObject {
  return {
    apiVersion: "fuzz.example.com/v1",
    kind: "Widget",
    metadata: { name: random.pick(["a", "b"]) },
    spec: {
      replicas: random.pick([1, 2, -1]),
      ...(random.chance(0.5) ? { any: randomObject(random, 3) } : {}),
      ...(random.chance(0.5) ? { text: random.pick(["a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"]) } : {}),
      ...(random.chance(0.5)
        ? { items: random.list(3, () => ({ name: random.pick(["x", "y"]), size: random.pick([1, 2]) })) }
        : {}),
    },
  };
}

function randomContent(random: Random): JsonObject {
  const roll = random.below(5);
  if (roll === 0) return randomObject(random, 4);
  if (roll <= 2) return widget(random);
  const { object } = randomBody(random, random.pick([0, 0.02]));
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  object["metadata"] = { ...(metadata as JsonObject), name: random.pick(["a", "b"]) };
  if (random.chance(0.7)) delete object["metadata"]["resourceVersion"];
  if (random.chance(0.7)) delete object["metadata"]["namespace"];
  return object;
}

function randomPatch(random: Random): string {
  const path = random.pick([
    "/metadata/labels",
    "/spec",
    "/spec/replicas",
    "/data",
    "/metadata/name",
    "",
    "/kind",
    "/-",
  ]);
  return JSON.stringify([
    {
      op: random.pick(["add", "remove", "replace", "test", "copy", "move"]),
      path,
      from: "/metadata",
      value: randomJson(random, 3),
    },
  ]);
}

function randomRequest(random: Random): JsonObject {
  const collection = random.chance(0.15) ? random.pick(QUESTIONS) : random.pick(PATHS);
  const method = random.pick(["GET", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD"]);
  const named = method !== "POST" && random.chance(0.8);
  const path = `${collection}${named ? `/${random.chance(0.7) ? random.pick(["a", "b"]) : random.pick(NAMES)}${random.pick(SUBRESOURCES)}` : ""}`;
  const query = random.list(3, () => random.pick(QUERIES)).join("&");
  const headers: Record<string, string> = {};
  const type = random.pick(CONTENT_TYPES);
  if (type !== "") headers["content-type"] = type;
  const accept = random.pick(ACCEPTS);
  if (accept !== "" && random.chance(0.4)) headers["accept"] = accept;
  if (random.chance(0.1)) {
    const [name, value] = random.pick(HEADERS);
    headers[name] = value;
  }
  let body = type === "application/json-patch+json" ? randomPatch(random) : JSON.stringify(randomContent(random));
  if (type.includes("protobuf")) body = `base64:${Buffer.from(encodeProtobuf(randomBody(random))).toString("base64")}`;
  else if (random.chance(0.15)) body = mutateText(random, body, ["{", "}", "null", '"', ",", randomText(random)]);
  // A watch has no end.
  return { method, path: query === "" ? path : `${path}?${query}`, headers, ...(method === "GET" ? {} : { body }) };
}

function requestOf(input: JsonObject): ApiRequest | undefined {
  const { method, path, headers, body } = input;
  if (typeof method !== "string" || typeof path !== "string" || !path.startsWith("/")) return undefined;
  const given = isObject(headers) ? Object.entries(headers).filter(([, value]) => typeof value === "string") : [];
  const text = typeof body === "string" ? body : undefined;
  return {
    method,
    path,
    // Filtered above.
    headers: Object.fromEntries(given) as Record<string, string>,
    ...(text === undefined
      ? {}
      : { body: text.startsWith("base64:") ? Buffer.from(text.slice("base64:".length), "base64") : text }),
  };
}

/** A server that many sequences of requests use one after the other; its objects are removed in between. */
export async function openRequestTarget(): Promise<FuzzTarget> {
  const clock = new FakeClock();
  const errors: string[] = [];
  const logger = {
    ...silentLogger,
    error: (_message: string, fields?: object) => void errors.push(JSON.stringify(fields)),
  };
  const server = await createApiServer({ name: "fuzz", clock, logger, authorization: "rbac" });
  await server.handle({ method: "POST", path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", object: CRD });
  await clock.advance(1000);

  async function get(path: string): Promise<JsonObject> {
    const answer = await server.handle({ method: "GET", path });
    const text = answer.body instanceof Uint8Array ? Buffer.from(answer.body).toString() : "";
    return text.startsWith("{") ? (JSON.parse(text) as JsonObject) : { text };
  }

  async function checkAnswer(request: ApiRequest, answer: ApiResponse): Promise<string | undefined> {
    if (!(answer.body instanceof Uint8Array)) return closeStream(answer.body);
    const text = Buffer.from(answer.body).toString();
    const isJson = String(answer.headers["content-type"] ?? "").startsWith("application/json");
    const parsed: unknown = isJson && request.method !== "HEAD" ? JSON.parse(text) : undefined;
    if (answer.status < 500 || answer.status === 501 || answer.status === 504) return undefined;
    const message = isObject(parsed) ? String(parsed["message"]) : text;
    return MEANT.some((words) => message.includes(words)) ? undefined : `answer ${answer.status}: ${message}`;
  }

  async function checkRequest(request: ApiRequest): Promise<string | undefined> {
    errors.length = 0;
    const pending = server.handle(request);
    let done = false;
    const finished = pending.finally(() => {
      done = true;
    });
    // A request for a revision to come waits on the clock.
    for (let turn = 0; turn < 3 && !done; turn++) await clock.advance(1000);
    const problem = await checkAnswer(request, await finished);
    return problem ?? (errors.length > 0 ? `logged an error: ${errors[0]}` : undefined);
  }

  /** Whether an object that a failed write was about is what it was. */
  async function isUntouched(request: ApiRequest, before: JsonObject): Promise<boolean> {
    return request.method === "GET" || equalJson(before, await get(objectPath(request.path)));
  }

  return {
    name: "request",
    mostMs: 50,
    generate: (random) => Array.from({ length: 1 + random.below(4) }, () => randomRequest(random)),
    async check(input: FuzzInput) {
      if (!Array.isArray(input)) return undefined;
      try {
        for (const each of input) {
          const request = isObject(each) ? requestOf(each as JsonObject) : undefined;
          if (request === undefined || /[?&]watch|\/watch\//.test(request.path)) continue;
          const before = await get(objectPath(request.path));
          const problem = await checkRequest(request);
          if (problem !== undefined) return problem;
          const answer = await server.handle({ method: "GET", path: objectPath(request.path) });
          if (request.path.includes("dryRun=All") && !(await isUntouched(request, before)) && answer.status === 200)
            return `stored: a dry run changed ${request.path}`;
        }
        return await checkStored();
      } finally {
        for (const path of PATHS.slice(0, 7))
          await server.handle({ method: "DELETE", path: `${path}?gracePeriodSeconds=0` });
      }
    },
    close: () => server.close(),
  };

  /** What is stored is what its kind accepts: a PUT of what was read changes nothing. */
  async function checkStored(): Promise<string | undefined> {
    for (const path of PATHS.slice(0, 6)) {
      const list = await get(path);
      for (const item of Array.isArray(list["items"]) ? list["items"] : []) {
        if (!isObject(item)) continue;
        const metadata = item["metadata"] as JsonObject;
        if (metadata["deletionTimestamp"] !== undefined) continue;
        const own = `${path}/${String(metadata["name"])}`;
        const object = await get(own);
        const answer = await server.handle({ method: "PUT", path: `${own}?fieldValidation=Strict`, object });
        const text = Buffer.from(answer.body as Uint8Array).toString();
        if (answer.status !== 200) return `stored object: cannot be written again, ${text}`;
        const after = JSON.parse(text) as JsonObject;
        if ((after["metadata"] as JsonObject)["resourceVersion"] !== metadata["resourceVersion"])
          return `stored object: changes when written again, ${own}: ${JSON.stringify(object)} ${text}`;
      }
    }
    return undefined;
  }
}

async function closeStream(body: AsyncIterable<Uint8Array>): Promise<undefined> {
  await body[Symbol.asyncIterator]().return?.();
  return undefined;
}

function objectPath(path: string): string {
  const bare = path.split("?")[0] ?? path;
  const parts = bare.split("/");
  const at = parts.indexOf("default");
  return at >= 0 ? parts.slice(0, at + 3).join("/") : bare;
}
