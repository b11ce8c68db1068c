// The operations of a kind in an OpenAPI v3 document. kubectl reads from them which kind a path serves and whether it
// takes dryRun and fieldValidation.
import type { Json, JsonObject } from "../../../kube/object.ts";
import type { KindStrategy, SubresourceInfo } from "../registry/kind.ts";

function query(name: string, type: string, description: string): JsonObject {
  return { name, in: "query", description, schema: { type, uniqueItems: true } };
}

const DRY_RUN = query("dryRun", "string", "With `All` the change is checked and answered but not stored.");
const FIELD_MANAGER = query(
  "fieldManager",
  "string",
  "Name of the actor who makes the change, at most 128 characters.",
);
const FIELD_VALIDATION = query(
  "fieldValidation",
  "string",
  "What to do about unknown and duplicate fields: Ignore, Warn (the default) or Strict.",
);
const FORCE = query("force", "boolean", "Take over fields that other managers own. Apply patches only.");
const WRITE: readonly JsonObject[] = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];
const LIST: readonly JsonObject[] = [
  query("allowWatchBookmarks", "boolean", "Send bookmarks in a watch."),
  query("continue", "string", "Token of the next page, from the answer before."),
  query("fieldSelector", "string", "Selects objects by their fields."),
  query("labelSelector", "string", "Selects objects by their labels."),
  query("limit", "integer", "Most objects in one answer."),
  query("resourceVersion", "string", "Constrains which revision is read."),
  query("resourceVersionMatch", "string", "How resourceVersion is applied."),
  query("sendInitialEvents", "boolean", "Begin a watch with the present objects."),
  query("timeoutSeconds", "integer", "Ends the call after this time."),
  query("watch", "boolean", "Stream changes instead of a list."),
];
const NAME: JsonObject = { name: "name", in: "path", required: true, schema: { type: "string", uniqueItems: true } };
const NAMESPACE: JsonObject = { ...NAME, name: "namespace" };

const PATCH_TYPES = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];

interface OperationContext {
  readonly kind: KindStrategy;
  readonly gvk: JsonObject;
  readonly response: string;
  readonly listResponse: string;
}

