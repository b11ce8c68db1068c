import { describe, expect, it } from "vitest";
import { type GatedRequest, gateRequest } from "./request-gate.ts";

const APPLY = "application/apply-patch+yaml";

function get(path: string): GatedRequest {
  return gateRequest({ method: "GET", path, contentType: undefined });
}

function apply(path: string, contentType = APPLY): GatedRequest {
  return gateRequest({ method: "PATCH", path, contentType });
}

function pathOf(gated: GatedRequest): string | undefined {
  return gated.kind === "refused" ? undefined : `${gated.kind} ${gated.path}`;
}

describe("gateRequest", () => {
  it.each([
    ["/api", "/api"],
    ["/apis", "/apis"],
    ["/api/v1/secrets?limit=250", "/api/v1/secrets?limit=250"],
    ["/api/v1/namespaces/shop", "/api/v1/namespaces/shop"],
    ["/api/v1/namespaces/shop/secrets/db", "/api/v1/namespaces/shop/secrets/db"],
    ["/apis/apps/v1/namespaces/shop/deployments", "/apis/apps/v1/namespaces/shop/deployments?limit=500"],
    ["/apis/apps/v1/deployments?limit=9000", "/apis/apps/v1/deployments?limit=500"],
    [
      "/apis/apps/v1/deployments?labelSelector=a%3Db&continue=x%2By",
      "/apis/apps/v1/deployments?labelSelector=a%3Db&continue=x%2By&limit=500",
    ],
    [
      "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
      "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    ],
  ])("lets %s be read", (path, sent) => {
    expect(pathOf(get(path))).toBe(`read ${sent}`);
  });

  it("lets the server say what it would make of an object", () => {
    const sent = "dry-run /apis/apps/v1/namespaces/shop/deployments/web?fieldManager=flaghoist&dryRun=All&force=true";

    expect(
      pathOf(apply("/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=flaghoist&dryRun=All&force=true")),
    ).toBe(sent);
    expect(pathOf(apply("/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=somebody"))).toBe(sent);
  });

  it.each([
    "/api/v1/pods?watch=true",
    "/api/v1/pods?watch=1&limit=1",
    "/api/v1/pods?fieldSelector=spec.nodeName%3Da",
    "/api/v1/pods?limit=1&limit=2",
    "/api/v1/namespaces/shop/pods/web?watch=true",
    "/api/v1/watch/secrets",
    "/api/v1/watch/namespaces/shop/secrets",
    "/api/v1/proxy/nodes",
    "/api/v1/namespaces/shop/pods/web/exec",
    "/api/v1/namespaces/shop/pods/web/log",
    "/api/v1/namespaces/shop/pods/web/attach",
    "/api/v1/namespaces/shop/pods/web/portforward",
    "/api/v1/namespaces/shop/services/web/proxy/admin",
    "/api/v1/nodes/one/proxy/run/shop/web/sh",
    "/apis/cluster.karmada.io/v1alpha1/clusters/paris/proxy/api/v1/secrets",
    "/apis/cluster.karmada.io/v1alpha1/clusters/paris/proxy",
    "/apis/search.karmada.io/v1alpha1/proxying/karmada/proxy/api/v1/secrets",
    "/api/v1/namespaces/shop/events",
    "/apis/events.k8s.io/v1/events",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    "/api/v1/namespaces/shop/serviceaccounts/web/token",
    "/logs",
    "/metrics",
    "/openapi/v3",
    "/version",
    "/.well-known/openid-configuration",
    "/api/v1/../../metrics",
    "/api/v1/namespaces/%2e%2e/secrets",
    "/api/v1/namespaces/shop%2fpods%2fweb/exec",
    "/api/v1/namespaces/shop/secrets/db%3Fwatch=true",
    "/api/v1/secrets/%0d%0aHost:%20elsewhere",
    "/api/v1/secrets/%ff",
    "//elsewhere.example.com/api/v1/secrets",
    "http://elsewhere.example.com/api/v1/secrets",
    "/api/v1/secrets?limit=1?watch=true",
    "/api/v1//secrets",
    "/api/v1/",
    "/api/v1",
    "/apis/apps/deployments/web",
    "",
  ])("refuses to read %s", (path) => {
    expect(get(path)).toMatchObject({ kind: "refused" });
  });

  it.each([
    ["a write", "/api/v1/namespaces/shop/secrets/db?fieldManager=flaghoist&force=true"],
    ["what is dry in part", "/api/v1/namespaces/shop/secrets/db?dryRun=All&dryRun="],
    ["what says twice that it is dry", "/api/v1/namespaces/shop/secrets/db?dryRun=All&dryRun=All"],
    ["another dryness", "/api/v1/namespaces/shop/secrets/db?dryRun=None"],
    ["other options", "/api/v1/namespaces/shop/secrets/db?dryRun=All&fieldValidation=Ignore"],
    ["a subresource", "/api/v1/namespaces/shop/pods/web/status?dryRun=All"],
    ["a list", "/api/v1/namespaces/shop/secrets?dryRun=All"],
    ["a namespace's end", "/api/v1/namespaces/shop/finalize?dryRun=All"],
    ["discovery", "/api?dryRun=All"],
  ])("refuses to apply %s", (_, path) => {
    expect(apply(path)).toMatchObject({ kind: "refused" });
  });

  it.each(["POST", "PUT", "DELETE", "HEAD", "get", "CONNECT"])("refuses %s, dry or not", (method) => {
    const path = "/api/v1/namespaces/shop/secrets/db?dryRun=All";

    expect(gateRequest({ method, path, contentType: APPLY })).toMatchObject({ kind: "refused" });
  });

  it("refuses every other patch, since a server may take it for another content", () => {
    for (const type of [
      "application/json-patch+json",
      "application/merge-patch+json",
      "application/apply-patch+cbor",
      "",
    ])
      expect(apply("/api/v1/namespaces/shop/secrets/db?dryRun=All", type)).toMatchObject({ kind: "refused" });
  });
});
