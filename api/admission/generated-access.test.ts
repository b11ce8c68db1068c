import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import type { Cluster } from "../cluster.ts";
import { type AccessWrite, accessRefusal, withoutRules } from "./generated-access.ts";

const GENERATOR = "system:karmada:agent:rbac-generator";
const RBAC = "rbac.authorization.k8s.io/v1";
const AGENT = { kind: "User", name: "system:karmada:agent:edge-7", apiGroup: "rbac.authorization.k8s.io" };
const RULES = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];

function role(kind: string, name: string, namespace?: string): KubeObject {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: RBAC, kind, metadata, rules: RULES };
}

function binding(name: string, namespace?: string, more: object = {}): KubeObject {
  const kind = namespace === undefined ? "ClusterRole" : "Role";
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind, name };
  return { apiVersion: RBAC, kind: `${kind}Binding`, metadata, roleRef, subjects: [AGENT], ...more };
}

function write(object: KubeObject, more: Partial<AccessWrite> = {}): AccessWrite {
  return { userName: GENERATOR, operation: "CREATE", object, others: [], ...more };
}

const ROLE = "system:karmada:edge-7:agent";

/** What `karmadactl register --cluster-name edge-7` creates. */
const CREATED: readonly KubeObject[] = [
  role("ClusterRole", ROLE),
  binding(ROLE),
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "karmada-cluster" } },
  role("Role", `${ROLE}-secret`, "karmada-cluster"),
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "karmada-es-edge-7" } },
  role("Role", `${ROLE}-work`, "karmada-es-edge-7"),
  binding(`${ROLE}-secret`, "karmada-cluster"),
  binding(`${ROLE}-work`, "karmada-es-edge-7"),
];

describe("what karmadactl register writes", () => {
  it.each(CREATED.map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
    "may be %s",
    (_, object) => {
      expect(accessRefusal(write(object))).toBeUndefined();
    },
  );

  it("is stored without the rules that it asks for, and with whose it is", () => {
    const stored = withoutRules(
      write({ ...role("ClusterRole", ROLE), aggregationRule: { clusterRoleSelectors: [{}] } }),
    );

    expect(stored).toEqual({
      apiVersion: RBAC,
      kind: "ClusterRole",
      metadata: { name: ROLE, labels: { "karmada.io/system": "true", "gitops.flaghoist.io/agent-of": "edge-7" } },
      rules: [],
    });
    expect(withoutRules(write(binding(ROLE)))).toMatchObject({ subjects: [AGENT], metadata: { name: ROLE } });
  });

  it("is nobody else's: what others write stays as it is", () => {
    const admin = write(role("ClusterRole", ROLE), { userName: "admin" });

    expect(withoutRules(admin)).toBeUndefined();
    expect(accessRefusal(admin)).toBeUndefined();
  });

  it.each<[string, KubeObject]>([
    ["another role", role("ClusterRole", "cluster-admin-2")],
    ["a role of another part", role("ClusterRole", `${ROLE}-secret`)],
    ["a role elsewhere", role("Role", `${ROLE}-work`, "kube-system")],
    ["a role in another cluster's namespace", role("Role", `${ROLE}-work`, "karmada-es-edge-8")],
    ["a binding for others", binding(ROLE, undefined, { subjects: [{ ...AGENT, name: "mallory" }] })],
    ["a binding for others, too", binding(ROLE, undefined, { subjects: [AGENT, { ...AGENT, name: "mallory" }] })],
    ["a binding for a group", binding(ROLE, undefined, { subjects: [{ ...AGENT, kind: "Group" }] })],
    [
      "a binding of another role",
      binding(ROLE, undefined, { roleRef: { kind: "ClusterRole", name: "cluster-admin" } }),
    ],
    [
      "a binding of a role that is wider",
      binding(`${ROLE}-work`, "karmada-es-edge-7", { roleRef: { kind: "ClusterRole", name: `${ROLE}-work` } }),
    ],
    ["another namespace", { apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system" } }],
    ["a Secret", { apiVersion: "v1", kind: "Secret", metadata: { name: "x", namespace: "karmada-cluster" } }],
  ])("is refused for %s", (_, object) => {
    expect(accessRefusal(write(object))).toMatch(/as 'karmadactl register' does, and nothing else: not /);
  });

  it("is refused for a cluster that is there, and for what is there", () => {
    const edge: Cluster = {
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      metadata: { name: "edge-7" },
      spec: { syncMode: "Pull" },
    };

    expect(accessRefusal(write(role("ClusterRole", ROLE), { others: [edge] }))).toBe("cluster edge-7 exists already");
    expect(accessRefusal(write(role("ClusterRole", ROLE), { operation: "UPDATE" }))).toMatch(/nothing else/);
    expect(accessRefusal(write(role("ClusterRole", ROLE), { operation: "DELETE" }))).toMatch(/nothing else/);
  });

  it("takes back requests of its own kind only", () => {
    const request = (name: string): AccessWrite =>
      write(
        { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: { name } },
        { operation: "DELETE" },
      );

    expect(accessRefusal(request("agent-rbac-generator-edge-7bq4zx"))).toBeUndefined();
    expect(accessRefusal(request("edge-7-bq4zx"))).toMatch(/nothing else/);
  });
});

describe("what an agent creates", () => {
  const own = "system:karmada:agent:edge-7";

  it.each<[kind: string, namespace: string, name: string, allowed: boolean]>([
    ["Secret", "karmada-cluster", "edge-7", true],
    ["Secret", "karmada-cluster", "edge-7-impersonator", true],
    ["Secret", "karmada-cluster", "edge-8", false],
    ["Secret", "default", "edge-7", false],
    ["Lease", "karmada-cluster", "edge-7", true],
    ["Lease", "karmada-system", "karmada-agent-edge-7", true],
    ["Lease", "karmada-system", "flaghoist", false],
  ])("%s %s/%s: %s", (kind, namespace, name, allowed) => {
    const object: KubeObject = { apiVersion: "v1", kind, metadata: { namespace, name } };

    const refusal = accessRefusal(write(object, { userName: own }));

    if (allowed) expect(refusal).toBeUndefined();
    else expect(refusal).toBe(`the agent of cluster edge-7 may not create ${kind} ${namespace}/${name}`);
  });
});
