// `karmadactl register` and `karmadactl unregister` of Karmada 1.18, request by request as their sources have them, against
// our endpoint: discovery, two certificates, the roles of the agent, and what Karmada's agent does with them then.
import { spawnSync } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSigningRequest } from "../../fleets/apiserver/http/certificate-signing.ts";
import { formatKubeconfig } from "../../fleets/apiserver/http/kubeconfig.ts";
import { type HttpTransport, openHttpTransport } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { runFlaghoist } from "./support/child-agent.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, policy } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import { at } from "./support/reading.ts";

const NAME = "edge-7";
const RBAC = "rbac.authorization.k8s.io/v1";
const ROLE = `system:karmada:${NAME}:agent`;
const WORKS = `karmada-es-${NAME}`;
const USER = { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: `system:karmada:agent:${NAME}` };
const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const SYSTEM = { "karmada.io/system": "true" };

let plane: Plane;
let folder: string;
const open: HttpTransport[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-karmadactl-"));
  plane = await startPlane({ engine: "embedded", members: {} });
}, 60_000);

afterAll(async () => {
  for (const transport of open) await transport.close();
  await plane.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Credentials {
  readonly token?: string;
  readonly pair?: { readonly certificate: string; readonly key: string };
}

/** As karmadactl's clients: whoever they are, by a verified connection. */
async function clientOf(caPem: string, { token, pair }: Credentials): Promise<KubeClient> {
  const { url: server } = plane.control;
  const kubeconfig =
    pair === undefined
      ? JSON.stringify({
          apiVersion: "v1",
          kind: "Config",
          "current-context": "a",
          contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
          clusters: [
            { name: "a", cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64") } },
          ],
          users: [{ name: "a", user: token === undefined ? {} : { token } }],
        })
      : formatKubeconfig([{ name: "a", server, caPem, credentials: pair }]);
  const transport = await openHttpTransport({ kubeconfig });
  open.push(transport);
  return new KubeClient(transport.send);
}

/** A key of 3072 bits, as karmadactl makes them; of another kind where there is no openssl. */
async function signingRequest(commonName: string): Promise<{ readonly request: string; readonly key: string }> {
  const [key, csr] = [join(folder, "key.pem"), join(folder, "csr.pem")];
  const subject = `/O=system:karmada:agents/CN=${commonName}`;
  const made = spawnSync("openssl", [
    ...["req", "-new", "-newkey", "rsa:3072", "-nodes", "-keyout", key, "-out", csr, "-subj", subject],
  ]);
  if (made.status === 0) return { request: readFileSync(csr, "utf8"), key: readFileSync(key, "utf8") };
  return makeSigningRequest(commonName, ["system:karmada:agents"]);
}

async function certificate(
  client: KubeClient,
  requestName: string,
  commonName: string,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const { request, key } = await signingRequest(commonName);
  await client.create({
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: requestName, labels: SYSTEM },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client",
      expirationSeconds: 31_536_000,
      usages: ["digital signature", "key encipherment", "client auth"],
    },
  });
  const signed = await eventually(async () => {
    const csr = await client.get(ref("certificates.k8s.io/v1 CertificateSigningRequest", "", requestName));
    const found = at(csr, "status", "certificate");
    expect(found, JSON.stringify(csr["status"])).toBeTypeOf("string");
    return Buffer.from(String(found), "base64").toString("utf8");
  });
  return { certificate: signed, key };
}

/** Creates it; one that is there is fine, as for karmadactl. */
async function ensure(client: KubeClient, object: KubeObject): Promise<void> {
  try {
    await client.create(object);
  } catch (error) {
    if (!String(error).includes("already exists")) throw error;
  }
}

function role(kind: string, name: string, namespace: string | undefined, rules: readonly object[]): KubeObject {
  return { apiVersion: RBAC, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, rules };
}

function binding(kind: string, name: string, namespace: string | undefined): KubeObject {
  return {
    apiVersion: RBAC,
    kind: `${kind}Binding`,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    subjects: [USER],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
  };
}

/** The roles that karmadactl asks for, with all that they ask for. */
async function makeRoles(generator: KubeClient): Promise<void> {
  await ensure(
    generator,
    role("ClusterRole", ROLE, undefined, [
      { apiGroups: ["cluster.karmada.io"], resources: ["clusters"], resourceNames: [NAME], verbs: ["get", "delete"] },
      { apiGroups: ["cluster.karmada.io"], resources: ["clusters"], verbs: ["create", "list", "watch"] },
      { apiGroups: ["cluster.karmada.io"], resources: ["clusters/status"], resourceNames: [NAME], verbs: ["update"] },
      { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"] },
      { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
    ]),
  );
  await ensure(generator, binding("ClusterRole", ROLE, undefined));
  const parts = [
    ["secret", "karmada-cluster", "", "secrets", ["create"]],
    ["work", WORKS, "work.karmada.io", "works", ["get", "create", "list", "watch", "update", "delete"]],
  ] as const;
  for (const [part, namespace, group, resource, verbs] of parts) {
    await ensure(generator, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: SYSTEM } });
    const rules = [{ verbs, apiGroups: [group], resources: [resource] }];
    await ensure(generator, role("Role", `${ROLE}-${part}`, namespace, rules));
  }
  for (const [part, namespace] of parts) await ensure(generator, binding("Role", `${ROLE}-${part}`, namespace));
}

async function newToken(): Promise<string> {
  const made = await runFlaghoist(["token", "create", "--kubeconfig", plane.kubeconfig], folder);
  expect(made).toMatchObject({ code: 0 });
  return made.out.trim();
}

async function rulesOfAgent(): Promise<number> {
  const rules = (await plane.client.get(ref(`${RBAC} ClusterRole`, "", ROLE)))["rules"];
  return Array.isArray(rules) ? rules.length : 0;
}

function random5(): string {
  return randomBytes(8).toString("hex").slice(0, 5);
}

async function caPem(): Promise<string> {
  const info = await plane.client.get(ref("v1 ConfigMap", "kube-public", "cluster-info"));
  const data =
    /certificate-authority-data: "?([A-Za-z0-9+/=]+)/.exec(String(at(info, "data", "kubeconfig")))?.[1] ?? "";
  return Buffer.from(data, "base64").toString("utf8");
}

// One story, in the order in which it happens.
describe("karmadactl register", { timeout: 60_000 }, () => {
  let token: string;
  let ca: string;
  let bootstrap: KubeClient;
  let generator: KubeClient;
  let agent: KubeClient;

  it("finds the cluster-info, signed for its token, without credentials", async () => {
    token = await newToken();
    ca = await caPem();
    const anonymous = await clientOf(ca, {});
    const [id = "", secret = ""] = token.split(".");

    const info = await eventually(async () => {
      const found = await anonymous.raw("GET", "/api/v1/namespaces/kube-public/configmaps/cluster-info");
      expect(at(found, "data", `jws-kubeconfig-${id}`)).toBeTypeOf("string");
      return found;
    });

    const [header = "", empty, signature] = String(at(info, "data", `jws-kubeconfig-${id}`)).split(".");
    const payload = Buffer.from(String(at(info, "data", "kubeconfig"))).toString("base64url");
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({ alg: "HS256", kid: id });
    expect(empty).toBe("");
    expect(signature).toBe(createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url"));
  });

  it("gets the certificate by which it makes the agent's roles, and sees that the cluster is new", async () => {
    bootstrap = await clientOf(ca, { token });
    const name = `agent-rbac-generator-${NAME}${random5()}`;

    const pair = await certificate(bootstrap, name, "system:karmada:agent:rbac-generator");

    generator = await clientOf(ca, { pair });
    expect(await generator.find({ apiVersion: CLUSTER_API, kind: "Cluster", name: NAME })).toBeUndefined();
    await makeRoles(generator);
    await generator.delete(ref("certificates.k8s.io/v1 CertificateSigningRequest", "", name));
  });

  it("can hand on nothing by that certificate, and do nothing else", async () => {
    expect(await rulesOfAgent()).toBe(0);
    const admin = role("ClusterRole", "mine", undefined, [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }]);
    const toAdmin = {
      ...binding("ClusterRole", ROLE, undefined),
      metadata: { name: "system:karmada:edge-8:agent" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    };

    await expect(generator.create(admin)).rejects.toThrow(/nothing else/);
    await expect(generator.create(toAdmin)).rejects.toThrow(/nothing else|not currently held/);
    await expect(generator.list("v1", "Secret", { namespace: "karmada-cluster" })).rejects.toThrow(/forbidden/);
    await expect(generator.list(CLUSTER_API, "Cluster")).rejects.toThrow(/forbidden/);
    await expect(generator.delete(ref(`${RBAC} ClusterRole`, "", "cluster-admin"))).rejects.toThrow(/forbidden/);
  });

  it("gets the agent's certificate, whose roles hold from then on", async () => {
    const pair = await certificate(bootstrap, `${NAME}-${random5()}`, `system:karmada:agent:${NAME}`);

    agent = await clientOf(ca, { pair });
    const secrets = await plane.client.get(ref(`${RBAC} Role`, "karmada-cluster", `${ROLE}-secret`));
    expect(secrets["rules"]).toContainEqual({
      apiGroups: [""],
      resources: ["secrets"],
      resourceNames: [NAME, `${NAME}-impersonator`],
      verbs: ["get", "patch"],
    });
  });

  it("has Karmada's agent register its cluster, elect a leader, report and read its Works", async () => {
    await agent.list(CLUSTER_API, "Cluster");
    await agent.get(ref("v1 Namespace", "", "karmada-cluster"));
    const secret = (name: string): KubeObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "karmada-cluster" },
      stringData: { token: "t" },
    });
    await agent.create(secret(`${NAME}-impersonator`));
    await expect(agent.create(secret("tokyo-1"))).rejects.toThrow(/may not create Secret karmada-cluster\/tokyo-1/);
    const lease = (namespace: string, name: string): KubeObject => ({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace },
      spec: { holderIdentity: "agent-0", leaseDurationSeconds: 40 },
    });
    await agent.create(lease("karmada-system", `karmada-agent-${NAME}`));
    await expect(agent.create(lease("karmada-system", "flaghoist"))).rejects.toThrow(/may not create Lease/);

    await agent.create({
      apiVersion: CLUSTER_API,
      kind: "Cluster",
      metadata: { name: NAME },
      spec: {
        syncMode: "Pull",
        id: "0b5e0a3c-2a7d-4f0e-9d3b-8f1f6d1f0a11",
        apiEndpoint: "https://10.0.0.9:6443",
        impersonatorSecretRef: { namespace: "karmada-cluster", name: `${NAME}-impersonator` },
      },
    });
    // The control plane writes beside it: a conflict is tried again, as by any client.
    await eventually(async () => {
      const cluster = await agent.get({ apiVersion: CLUSTER_API, kind: "Cluster", name: NAME });
      await agent.update(
        {
          ...cluster,
          status: {
            kubernetesVersion: "v1.34.1",
            apiEnablements: [{ groupVersion: "apps/v1", resources: [{ name: "deployments", kind: "Deployment" }] }],
            conditions: [
              {
                type: "Ready",
                status: "True",
                reason: "ClusterReady",
                message: "cluster is healthy and ready to accept workloads",
                lastTransitionTime: "2026-01-01T00:00:00Z",
              },
            ],
          },
        },
        { subresource: "status" },
      );
    });
    await applyAll(plane.client, deployment({ namespace: "default", replicas: 2 }), policy({ namespace: "default" }));

    await eventually(async () => {
      const { items } = await agent.list("work.karmada.io/v1alpha1", "Work", { namespace: WORKS });
      const manifests = items.map((work) => at(work, "spec", "workload", "manifests", 0));
      expect(manifests).toContainEqual(
        expect.objectContaining({ kind: "Deployment", spec: expect.objectContaining({ replicas: 2 }) }),
      );
    });
  });

  it("says that the cluster exists when it is registered again", async () => {
    const second = await clientOf(ca, { token: await newToken() });
    const name = `agent-rbac-generator-${NAME}${random5()}`;
    const again = await clientOf(ca, {
      pair: await certificate(second, name, "system:karmada:agent:rbac-generator"),
    });

    // It reads the Cluster, and ends there.
    expect(await again.find({ apiVersion: CLUSTER_API, kind: "Cluster", name: NAME })).toBeDefined();
    await expect(makeRoles(again)).rejects.toThrow(/cluster edge-7 exists already/);
    expect(await rulesOfAgent()).not.toBe(0);
  });

  it("is undone by karmadactl unregister: Works first, then the Cluster, and the roles go with it", async () => {
    const target = await agent.get({ apiVersion: CLUSTER_API, kind: "Cluster", name: NAME });
    expect(at(target, "spec", "syncMode")).toBe("Pull");
    await plane.client.delete(ref("policy.karmada.io/v1alpha1 PropagationPolicy", "default", "everywhere"));
    await plane.client.delete(ref("apps/v1 Deployment", "default", "web"));
    await eventually(async () => {
      const { items } = await agent.list("work.karmada.io/v1alpha1", "Work", { namespace: WORKS });
      for (const { metadata } of items) {
        const work = ref("work.karmada.io/v1alpha1 Work", WORKS, metadata.name ?? "");
        await agent.delete(work).catch((error: unknown) => {
          if (!String(error).includes("not found")) throw error;
        });
        // Karmada's agent has taken the copies out, and lets go.
        const found = await agent.find(work);
        if (found !== undefined) await agent.update({ ...found, metadata: { ...found.metadata, finalizers: [] } });
      }
      expect(items).toEqual([]);
    });

    await agent.delete({ apiVersion: CLUSTER_API, kind: "Cluster", name: NAME });

    await eventually(async () => {
      expect(await plane.client.find({ apiVersion: CLUSTER_API, kind: "Cluster", name: NAME })).toBeUndefined();
      expect(await plane.client.find(ref(`${RBAC} ClusterRole`, "", ROLE))).toBeUndefined();
      expect(await plane.client.find(ref(`${RBAC} Role`, "karmada-cluster", `${ROLE}-secret`))).toBeUndefined();
    });
    await expect(agent.list(CLUSTER_API, "Cluster")).rejects.toThrow(/forbidden/);
  });

  it("begins anew where an earlier one was broken off", async () => {
    const name = `agent-rbac-generator-${NAME}${random5()}`;
    await certificate(bootstrap, name, "system:karmada:agent:rbac-generator");
    await makeRoles(generator);
    await certificate(bootstrap, `${NAME}-${random5()}`, `system:karmada:agent:${NAME}`);
    expect(await rulesOfAgent()).not.toBe(0);

    const next = `agent-rbac-generator-${NAME}${random5()}`;
    await certificate(bootstrap, next, "system:karmada:agent:rbac-generator");

    await makeRoles(generator);
    await certificate(bootstrap, `${NAME}-${random5()}`, `system:karmada:agent:${NAME}`);
    await agent.list(CLUSTER_API, "Cluster");
  });
});
