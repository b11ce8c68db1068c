import { describe, expect, it } from "vitest";
import { type AuditedRequest, CONFIDENTIAL, decideAudit } from "./policy.ts";
import { parseAuditPolicy, readAuditPolicyFile } from "./policy-file.ts";

const HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";
const ALICE = { name: "alice", groups: ["devs", "system:authenticated"] };

function level(rules: string, request: Partial<AuditedRequest> & { on?: object }): string {
  const { on, ...rest } = request;
  const resource = { group: "", resource: "pods", subresource: "", namespace: "a", name: "p", ...on };
  const asked: AuditedRequest = { user: ALICE, verb: "get", path: "/api/v1/namespaces/a/pods/p", resource, ...rest };
  const policy = parseAuditPolicy(`${HEAD}rules:\n${rules}`, "policy.yaml");
  return decideAudit(policy, asked, new Set(CONFIDENTIAL)).level;
}

describe("decideAudit", () => {
  it.each<[string, string, Parameters<typeof level>[1], string]>([
    ["nothing without a rule that matches", "- {level: Metadata, users: [bob]}", {}, "None"],
    ["by the first rule that matches", "- {level: None, users: [alice]}\n- {level: Request}", {}, "None"],
    ["users", "- {level: Request, users: [bob, alice]}", {}, "Request"],
    ["groups of users", "- {level: Request, userGroups: [devs]}", {}, "Request"],
    ["verbs", "- {level: Request, verbs: [list]}", {}, "None"],
    ["a resource of the core group", '- {level: Request, resources: [{group: "", resources: [pods]}]}', {}, "Request"],
    [
      "no subresource by the resource alone",
      '- {level: Request, resources: [{group: "", resources: [pods]}]}',
      { on: { subresource: "log" } },
      "None",
    ],
    [
      "a subresource",
      "- {level: Request, resources: [{resources: [pods/log]}]}",
      { on: { subresource: "log" } },
      "Request",
    ],
    [
      "a subresource of all",
      '- {level: Request, resources: [{resources: ["*/log"]}]}',
      { on: { subresource: "log" } },
      "Request",
    ],
    [
      "all subresources of one",
      '- {level: Request, resources: [{resources: ["pods/*"]}]}',
      { on: { subresource: "log" } },
      "Request",
    ],
    [
      "everything by a star",
      '- {level: Request, resources: [{resources: ["*"]}]}',
      { on: { subresource: "log" } },
      "Request",
    ],
    [
      "a whole group",
      "- {level: Request, resources: [{group: apps}]}",
      { on: { group: "apps", resource: "deployments" } },
      "Request",
    ],
    ["no other group", "- {level: Request, resources: [{group: apps}]}", {}, "None"],
    ["names", "- {level: Request, resources: [{resources: [pods], resourceNames: [p]}]}", {}, "Request"],
    ["no other names", "- {level: Request, resources: [{resources: [pods], resourceNames: [q]}]}", {}, "None"],
    ["namespaces", "- {level: Request, namespaces: [a]}", {}, "Request"],
    ["no other namespaces", "- {level: Request, namespaces: [b]}", {}, "None"],
    ["what is in no namespace", '- {level: Request, namespaces: [""]}', { on: { namespace: "" } }, "Request"],
    ["paths", "- {level: Request, nonResourceURLs: [/healthz]}", { path: "/healthz", resource: undefined }, "Request"],
    [
      "paths below",
      "- {level: Request, nonResourceURLs: [/healthz*]}",
      { path: "/healthz/etcd", resource: undefined },
      "Request",
    ],
    ["no resource by paths", '- {level: Request, nonResourceURLs: ["*"]}', {}, "None"],
    [
      "no path by resources",
      "- {level: Request, resources: [{group: apps}]}",
      { path: "/healthz", resource: undefined },
      "None",
    ],
  ])("selects %s", (_what, rules, request, expected) => {
    expect(level(rules, request)).toBe(expected);
  });

  it.each([
    [{ resource: "secrets" }],
    [{ resource: "secrets", name: "" }],
    [{ resource: "serviceaccounts", subresource: "token" }],
    [{ group: "authentication.k8s.io", resource: "tokenreviews" }],
  ])("records no bodies of %j, whatever the policy says", (on) => {
    expect(level("- {level: RequestResponse}", { on })).toBe("Metadata");
    expect(level("- {level: None}", { on })).toBe("None");
  });

  it("leaves out the stages and the managed fields that the rule and the policy name", () => {
    const text = `${HEAD}omitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n- {level: Request, verbs: [get], omitManagedFields: false, omitStages: [Panic]}\n- {level: Request}`;
    const policy = parseAuditPolicy(text, "policy.yaml");
    const request = { user: ALICE, path: "/", resource: undefined };

    const first = decideAudit(policy, { ...request, verb: "get" }, new Set());
    const second = decideAudit(policy, { ...request, verb: "put" }, new Set());

    expect(first).toEqual({
      level: "Request",
      omitStages: new Set(["RequestReceived", "Panic"]),
      omitManagedFields: false,
    });
    expect(second).toEqual({ level: "Request", omitStages: new Set(["RequestReceived"]), omitManagedFields: true });
  });
});