function content(definition: string, types: readonly string[]): JsonObject {
  const schema = { $ref: `#/components/schemas/${definition}` };
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function answer(context: OperationContext, definition: string): JsonObject {
  const types = context.kind.custom
    ? ["application/json", "application/yaml"]
    : ["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"];
  return { description: "OK", content: content(definition, types) };
}

interface OperationSpec {
  readonly action: string;
  readonly description: string;
  readonly parameters: readonly JsonObject[];
  readonly body?: JsonObject;
  readonly definition: string;
  readonly codes: readonly string[];
}

function operation(context: OperationContext, spec: OperationSpec): JsonObject {
  const responses: JsonObject = {};
  for (const code of spec.codes) responses[code] = answer(context, spec.definition);
  responses["401"] = { description: "Unauthorized" };
  return {
    description: `${spec.description} ${context.kind.kind}`,
    parameters: [...spec.parameters],
    ...(spec.body === undefined ? {} : { requestBody: spec.body }),
    responses,
    "x-kubernetes-action": spec.action,
    "x-kubernetes-group-version-kind": context.gvk,
  };
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";

function objectBody(context: OperationContext): JsonObject {
  return { content: content(context.response, ["*/*"]), required: true };
}

function readOperation(context: OperationContext): JsonObject {
  const { response: definition } = context;
  return operation(context, { action: "get", description: "read the", parameters: [], definition, codes: ["200"] });
}

function replaceOperation(context: OperationContext): JsonObject {
  const { response: definition } = context;
  const body = objectBody(context);
  const codes = ["200", "201"];
  return operation(context, { action: "put", description: "replace the", parameters: WRITE, body, definition, codes });
}

function patchOperation(context: OperationContext): JsonObject {
  const types = context.kind.custom ? PATCH_TYPES : [...PATCH_TYPES, "application/strategic-merge-patch+json"];
  return operation(context, {
    action: "patch",
    description: "partially update the",
    parameters: [...WRITE, FORCE],
    body: { content: content(`${META}.Patch`, types), required: true },
    definition: context.response,
    codes: ["200", "201"],
  });
}

function deleteOperation(context: OperationContext, action: "delete" | "deletecollection"): JsonObject {
  return operation(context, {
    action,
    description: action === "delete" ? "delete a" : "delete a collection of",
    parameters: action === "delete" ? [DRY_RUN] : [DRY_RUN, ...LIST],
    body: { content: content(`${META}.DeleteOptions`, ["*/*"]) },
    definition: `${META}.Status`,
    codes: ["200"],
  });
}

function collectionItem(context: OperationContext, verbs: readonly string[]): JsonObject {
  const item: JsonObject = {};
  if (verbs.includes("list")) {
    const definition = context.listResponse;
    const spec = { action: "list", description: "list or watch objects of kind", parameters: LIST };
    item["get"] = operation(context, { ...spec, definition, codes: ["200"] });
  }
  if (verbs.includes("create")) {
    const spec = { action: "post", description: "create a", parameters: WRITE, body: objectBody(context) };
    item["post"] = operation(context, { ...spec, definition: context.response, codes: ["200", "201", "202"] });
  }
  if (verbs.includes("deletecollection")) item["delete"] = deleteOperation(context, "deletecollection");
  return item;
}

function objectItem(context: OperationContext, verbs: readonly string[]): JsonObject {
  const item: JsonObject = {};
  if (verbs.includes("get")) item["get"] = readOperation(context);
  if (verbs.includes("update")) item["put"] = replaceOperation(context);
  if (verbs.includes("patch")) item["patch"] = patchOperation(context);
  if (verbs.includes("delete")) item["delete"] = deleteOperation(context, "delete");
  return item;
}

function subresourceContext(context: OperationContext, sub: SubresourceInfo): OperationContext {
  const other = sub.responseKind;
  if (other === undefined) return context;
  const known: Readonly<Record<string, string>> = {
    Scale: "io.k8s.api.autoscaling.v1.Scale",
    Eviction: "io.k8s.api.policy.v1.Eviction",
    Binding: "io.k8s.api.core.v1.Binding",
    TokenRequest: "io.k8s.api.authentication.v1.TokenRequest",
  };
  return { ...context, gvk: { ...other }, response: known[other.kind] ?? `${META}.Status` };
}

/** The path items of a kind and its subresources, by path. `definition` names the schema of the kind. */
export function operationsOf(kind: KindStrategy, definition: string): JsonObject {
  const context: OperationContext = {
    kind,
    gvk: { group: kind.group, version: kind.version, kind: kind.kind },
    response: definition,
    listResponse: `${definition}List`,
  };
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const collection = kind.namespaced ? `${base}/namespaces/{namespace}/${kind.plural}` : `${base}/${kind.plural}`;
  const scope: Json[] = kind.namespaced ? [NAMESPACE] : [];
  const paths: JsonObject = {};
  const add = (path: string, item: JsonObject, parameters: Json[]): void => {
    if (Object.keys(item).length > 0) paths[path] = { ...item, parameters };
  };
  add(collection, collectionItem(context, kind.verbs), scope);
  add(`${collection}/{name}`, objectItem(context, kind.verbs), [NAME, ...scope]);
  if (kind.namespaced && kind.verbs.includes("list")) {
    add(`${base}/${kind.plural}`, collectionItem(context, ["list"]), []);
  }
  for (const sub of kind.subresources) {
    const inner = subresourceContext(context, sub);
    const create = sub.verbs.includes("create") ? { post: collectionItem(inner, ["create"])["post"] } : {};
    const item = { ...objectItem(inner, sub.verbs), ...create };
    add(`${collection}/{name}/${sub.name}`, item, [NAME, ...scope]);
  }
  return paths;
}
