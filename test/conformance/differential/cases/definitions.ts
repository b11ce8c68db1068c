// Definitions of custom resources with random structural schemas, their faults, and objects of them.
import type { Json, JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";
import { type DifferentialCase, type DifferentialStep, patch, send } from "../differential-case.ts";
import { DEFINITION_FAULTS, DOUBTFUL_SCHEMAS } from "./definition-faults.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const FORMATS = [
  "date",
  "date-time",
  "ipv4",
  "ipv6",
  "cidr",
  "uri",
  "email",
  "uuid",
  "byte",
  "duration",
  "hostname",
  "mac",
  "password",
  "unknown",
  "int32",
  "int64",
];

function leaf(random: Random): JsonObject {
  const type = random.pick(["string", "string", "integer", "number", "boolean"]);
  const out: JsonObject = { type };
  if (type === "string") {
    if (random.chance(0.3)) out["format"] = random.pick(FORMATS);
    if (random.chance(0.2)) out["enum"] = ["a", "b"];
    if (random.chance(0.15)) out["pattern"] = random.pick(["^[a-z]+$", "^.{2,}$", "a|b"]);
    if (random.chance(0.15)) out["minLength"] = 1;
    if (random.chance(0.15)) out["maxLength"] = 3;
    if (random.chance(0.2)) out["default"] = "a";
  } else if (type !== "boolean") {
    if (random.chance(0.3))
      out["format"] = type === "integer" ? random.pick(["int32", "int64"]) : random.pick(["float", "double"]);
    if (random.chance(0.2)) out["minimum"] = random.below(3);
    if (random.chance(0.2)) out["maximum"] = 3 + random.below(5);
    if (random.chance(0.1)) out["exclusiveMinimum"] = true;
    if (random.chance(0.1)) out["multipleOf"] = random.pick([2, 0.5]);
    if (random.chance(0.2)) out["default"] = 2;
  } else if (random.chance(0.2)) out["default"] = true;
  if (random.chance(0.15)) out["nullable"] = true;
  return out;
}

function list(random: Random, depth: number): JsonObject {
  const items = schema(random, depth + 1);
  const out: JsonObject = { type: "array", items };
  const isLeaf =
    items["type"] !== "object" &&
    items["type"] !== "array" &&
    items["type"] !== undefined &&
    items["nullable"] !== true;
  if (isLeaf && random.chance(0.4)) out["x-kubernetes-list-type"] = "set";
  else if (items["type"] === "object" && items["properties"] !== undefined && random.chance(0.5)) {
    (items["properties"] as JsonObject)["id"] = { type: "string" };
    items["required"] = [...new Set([...((items["required"] as string[]) ?? []), "id"])];
    delete items["nullable"];
    delete items["default"];
    out["x-kubernetes-list-type"] = "map";
    out["x-kubernetes-list-map-keys"] = ["id"];
  } else if (random.chance(0.2)) out["x-kubernetes-list-type"] = "atomic";
  if (random.chance(0.15)) out["minItems"] = 1;
  if (random.chance(0.15)) out["maxItems"] = 2;
  return out;
}

function schema(random: Random, depth: number): JsonObject {
  const choice = random.next();
  if (depth > 2 || choice < 0.45) return leaf(random);
  if (choice < 0.6) return list(random, depth);
  if (choice < 0.68) return { type: "object", additionalProperties: schema(random, depth + 1) };
  if (choice < 0.73) return { "x-kubernetes-int-or-string": true };
  if (choice < 0.78) return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  if (choice < 0.82) return { "x-kubernetes-preserve-unknown-fields": true };
  if (choice < 0.86)
    return { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true };
  return object(random, depth);
}

function object(random: Random, depth: number): JsonObject {
  const names = random.some(["a", "b", "c", "d", "e"], 1);
  const properties: JsonObject = {};
  for (const name of names) properties[name] = schema(random, depth + 1);
  const out: JsonObject = { type: "object", properties };
  if (random.chance(0.3)) out["required"] = random.some(names, 1);
  if (random.chance(0.1)) out["maxProperties"] = 2;
  if (random.chance(0.1)) out["nullable"] = true;
  if (random.chance(0.12)) out["anyOf"] = names.map((name) => ({ required: [name] }));
  if (random.chance(0.08)) out["oneOf"] = names.map((name) => ({ required: [name] }));
  if (random.chance(0.08)) out["not"] = { required: [random.pick(names)] };
  if (random.chance(0.1)) out["x-kubernetes-map-type"] = "atomic";
  return out;
}

interface Made {
  readonly definition: JsonObject;
  readonly spec: JsonObject;
}

function definition(random: Random): Made {
  const spec = object(random, 0);
  delete spec["nullable"];
  const properties: JsonObject = {
    spec,
    status: { type: "object", properties: { n: { type: "integer" }, s: { type: "string" } } },
  };
  const version: JsonObject = {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: "object", properties } },
  };
  if (random.chance(0.4)) version["subresources"] = { status: {} };
  if (random.chance(0.4)) {
    version["additionalPrinterColumns"] = random.some<JsonObject>(
      [
        { name: "A", type: "string", jsonPath: ".spec.a" },
        { name: "B", type: "integer", jsonPath: ".spec.b", priority: 1 },
        { name: "C", type: "date", jsonPath: ".metadata.creationTimestamp" },
        { name: "D", type: "boolean", jsonPath: ".spec.c" },
        { name: "E", type: "number", jsonPath: ".spec.d" },
        { name: "F", type: "string", jsonPath: ".spec.e[*].id", description: "ids" },
      ],
      1,
    );
  }
  const names = {
    plural: "things",
    kind: "Thing",
    ...(random.chance(0.3) ? { singular: "thing", shortNames: ["th{id}"], categories: ["all"] } : {}),
  };
  return {
    spec,
    definition: {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "things.x{id}.example.io" },
      spec: { group: "x{id}.example.io", scope: "Namespaced", names, versions: [version] },
    },
  };
}

