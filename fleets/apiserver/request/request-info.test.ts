import { describe, expect, it } from "vitest";
import {
  checkPathName,
  decodePath,
  leadsUpwards,
  parseResourcePath,
  remainderOf,
  segmentsBefore,
} from "./request-info.ts";

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

describe("remainderOf", () => {
  it.each([
    ["/apis/x.io/v1/clusters/c/proxy", ""],
    ["/apis/x.io/v1/clusters/c/proxy/", "/"],
    ["/apis/x.io/v1/clusters/c/proxy/api/v1//pods/a%2Fb/", "/api/v1//pods/a%2Fb/"],
    ["/api/v1/namespaces/n/services/s/proxy/x", "/x"],
    ["/api/v1/nodes/n/proxy/x", "/x"],
  ])("keeps what follows the subresource of %s", (path, rest) => {
    expect(remainderOf(path, segmentsBefore(parseResourcePath(path)!))).toBe(rest);
  });
});

describe("remainderOf a path with escaped slashes", () => {
  it.each([
    "/apis/x.io/v1/clusters/c%2Fproxy/api",
    "/apis/x.io/v1/clusters/c/proxy%2fapi/v1",
    "/apis%2Fx.io/v1/clusters/c/proxy",
  ])("is undefined for %s", (path) => {
    expect(remainderOf(path, 6)).toBeUndefined();
  });
});

describe("leadsUpwards", () => {
  it.each(["/..", "/a/../b", "/%2e%2e/a", "/.%2E/a", "/..%2fa", "/a%2f..", "/..%5ca", "/.", "/a/./b", "/%zz", "/%"])(
    "is true for %s",
    (path) => {
      expect(leadsUpwards(path)).toBe(true);
    },
  );

  it.each(["", "/", "/api/v1", "/a%2Fb", "/...", "/a..b/.c", "/%252e%252e/x", "/v1.apps"])(
    "is false for %s",
    (path) => {
      expect(leadsUpwards(path)).toBe(false);
    },
  );
});

describe("names in paths", () => {
  it("separates at an escaped slash, as at any other", () => {
    expect(parseResourcePath("/api/v1/namespaces/n/configmaps/a%2Fb")).toMatchObject({ name: "a", subresource: "b" });
  });

  it("knows no path with empty segments before what a proxy passes on", () => {
    expect(parseResourcePath("/api/v1//namespaces")).toBeUndefined();
    expect(parseResourcePath("/api/v1/nodes/n/proxy//x")?.rest).toBe("/x");
  });

  it.each([
    [".", "may not be '.'"],
    ["..", "may not be '..'"],
    ["a%b", "may not contain '%'"],
  ])("refuses the name %s", (name, why) => {
    expect(() => checkPathName(name)).toThrow(`Name parameter invalid: "${name}": ${why}`);
  });

  it("knows broken escapes", () => {
    expect([decodePath("/a%zz"), decodePath("/a%"), decodePath("/a%20b")]).toEqual([undefined, undefined, "/a b"]);
  });
});
