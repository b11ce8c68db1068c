// What Argo CD, Flux and Helm rely on, call by call, over the wire. Each of these was seen to fail a sync when it was missing.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LooseObject } from "../../../fleets/apiserver/test-server.ts";
import { eventually } from "../support/eventually.ts";
import { type ApiSession, openSession, type SessionAnswer } from "./api-session.ts";
import { type Endpoint, startEndpoint } from "./endpoint.ts";

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const OPENAPI_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const APPLY = { "content-type": "application/apply-patch+yaml" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

let endpoint: Endpoint;
let session: ApiSession;

beforeAll(async () => {
  endpoint = await startEndpoint();
  session = await openSession(endpoint.kubeconfig);
});

afterAll(async () => {
  await session?.close();
  await endpoint?.close();
});

function configMap(name: string, data: object = { a: "1" }) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

function apply(name: string, query: string, object: object = configMap(name)): Promise<SessionAnswer> {
  return session.call("PATCH", `${CONFIG_MAPS}/${name}?fieldManager=sync&force=true${query}`, object, APPLY);
}

function definition(group: string) {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Thing", plural: "things" },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
}

describe("discovery", () => {
  it("tells a version that clients can read", async () => {
    const { body } = await session.call("GET", "/version?timeout=32s");

    expect(String(body["gitVersion"])).toMatch(/^v1\.\d+\.\d+/);
    expect([String(body["major"]), String(body["minor"])]).toEqual(["1", expect.stringMatching(/^\d+$/)]);
  });

  it.each(["/api", "/apis"])("of %s is aggregated, and not sent again to those who have it", async (path) => {
    const accept = `${AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`;
    const first = await session.call("GET", path, undefined, { accept });
    const again = await session.call("GET", path, undefined, {
      accept,
      "if-none-match": String(first.headers["etag"]),
    });

    expect([first.status, first.headers["content-type"]]).toEqual([200, AGGREGATED]);
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  it("lists all verbs of a kind, and knows nothing of a group that is not there", async () => {
    const { body } = await session.call("GET", "/apis/apps/v1", undefined, { accept: "application/json, */*" });
    const resources = body["resources"] as unknown as { name: string; verbs: string[] }[];
    const unknown = await session.call("GET", "/apis/nothing.example.com/v1");

    const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    expect(resources.find(({ name }) => name === "deployments")?.verbs.toSorted()).toEqual(verbs);
    expect(unknown.status).toBe(404);
  });

  it("has OpenAPI v2 in protobuf, and 304 for those who have it", async () => {
    const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    const first = await session.call("GET", "/openapi/v2?timeout=32s", undefined, { accept });
    const etag = String(first.headers["etag"]);
    const again = await session.call("GET", "/openapi/v2", undefined, { accept, "if-none-match": etag });

    expect([first.status, first.headers["content-type"]]).toEqual([200, OPENAPI_V2]);
    expect(first.text).toContain("x-kubernetes-group-version-kind");
    expect([again.status, again.headers["content-type"]]).toEqual([304, undefined]);
  });

  it("has OpenAPI v3 whose patches take fieldValidation and dryRun", async () => {
    const index = JSON.parse((await session.call("GET", "/openapi/v3")).text) as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const document = await session.get(index.paths["apis/apps/v1"]?.serverRelativeURL ?? "");

    const patch = document["paths"]?.["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]?.["patch"];
    const parameters = patch?.["parameters"] as unknown as { name?: string; $ref?: string }[];
    const names = parameters.map(({ name, $ref }) => name ?? $ref ?? "");
    expect(names.some((name) => name.includes("fieldValidation"))).toBe(true);
    expect(names.some((name) => name.includes("dryRun"))).toBe(true);
    expect(patch?.["x-kubernetes-group-version-kind"]).toEqual({ group: "apps", kind: "Deployment", version: "v1" });
  });

  it("knows a definition's kind as soon as the definition was answered", async () => {
    const created = await session.create(CRDS, definition("sync.example.com"));
    const name = String(created["metadata"]?.["name"]);
    const group = await session.call("GET", "/apis/sync.example.com/v1");
    const live = await session.get(`${CRDS}/${name}`);

    expect(group.status).toBe(200);
    const conditions = live["status"]?.["conditions"] as unknown as { type: string; status: string }[];
    expect(conditions).toContainEqual(expect.objectContaining({ type: "Established", status: "True" }));
  });
});

describe("flow control", () => {
  it("is announced on every answer, by which Flux lifts its own limit", async () => {
    const ping = await session.call("HEAD", "/livez/ping");
    const missing = await session.call("GET", `${CONFIG_MAPS}/missing`);

    expect(ping.status).toBe(200);
    for (const { headers } of [ping, missing]) expect(headers["x-kubernetes-pf-flowschema-uid"]).toBeTruthy();
  });
});

describe("lists", () => {
  it("have a revision to watch from, page by page", async () => {
    for (const name of ["page-a", "page-b", "page-c"]) await session.create(CONFIG_MAPS, configMap(name));

    const first = await session.get(`${CONFIG_MAPS}?limit=2`);
    const second = await session.get(`${CONFIG_MAPS}?limit=2&continue=${first["metadata"]?.["continue"]}`);

    expect(String(first["metadata"]?.["resourceVersion"])).toMatch(/^[1-9]\d*$/);
    expect(second["metadata"]?.["resourceVersion"]).toBe(first["metadata"]?.["resourceVersion"]);
  });

  it("whose page is too old are refused with 410 and a token to go on", async () => {
    const first = await session.get(`${CONFIG_MAPS}?limit=1`);
    await session.create(CONFIG_MAPS, configMap("later"));
    endpoint.server.compact();

    const { status, body } = await session.call(
      "GET",
      `${CONFIG_MAPS}?limit=1&continue=${first["metadata"]?.["continue"]}`,
    );

    expect([status, body["reason"]]).toEqual([410, "Expired"]);
    expect(body["metadata"]?.["continue"]).toBeTruthy();
  });

  it("of Events are chosen by what they are about", async () => {
    const involvedObject = { kind: "ConfigMap", name: "page-a", namespace: "default", uid: "u-1" };
    const event = { apiVersion: "v1", kind: "Event", metadata: { name: "e1" }, involvedObject, reason: "Seen" };
    await session.create("/api/v1/namespaces/default/events", event);

    const selector = "involvedObject.name=page-a,involvedObject.uid=u-1,involvedObject.namespace=default";
    const found = await session.get(`/api/v1/namespaces/default/events?fieldSelector=${encodeURIComponent(selector)}`);

    expect((found["items"] as unknown as LooseObject[]).map((each) => each["metadata"]?.["name"])).toEqual(["e1"]);
  });
});

describe("a server-side dry run", () => {
  it("of an object that it would create answers 201 without a revision", async () => {
    const { status, body } = await apply("dry", "&dryRun=All");

    expect(status).toBe(201);
    expect(body["metadata"]?.["resourceVersion"]).toBeUndefined();
    expect(body["metadata"]?.["managedFields"]).toHaveLength(1);
    expect((await session.call("GET", `${CONFIG_MAPS}/dry`)).status).toBe(404);
  });

  it("of one that is there answers 200 with its revision and owners", async () => {
    const { body: live } = await apply("there", "");

    const { status, body } = await apply("there", "&dryRun=All", configMap("there", { a: "2" }));

    expect(status).toBe(200);
    expect(body["data"]).toEqual({ a: "2" });
    expect(body["metadata"]?.["resourceVersion"]).toBe(live["metadata"]?.["resourceVersion"]);
    expect(body["metadata"]?.["managedFields"]).toHaveLength(1);
  });

  it("in a namespace that is missing says so", async () => {
    const path = "/api/v1/namespaces/missing/configmaps/c?fieldManager=sync&dryRun=All";
    const { status, body } = await session.call("PATCH", path, configMap("c"), APPLY);

    expect([status, body["details"]?.["kind"], body["details"]?.["name"]]).toEqual([404, "namespaces", "missing"]);
  });
});

describe("server-side apply", () => {
  it("of what is there already writes nothing", async () => {
    const first = await apply("same", "");
    const again = await apply("same", "");

    expect(again.body).toEqual(first.body);
  });

  it("takes over the fields of a client-side apply by way of managedFields", async () => {
    const created = await session.call(
      "POST",
      `${CONFIG_MAPS}?fieldManager=kubectl-client-side-apply`,
      configMap("moved"),
    );
    const revision = String(created.body["metadata"]?.["resourceVersion"]);
    const owners = created.body["metadata"]?.["managedFields"] as unknown as object[] | undefined;
    const entries = [{ ...owners?.[0], manager: "sync", operation: "Apply" }];
    const patch = (value: string) => [
      { op: "replace", path: "/metadata/managedFields", value: entries },
      { op: "replace", path: "/metadata/resourceVersion", value },
    ];

    const stale = await session.call("PATCH", `${CONFIG_MAPS}/moved?fieldManager=sync`, patch("1"), JSON_PATCH);
    const moved = await session.call("PATCH", `${CONFIG_MAPS}/moved?fieldManager=sync`, patch(revision), JSON_PATCH);
    const applied = await apply("moved", "", configMap("moved", { b: "2" }));

    expect([stale.status, moved.status, applied.status]).toEqual([409, 200, 200]);
    expect(applied.body["data"]).toEqual({ b: "2" });
    const managers = applied.body["metadata"]?.["managedFields"] as unknown as { manager: string; operation: string }[];
    expect(managers.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual(["sync Apply"]);
  });

  it("with strict validation refuses fields that the kind does not have", async () => {
    const { status, body } = await apply("strict", "&fieldValidation=Strict", { ...configMap("strict"), dta: {} });

    expect([status, String(body["message"])]).toEqual([
      expect.any(Number),
      expect.stringMatching(/dta.*(field not declared in schema|unknown field)|unknown field "dta"/),
    ]);
    expect(status).toBeGreaterThanOrEqual(400);
  });
});

describe("replacing and pruning", () => {
  it("refuses to replace from an old revision", async () => {
    const old = await session.create(CONFIG_MAPS, configMap("replaced"));
    await session.merge(`${CONFIG_MAPS}/replaced`, { data: { a: "2" } });

    const { status, body } = await session.call("PUT", `${CONFIG_MAPS}/replaced`, old);

    expect([status, body["reason"]]).toEqual([409, "Conflict"]);
  });

  it("lets go of an object without dependents that is deleted in the foreground", async () => {
    await session.create(CONFIG_MAPS, configMap("pruned"));

    const { status, body } = await session.remove(`${CONFIG_MAPS}/pruned`, {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: "Foreground",
    });

    expect([status, body["metadata"]?.["finalizers"]]).toEqual([200, ["foregroundDeletion"]]);
    await session.untilGone(`${CONFIG_MAPS}/pruned`);
  });
});

describe("impersonation", () => {
  const impersonate = { "impersonate-user": "system:serviceaccount:default:deployer" };

  it("of a service account brings its groups along", async () => {
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const { body } = await session.call(
      "POST",
      "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      review,
      impersonate,
    );

    expect(body["status"]?.["userInfo"]?.["groups"]).toEqual(
      expect.arrayContaining(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]),
    );
  });

  it("is held to what the account may do", async () => {
    const refused = await session.call("GET", `${CONFIG_MAPS}/page-a`, undefined, impersonate);
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
    const subjects = [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "system:serviceaccounts:default" }];
    await session.create("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "accounts-view" },
      roleRef,
      subjects,
    });
    const allowed = await session.call("GET", `${CONFIG_MAPS}/page-a`, undefined, impersonate);

    expect([refused.status, refused.body["message"]]).toEqual([
      403,
      'configmaps "page-a" is forbidden: User "system:serviceaccount:default:deployer" cannot get resource "configmaps" in API group "" in the namespace "default"',
    ]);
    expect(allowed.status).toBe(200);
  });
});

describe("adding a cluster to Argo CD", () => {
  it("finds the token of the account in its Secret, and the token holds", async () => {
    const accounts = "/api/v1/namespaces/kube-system/serviceaccounts";
    const secrets = "/api/v1/namespaces/kube-system/secrets";
    const name = "argocd-manager";
    await session.create(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
    await session.create(secrets, {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/service-account-token",
      metadata: { name: `${name}-token`, annotations: { "kubernetes.io/service-account.name": name } },
    });

    const { data } = await session.until(
      `${secrets}/${name}-token`,
      (secret) => secret["data"]?.["token"] !== undefined,
    );

    const token = Buffer.from(String(data?.["token"]), "base64").toString();
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
    const { status } = await session.create("/apis/authentication.k8s.io/v1/tokenreviews", review);
    expect(status?.["authenticated"]).toBe(true);
    expect(String(status?.["user"]?.["username"])).toBe(`system:serviceaccount:kube-system:${name}`);
    expect(Buffer.from(String(data?.["namespace"]), "base64").toString()).toBe("kube-system");
    expect(Buffer.from(String(data?.["ca.crt"]), "base64").toString()).toContain("BEGIN CERTIFICATE");
    await session.remove(`${accounts}/${name}`);
    await eventually(async () => (await session.call("GET", `${secrets}/${name}-token`)).status === 404);
  });
});