const ODD: readonly Json[] = [
  null,
  0,
  1,
  -3,
  7,
  2.5,
  "",
  "a",
  "b",
  "zzzz",
  "2024-01-01",
  "1.2.3.4",
  true,
  [],
  {},
  ["a", "a"],
  [1],
  [null],
  { a: 1 },
  { id: "x" },
  [{ id: "x" }, { id: "x" }],
  [{}],
];

function randomValue(random: Random, node: JsonObject, depth: number): Json {
  if (random.chance(0.12)) return random.pick(ODD);
  if (node["x-kubernetes-embedded-resource"] === true) {
    return random.pick<Json>([
      { apiVersion: "v1", kind: "Pod", metadata: { name: "p", labels: { a: "b" }, unknown: 1 } },
      { kind: "Pod" },
      { apiVersion: "v1", kind: "X", metadata: { name: "B_", labels: 1 } },
    ]);
  }
  switch (node["type"]) {
    case "string":
      return random.pick<Json>([
        "a",
        "b",
        "ab",
        "abcd",
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "1.2.3.4",
        "::1",
        "10.0.0.0/8",
        "http://x.y",
        "x@y.z",
        "YQ==",
        "5m",
        "00:11:22:33:44:55",
      ]);
    case "integer":
      return random.pick<Json>([0, 1, 2, 4, 9, 3_000_000_000, -1]);
    case "number":
      return random.pick<Json>([0.5, 1, 2, 7.25]);
    case "boolean":
      return random.chance(0.5);
    case "array": {
      const items = node["items"] as JsonObject;
      return Array.from({ length: random.below(4) }, () => randomValue(random, items, depth + 1));
    }
    case "object": {
      const out: JsonObject = {};
      const properties = node["properties"] as JsonObject | undefined;
      for (const [name, child] of Object.entries(properties ?? {})) {
        if (random.chance(0.7))
          out[name] = name === "id" ? random.pick(["x", "y"]) : randomValue(random, child as JsonObject, depth + 1);
      }
      const more = node["additionalProperties"];
      if (typeof more === "object" && more !== null) out["k"] = randomValue(random, more as JsonObject, depth + 1);
      if (random.chance(0.15)) out["unknown"] = random.pick(ODD);
      return out;
    }
    default:
      return random.pick(ODD);
  }
}

/** A definition, and objects of it in many shapes. */
export function customObjects(random: Random): DifferentialCase {
  const { definition: body, spec } = definition(random);
  const path = "/apis/x{id}.example.io/v1/namespaces/{ns}/things";
  const steps: DifferentialStep[] = [
    send("POST", DEFINITIONS, body),
    { ...send("GET", path), poll: { code: 200 }, silent: true },
    // A real server answers 429 while it begins to serve the kind.
    {
      ...send("POST", `${path}?dryRun=All`, {
        apiVersion: "x{id}.example.io/v1",
        kind: "Thing",
        metadata: { name: "BAD" },
      }),
      poll: { code: 422 },
      silent: true,
    },
  ];
  for (let at = 0; at < 10; at++) {
    const thing = {
      apiVersion: "x{id}.example.io/v1",
      kind: "Thing",
      metadata: { name: `t${at}` },
      spec: randomValue(random, spec, 0),
    };
    const query = random.pick(["", "", "?fieldValidation=Strict", "?dryRun=All"]);
    const action = random.next();
    if (action < 0.6) steps.push(send("POST", `${path}${query}`, thing));
    else if (action < 0.8)
      steps.push(
        patch("apply", `${path}/s?fieldManager=${random.pick(["a", "b"])}${random.chance(0.3) ? "&force=true" : ""}`, {
          ...thing,
          metadata: { name: "s" },
        }),
      );
    else steps.push(patch("merge", `${path}/s?fieldManager=m`, { spec: randomValue(random, spec, 0) }));
  }
  steps.push(
    send("GET", path),
    send("GET", path, undefined, { Accept: "application/json;as=Table;v=v1;g=meta.k8s.io" }),
  );
  steps.push(send("GET", "/apis/x{id}.example.io/v1"), send("GET", `${DEFINITIONS}/things.x{id}.example.io`));
  return { steps: [...steps, { ...send("DELETE", `${DEFINITIONS}/things.x{id}.example.io`), silent: true }] };
}

/** Registrations that are refused, or should be. */
export function faultyDefinition(random: Random): DifferentialCase {
  const { definition: body } = definition(random);
  const spec = body["spec"] as JsonObject;
  const version = (spec["versions"] as JsonObject[])[0]!;
  const root = (version["schema"] as JsonObject)["openAPIV3Schema"] as JsonObject;
  const properties = root["properties"] as JsonObject;
  properties["spec"] = { type: "object", properties: { a: { type: "string" }, x: { type: "integer" } } };
  if (random.chance(0.5)) random.pick(DEFINITION_FAULTS)(random, spec, version, root);
  if (random.chance(0.6))
    ((properties["spec"] as JsonObject)["properties"] as JsonObject)["q"] = random.pick(DOUBTFUL_SCHEMAS);
  if (random.chance(0.1))
    (body["metadata"] as JsonObject)["name"] = random.pick([
      "other.x{id}.example.io",
      "things",
      "Things.x{id}.example.io",
    ]);
  return {
    steps: [
      send("POST", `${DEFINITIONS}${random.pick(["", "", "?fieldValidation=Strict"])}`, body),
      { ...send("DELETE", `${DEFINITIONS}/things.x{id}.example.io`), silent: true },
    ],
  };
}