describe("parseAuditPolicy", () => {
  it.each([
    ["kind: Policy\nrules: [{level: None}]", "line 1: apiVersion must be audit.k8s.io/v1"],
    ["apiVersion: audit.k8s.io/v1beta1\nkind: Policy", "line 1: apiVersion must be audit.k8s.io/v1"],
    ["apiVersion: audit.k8s.io/v1\nkind: Pod", "line 2: kind must be Policy"],
    [HEAD, "line 1: rules must hold at least one rule"],
    [`${HEAD}rules:\n- level: Meta`, "line 4: rules[0].level must be one of None, Metadata, Request, RequestResponse"],
    [`${HEAD}rules:\n- verbs: [get]`, "line 4: rules[0].level must be one of"],
    [`${HEAD}rules:\n- level: None\n  user: [a]`, "line 5: rules[0].user is no field here; there are level, users"],
    [`${HEAD}rules:\n- level: None\n  users: alice`, "line 5: rules[0].users must be a list"],
    [
      `${HEAD}rules:\n- level: None\n  omitStages: [Received]`,
      "line 5: rules[0].omitStages[0] must be one of RequestReceived",
    ],
    [
      `${HEAD}rules:\n- level: None\n  nonResourceURLs: [healthz]`,
      'line 5: rules[0].nonResourceURLs[0] must begin with "/"',
    ],
    [
      `${HEAD}rules:\n- level: None\n  nonResourceURLs: [/a*/b]`,
      'line 5: rules[0].nonResourceURLs[0] may have "*" at its end only',
    ],
    [
      `${HEAD}rules:\n- level: None\n  namespaces: [a]\n  nonResourceURLs: [/a]`,
      "line 6: rules[0].nonResourceURLs cannot stand beside resources or namespaces",
    ],
    [
      `${HEAD}rules:\n- level: None\n  resources: [{group: apps/v1}]`,
      "line 5: rules[0].resources[0].group is a group without a version",
    ],
    [
      `${HEAD}rules:\n- level: None\n  resources: [{resourceNames: [a]}]`,
      "line 5: rules[0].resources[0].resourceNames needs resources beside it",
    ],
    [`${HEAD}rules: [}`, "audit/policy.yaml:3:9: "],
    [`${HEAD}rules: [{level: None}]\n---\nkind: Policy`, "line 5: one document was expected"],
    ["", "is empty: it must hold one Policy"],
  ])("refuses %j with its place", (text, words) => {
    expect(() => parseAuditPolicy(text, "audit/policy.yaml")).toThrow(words);
    expect(() => parseAuditPolicy(text, "audit/policy.yaml")).toThrow("audit policy audit/policy.yaml");
  });

  it("says which file cannot be read", () => {
    expect(() => readAuditPolicyFile("/nowhere/policy.yaml")).toThrow(
      /audit policy \/nowhere\/policy.yaml cannot be read: ENOENT/,
    );
  });
});
