import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { isExemptFromAdmission, type MatchTarget, matchResources } from "./match-resources.ts";

const APPS = { group: "apps", version: "v1", resource: "deployments" };
const OLD = { group: "extensions", version: "v1beta1", resource: "deployments" };

function object(labels: Record<string, string>): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", labels } };
}

function target(over: Partial<MatchTarget> = {}): MatchTarget {
  return {
    operation: "CREATE",
    resource: APPS,
    kind: { group: "apps", version: "v1", kind: "Deployment" },
    subresource: "",
    namespace: "default",
    name: "web",
    object: object({ app: "web" }),
    oldObject: undefined,
    ...over,
  };
}

const surroundings = {
  namespaceLabels: (name: string) => (name === "default" ? { team: "a" } : undefined),
  equivalents: () => [{ resource: OLD, kind: { group: "extensions", version: "v1beta1", kind: "Deployment" } }],
};

function rule(over: object = {}) {
  return { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"], ...over };
}

function matches(match: Parameters<typeof matchResources>[0], over: Partial<MatchTarget> = {}): boolean {
  return matchResources(match, target(over), surroundings) !== undefined;
}

describe("matchResources", () => {
  it("compares group, version, operation and resource, each with a wildcard", () => {
    expect(matches({ resourceRules: [rule()] })).toBe(true);
    expect(matches({ resourceRules: [rule({ operations: ["*"], resources: ["*"], apiGroups: ["*"] })] })).toBe(true);
    expect(matches({ resourceRules: [rule({ operations: ["DELETE"] })] })).toBe(false);
    expect(matches({ resourceRules: [rule({ apiVersions: ["v2"] })], matchPolicy: "Exact" })).toBe(false);
  });

  it("tells subresources from the main resource", () => {
    const scale = { subresource: "scale" };

    expect(matches({ resourceRules: [rule()] }, scale)).toBe(false);
    expect(matches({ resourceRules: [rule({ resources: ["*"] })] }, scale)).toBe(false);
    expect(matches({ resourceRules: [rule({ resources: ["*/scale"] })] }, scale)).toBe(true);
    expect(matches({ resourceRules: [rule({ resources: ["deployments/*"] })] }, scale)).toBe(true);
  });

  it("knows the resource under other groups unless told to be exact", () => {
    const rules = [rule({ apiGroups: ["extensions"], apiVersions: ["v1beta1"] })];

    expect(matchResources({ resourceRules: rules }, target(), surroundings)?.resource).toEqual(OLD);
    expect(matches({ resourceRules: rules, matchPolicy: "Exact" })).toBe(false);
  });

  it("lets exclusions win over rules", () => {
    expect(matches({ resourceRules: [rule()], excludeResourceRules: [rule({ resourceNames: ["web"] })] })).toBe(false);
    expect(matches({ resourceRules: [rule()], excludeResourceRules: [rule({ resourceNames: ["x"] })] })).toBe(true);
  });

  it("selects by labels of the object, new or old", () => {
    const objectSelector = { matchLabels: { app: "web" } };

    expect(matches({ objectSelector })).toBe(true);
    expect(matches({ objectSelector }, { object: object({}), oldObject: object({ app: "web" }) })).toBe(true);
    expect(matches({ objectSelector }, { object: object({}) })).toBe(false);
  });

  it("selects by labels of the namespace, for a namespace by its own", () => {
    const namespaceSelector = { matchLabels: { team: "a" } };
    const namespaces = { group: "", version: "v1", resource: "namespaces" };

    expect(matches({ namespaceSelector })).toBe(true);
    expect(matches({ namespaceSelector }, { namespace: "" })).toBe(true);
    expect(matches({ namespaceSelector }, { resource: namespaces, object: object({ team: "a" }) })).toBe(true);
    expect(matches({ namespaceSelector }, { resource: namespaces, object: object({}) })).toBe(false);
    expect(() => matches({ namespaceSelector }, { namespace: "gone" })).toThrow('namespaces "gone" not found');
  });

  it("counts namespaces as cluster-scoped", () => {
    const resource = { group: "", version: "v1", resource: "namespaces" };
    const rules = [rule({ apiGroups: [""], resources: ["namespaces"], scope: "Cluster" })];

    expect(matches({ resourceRules: rules }, { resource })).toBe(true);
    expect(matches({ resourceRules: [rule({ scope: "Cluster" })], matchPolicy: "Exact" })).toBe(false);
    expect(matches({ resourceRules: [rule({ scope: "Namespaced" })] })).toBe(true);
  });

  it("never asks about webhooks and policies themselves", () => {
    const group = "admissionregistration.k8s.io";

    expect(isExemptFromAdmission({ group, version: "v1", kind: "ValidatingAdmissionPolicy" })).toBe(true);
    expect(isExemptFromAdmission({ group: "apps", version: "v1", kind: "Deployment" })).toBe(false);
  });
});
