// The expected entries are those of a recorded kube-apiserver, without its times and ids.
import { afterEach, describe, expect, it } from "vitest";
import type { ApiRequest } from "../../../kube/client/transport.ts";
import { CONFIG_MAPS, configMap, settleControllers, startTestServer, type TestServer } from "../test-server.ts";
import { parseAuditPolicy } from "./policy-file.ts";

const ADMIN = { name: "admin", groups: ["system:masters", "system:authenticated"] };
let test: TestServer;
let lines: string[];

afterEach(async () => {
  await test.server.close();
});

async function start(rules: string, extra = ""): Promise<void> {
  lines = [];
  const policy = parseAuditPolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\n${extra}rules:\n${rules}`, "policy.yaml");
  test = await startTestServer({
    authorization: "rbac",
    audit: { policy, sink: { write: (line) => lines.push(line) > 0 }, confidential: ["example.com/works"] },
  });
  await settleControllers();
  lines.length = 0;
}

async function send(request: Partial<ApiRequest> & { path: string }): Promise<number> {
  const headers = { "audit-id": "id-1", "user-agent": "kubectl/v1", ...request.headers };
  const answer = await test.server.handle({ method: "GET", user: ADMIN, peer: "127.0.0.1", ...request, headers });
  return answer.status;
}

/** Entries without times. */
function entries(): Record<string, unknown>[] {
  return lines.map((line) => {
    expect(line.endsWith("\n")).toBe(true);
    const { requestReceivedTimestamp, stageTimestamp, ...rest } = JSON.parse(line) as Record<string, unknown>;
    expect(requestReceivedTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(stageTimestamp).toMatch(/Z$/);
    return rest;
  });
}

const COMMON = {
  kind: "Event",
  apiVersion: "audit.k8s.io/v1",
  auditID: "id-1",
  user: { username: "admin", groups: ["system:masters", "system:authenticated"] },
  sourceIPs: ["127.0.0.1"],
  userAgent: "kubectl/v1",
};
const ALLOWED = { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" };

describe("the audit log", () => {
  it("has a create with both bodies, stage by stage", async () => {
    await start("- {level: RequestResponse}");

    await send({
      method: "POST",
      path: `${CONFIG_MAPS}?fieldManager=me`,
      body: JSON.stringify(configMap("a", { x: "1" })),
    });

    const request = {
      ...COMMON,
      level: "RequestResponse",
      requestURI: `${CONFIG_MAPS}?fieldManager=me`,
      verb: "create",
      objectRef: { resource: "configmaps", namespace: "default", apiVersion: "v1" },
    };
    expect(entries()).toEqual([
      { ...request, stage: "RequestReceived" },
      {
        ...request,
        stage: "ResponseComplete",
        objectRef: { ...request.objectRef, name: "a" },
        responseStatus: { metadata: {}, code: 201 },
        requestObject: { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "a" }, data: { x: "1" } },
        responseObject: expect.objectContaining({
          kind: "ConfigMap",
          metadata: expect.objectContaining({ managedFields: expect.anything() }),
        }),
        annotations: ALLOWED,
      },
    ]);
  });

  it("has a patch as it was sent, and leaves managed fields out when told to", async () => {
    await start("- {level: RequestResponse, omitStages: [RequestReceived]}", "omitManagedFields: true\n");
    await send({ method: "POST", path: CONFIG_MAPS, body: JSON.stringify(configMap("a")) });
    const patch = { metadata: { labels: { l: "1" } } };

    await send({
      method: "PATCH",
      path: `${CONFIG_MAPS}/a`,
      body: JSON.stringify(patch),
      headers: { "content-type": "application/merge-patch+json" },
    });
    await send({ path: CONFIG_MAPS });

    const apply = "application/apply-patch+yaml";
    await send({
      method: "PATCH",
      path: `${CONFIG_MAPS}/yaml?fieldManager=me`,
      body: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}",
      headers: { "content-type": apply },
    });
    const jsonPatch = [{ op: "add", path: "/data", value: { x: "2" } }];
    await send({
      method: "PATCH",
      path: `${CONFIG_MAPS}/a`,
      body: JSON.stringify(jsonPatch),
      headers: { "content-type": "application/json-patch+json" },
    });
    await send({
      method: "DELETE",
      path: `${CONFIG_MAPS}/a`,
      body: JSON.stringify({ propagationPolicy: "Background" }),
    });

    const [, patched, listed, applied, jsonPatched, deleted] = entries();
    expect(applied).toMatchObject({
      requestObject: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "yaml" } },
    });
    expect(jsonPatched).toMatchObject({ requestObject: jsonPatch, responseStatus: { code: 200 } });
    expect(deleted).toMatchObject({
      requestObject: { kind: "DeleteOptions", apiVersion: "meta.k8s.io/__internal", propagationPolicy: "Background" },
      responseStatus: { status: "Success", code: 200 },
    });
    expect(patched).toMatchObject({
      verb: "patch",
      requestObject: patch,
      responseObject: { metadata: { labels: { l: "1" } } },
    });
    expect(listed).toMatchObject({ verb: "list", responseObject: { kind: "ConfigMapList" } });
    expect(JSON.stringify([patched, listed])).not.toContain("managedFields");
  });

  it("never has what is in secrets and tokens", async () => {
    await start("- {level: RequestResponse}");
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { password: "hunter2" } };

    await send({ method: "POST", path: "/api/v1/namespaces/default/secrets", body: JSON.stringify(secret) });
    await send({ path: "/api/v1/secrets" });
    await send({ path: "/api/v1/secrets?watch=1&access_token=hunter2" });

    expect(lines.length).toBeGreaterThanOrEqual(6);
    for (const entry of entries()) expect(entry["level"]).toBe("Metadata");
    expect(lines.join("")).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it("tells of a refusal with its reason, and who acted as whom", async () => {
    await start("- {level: Metadata, omitStages: [RequestReceived]}");

    await send({ path: `${CONFIG_MAPS}/a`, headers: { "impersonate-user": "bob" } });

    expect(entries()).toEqual([
      {
        ...COMMON,
        level: "Metadata",
        stage: "ResponseComplete",
        requestURI: `${CONFIG_MAPS}/a`,
        verb: "get",
        impersonatedUser: { username: "bob", groups: ["system:authenticated"] },
        authenticationMetadata: { impersonationConstraint: "impersonate:user-info" },
        objectRef: { resource: "configmaps", namespace: "default", name: "a", apiVersion: "v1" },
        responseStatus: {
          metadata: {},
          status: "Failure",
          message:
            'configmaps "a" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "default"',
          reason: "Forbidden",
          details: { name: "a", kind: "configmaps" },
          code: 403,
        },
        annotations: { "authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "" },
      },
    ]);
  });

  it("has a watch when it begins and when it ends", async () => {
    await start("- {level: RequestResponse}");
    const abort = new AbortController();

    await send({ path: `${CONFIG_MAPS}?watch=1`, signal: abort.signal });
    const begun = entries().map((entry) => entry["stage"]);
    abort.abort();

    expect(begun).toEqual(["RequestReceived", "ResponseStarted"]);
    expect(entries()[2]).toMatchObject({ verb: "watch", stage: "ResponseComplete", responseStatus: { code: 200 } });
  });

  it("has one entry for credentials that do not hold", async () => {
    await start("- {level: Metadata}");
    const request: ApiRequest = {
      method: "GET",
      path: "/api/v1/namespaces",
      peer: "10.0.0.9",
      headers: { "x-forwarded-for": "1.2.3.4, nonsense" },
    };

    test.server.reject(request, new Error("no"));

    expect(entries()).toEqual([
      expect.objectContaining({ stage: "ResponseStarted", user: {}, sourceIPs: ["1.2.3.4", "10.0.0.9"] }),
    ]);
  });

  it("adds what admission notes", async () => {
    lines = [];
    const policy = parseAuditPolicy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Metadata}", "p");
    test = await startTestServer({
      audit: { policy, sink: { write: (line) => lines.push(line) > 0 } },
      admission: [
        {
          handles: (kind) => kind.kind === "ConfigMap",
          validate: (request) => {
            request.annotate("example.com/why", "because");
            return [];
          },
        },
      ],
    });
    lines.length = 0;

    await send({ method: "POST", path: CONFIG_MAPS, body: JSON.stringify(configMap("a")) });

    expect(entries().at(-1)).toMatchObject({ annotations: { "example.com/why": "because" } });
  });

  it("tells of what nobody foresaw as a panic", async () => {
    lines = [];
    const policy = parseAuditPolicy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Metadata}", "p");
    test = await startTestServer({
      audit: { policy, sink: { write: (line) => lines.push(line) > 0 } },
      admission: [
        {
          handles: (kind) => kind.kind === "Lease",
          validate: () => {
            throw new TypeError("a bug");
          },
        },
      ],
    });
    lines.length = 0;
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "a" } };

    const path = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    expect(await send({ method: "POST", path, body: JSON.stringify(lease) })).toBe(500);

    expect(entries().at(-1)).toMatchObject({ stage: "Panic", responseStatus: { code: 500, reason: "InternalError" } });
  });

  it("leaves out lists that are made while they are sent, and says so", async () => {
    await start("- {level: RequestResponse, omitStages: [RequestReceived], verbs: [list]}");
    for (let i = 0; i < 300; i++)
      await send({ method: "POST", path: CONFIG_MAPS, body: JSON.stringify(configMap(`n${i}`)) });

    await send({ path: CONFIG_MAPS });

    const [entry] = entries();
    expect(entry).not.toHaveProperty("responseObject");
    expect(entry).toMatchObject({ annotations: { "audit.k8s.io/truncated": "true" } });
  });

  it("counts what the log has no room for, and answers all the same", async () => {
    const policy = parseAuditPolicy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Metadata}", "p");
    test = await startTestServer({ audit: { policy, sink: { write: () => false } } });

    expect(await send({ path: CONFIG_MAPS })).toBe(200);

    const answer = await test.server.handle({ method: "GET", path: "/metrics" });
    const text = Buffer.from(answer.body as Uint8Array).toString();
    expect(text).toMatch(/apiserver_audit_error_total\{plugin="log"\} [1-9]/);
    expect(text).toContain("apiserver_audit_event_total 0\n");
  });
});
