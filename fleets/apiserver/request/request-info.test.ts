import { describe, expect, it } from "vitest";
import { parseResourcePath } from "./request-info.ts";

describe("parseResourcePath", () => {
  it.each([
    ["/api/v1/pods", { group: "", resource: "pods", namespace: undefined, name: undefined }],
    ["/api/v1/namespaces/a/pods/p/log", { namespace: "a", resource: "pods", name: "p", subresource: "log" }],
    ["/api/v1/namespaces/a", { namespace: undefined, resource: "namespaces", name: "a", subresource: undefined }],
    [
      "/api/v1/namespaces/a/finalize",
      { namespace: undefined, resource: "namespaces", name: "a", subresource: "finalize" },
    ],
    [
      "/apis/apps/v1/namespaces/a/deployments/d/scale",
      { group: "apps", resource: "deployments", subresource: "scale" },
    ],
    [
      "/apis/x.io/v1/clusters/c/proxy/api/v1/pods",
      { resource: "clusters", name: "c", subresource: "proxy", rest: "api/v1/pods" },
    ],
    ["/api/v1/watch/namespaces/a/pods", { namespace: "a", resource: "pods", watchPrefix: true }],
    ["/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Ax", { name: "system:x" }],
  ])("reads %s", (path, expected) => {
    expect(parseResourcePath(path)).toMatchObject(expected);
  });

  it.each(["/", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", "/api/v1/pods/%ZZ"])(
    "leaves %s to others",
    (path) => {
      expect(parseResourcePath(path)).toBeUndefined();
    },
  );
});
