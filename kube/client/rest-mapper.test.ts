import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { discover, RestMapper } from "./rest-mapper.ts";
import { ApiStatusError, failureStatus, isAlreadyExists, isConflict, isGone } from "./status-error.ts";

let server: ApiServer;
beforeAll(async () => {
  server = await createApiServer({ name: "test", clock: new FakeClock(), logger: silentLogger });
});
afterAll(() => server.close());

describe("RestMapper", () => {
  it.each([
    ["v1", "Pod", { plural: "pods", namespaced: true }],
    ["v1", "Namespace", { plural: "namespaces", namespaced: false }],
    ["apps/v1", "Deployment", { plural: "deployments", group: "apps", shortNames: ["deploy"] }],
  ])("finds %s %s", async (apiVersion, kind, expected) => {
    expect(await new RestMapper(server.handle).get(apiVersion, kind)).toMatchObject(expected);
  });

  it("says where else the kind is", async () => {
    await expect(new RestMapper(server.handle).get("extensions/v1beta1", "Deployment")).rejects.toMatchObject({
      code: "api-kind-unknown",
      message: "there is no kind Deployment in extensions/v1beta1. Did you mean apps/v1?",
    });
  });

  it("reads discovery once for all who ask at the same time, and not again for what it knows", async () => {
    const asked: string[] = [];
    const mapper = new RestMapper((request) => {
      asked.push(request.path);
      return server.handle(request);
    });

    await Promise.all([mapper.get("v1", "Pod"), mapper.get("v1", "Secret"), mapper.all()]);
    await mapper.get("apps/v1", "Deployment");

    expect(asked).toEqual(["/api", "/apis"]);
  });

  it("tries again after a failure", async () => {
    let fails = true;
    const mapper = new RestMapper(async (request) => {
      if (fails) throw new Error("no answer");
      return server.handle(request);
    });
    await expect(mapper.get("v1", "Pod")).rejects.toThrow("no answer");
    fails = false;

    expect(await mapper.get("v1", "Pod")).toBeDefined();
  });
});

describe("discover", () => {
  it("tells which group-versions are stale", async () => {
    const items = [
      { metadata: { name: "metrics.k8s.io" }, versions: [{ version: "v1beta1", freshness: "Stale" }] },
      { metadata: { name: "apps" }, versions: [{ version: "v1", freshness: "Current", resources: [] }] },
    ];
    const transport = async ({ path }: { readonly path: string }) => ({
      status: 200,
      headers: {},
      body: Buffer.from(JSON.stringify({ items: path === "/apis" ? items : [] })),
    });

    expect(await discover(transport)).toEqual({ resources: [], stale: ["metrics.k8s.io/v1beta1"] });
  });

  it("says that a server is too old to tell all at once", async () => {
    const old = async () => ({
      status: 200,
      headers: {},
      body: Buffer.from('{"kind":"APIVersions","versions":["v1"]}'),
    });

    await expect(discover(old)).rejects.toMatchObject({ code: "api-discovery-unsupported", recovery: "stall" });
  });
});

describe("ApiStatusError", () => {
  const status = (code: number, reason = "") => new ApiStatusError({ code, reason, message: "m" }, "GET /x");

  it.each([
    [401, "api-unauthorized", "retry"],
    [403, "api-forbidden", "retry"],
    [404, "api-not-found", "retry"],
    [409, "api-conflict", "retry"],
    [410, "api-gone", "retry"],
    [422, "api-invalid", "stall"],
    [429, "api-throttled", "retry"],
    [400, "api-refused", "stall"],
    [503, "api-server-error", "retry"],
  ])("of %i has code %s, to be dealt with by %s", (code, expected, recovery) => {
    expect(status(code)).toMatchObject({ code: expected, recovery });
  });

  it("tells a conflict from a name that is taken", () => {
    expect([isConflict(status(409, "Conflict")), isAlreadyExists(status(409, "Conflict"))]).toEqual([true, false]);
    expect([isConflict(status(409, "AlreadyExists")), isAlreadyExists(status(409, "AlreadyExists"))]).toEqual([
      false,
      true,
    ]);
    expect([isGone(status(410)), isGone(new Error("410"))]).toEqual([true, false]);
  });

  it("is made of a Status, and of whatever a proxy answers", () => {
    const body = Buffer.from(JSON.stringify({ kind: "Status", code: 404, reason: "NotFound", message: "not here" }));

    expect(failureStatus(404, body)).toMatchObject({ code: 404, reason: "NotFound", message: "not here" });
    expect(failureStatus(502, Buffer.from("<html>Bad Gateway</html>"))).toEqual({
      code: 502,
      reason: "",
      message: "the server answered 502: <html>Bad Gateway</html>",
    });
  });
});
