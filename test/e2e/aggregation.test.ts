// The embedded server and a real kube-apiserver, one behind the other: each as the aggregator of the other's API group.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureCertificates, FRONT_PROXY_NAME } from "../../fleets/apiserver/http/certificates.ts";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { findCondition } from "../../kube/conditions.ts";
import type { KubeObject } from "../../kube/object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { eventually } from "./support/eventually.ts";
import { hasKubectl, Kubectl } from "./support/kubectl.ts";
import { findKubeAssets, type RealApiServer, startRealApiServer } from "./support/real-api-server.ts";

const FLUNDER = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "flunders.wardle.example.com" },
  spec: {
    group: "wardle.example.com",
    scope: "Namespaced",
    names: { plural: "flunders", kind: "Flunder", shortNames: ["fl"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", properties: { size: { type: "integer", description: "How large it is." } } },
            },
          },
        },
      },
    ],
  },
};

describe.runIf(hasKubectl() && findKubeAssets() !== undefined)("aggregation", () => {
  let folder: string;
  let real: RealApiServer;
  let embedded: ApiServer;
  let listener: Listener;
  let realClient: KubeClient;
  let embeddedClient: KubeClient;
  let onReal: Kubectl;
  let onEmbedded: Kubectl;
  let closeClient: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
    real = await startRealApiServer(findKubeAssets()!);
    const certificates = await ensureCertificates(real.pki, ["127.0.0.1", "localhost"], systemClock);
    embedded = await createApiServer({
      name: "embedded",
      clock: systemClock,
      logger: silentLogger,
      authorization: "rbac",
    });
    listener = await listen(embedded, {
      host: "127.0.0.1",
      port: 0,
      directory: join(folder, "pki"),
      hostnames: ["other.default.svc"],
      requestHeader: { caPem: certificates.frontProxy.caPem, allowedNames: [FRONT_PROXY_NAME] },
      clock: systemClock,
      logger: silentLogger,
    });
    // To the real server, the embedded one is the proxy that it knows.
    embedded.publishCa(listener.caPem, certificates.frontProxy);
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, listener.adminKubeconfig());
    const transport = await openHttpTransportFile(real.kubeconfig);
    closeClient = transport.close;
    realClient = new KubeClient(transport.send);
    embeddedClient = new KubeClient(embedded.handle);
    onReal = new Kubectl(real.kubeconfig, folder);
    onEmbedded = new Kubectl(kubeconfig, folder);
  }, 180_000);

  afterAll(async () => {
    await closeClient?.();
    await listener?.close();
    await embedded?.close();
    await real?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function register(client: KubeClient, group: string, port: number, tls: object): Promise<void> {
    const spec = { type: "ExternalName", externalName: "localhost" };
    await client.create({ apiVersion: "v1", kind: "Service", metadata: { name: "other", namespace: "default" }, spec });
    await client.create({
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: `v1.${group}` },
      spec: {
        group,
        version: "v1",
        groupPriorityMinimum: 2000,
        versionPriority: 10,
        service: { namespace: "default", name: "other", port },
        ...tls,
      },
    });
    await eventually(async () => {
      const service = await client.get({
        apiVersion: "apiregistration.k8s.io/v1",
        kind: "APIService",
        name: `v1.${group}`,
      });
      const status = service["status"] as { conditions?: { type: string; status: string }[] } | undefined;
      const available = findCondition(status?.conditions as never, "Available");
      expect(available).toMatchObject({ status: "True", reason: "Passed" });
    });
  }

  it("serves the embedded server's group through a real kube-aggregator", async () => {
    await embeddedClient.create(FLUNDER as KubeObject);
    const caBundle = Buffer.from(listener.caPem).toString("base64");
    await register(realClient, "wardle.example.com", listener.port, { caBundle });

    await eventually(async () => {
      expect(await onReal.run("api-resources", "--api-group=wardle.example.com", "-o", "name")).toContain("flunders");
    });
    const flunder = "apiVersion: wardle.example.com/v1\nkind: Flunder\nmetadata: {name: f}\nspec: {size: 3}\n";
    const created = await onReal.try(["apply", "--server-side", "-f", "-"], { input: flunder });
    expect([created.out, created.err]).toEqual(["flunder.wardle.example.com/f serverside-applied\n", ""]);
    expect((await embeddedClient.list("wardle.example.com/v1", "Flunder")).items).toHaveLength(1);
    expect(await onReal.run("get", "fl", "f", "-o", "jsonpath={.spec.size}")).toBe("3");
    await eventually(async () => {
      expect(await onReal.run("explain", "flunder.spec.size")).toContain("How large it is.");
    });
    // The embedded server decides about the user whom the aggregator names.
    await onReal.run("create", "clusterrole", "fl", "--verb=*", "--resource=flunders.wardle.example.com");
    await onReal.run("create", "clusterrolebinding", "fl", "--clusterrole=fl", "--user=zoe");
    await eventually(async () => {
      expect((await onReal.try(["--as", "zoe", "get", "fl"])).err).toContain(
        'User "zoe" cannot list resource "flunders" in API group "wardle.example.com" in the namespace "default"',
      );
    });
    const role = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
    await embeddedClient.create({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "zoe" },
      roleRef: role,
      subjects: [{ kind: "User", name: "zoe", apiGroup: "rbac.authorization.k8s.io" }],
    });
    expect(await onReal.run("--as", "zoe", "get", "fl", "-o", "name")).toBe("flunder.wardle.example.com/f\n");
  });

  it("serves a real kube-apiserver's group through the embedded aggregator", async () => {
    const { port } = new URL(real.url);
    await register(embeddedClient, "flowcontrol.apiserver.k8s.io", Number(port), { insecureSkipTLSVerify: true });

    expect(await onEmbedded.run("get", "flowschemas", "exempt", "-o", "name")).toBe(
      "flowschema.flowcontrol.apiserver.k8s.io/exempt\n",
    );
    expect((await embeddedClient.list("flowcontrol.apiserver.k8s.io/v1", "FlowSchema")).items.length).toBeGreaterThan(
      5,
    );
    expect(await onEmbedded.run("get", "--raw", "/apis/flowcontrol.apiserver.k8s.io/v1")).toContain("flowschemas");
    await eventually(async () => {
      expect(await onEmbedded.run("explain", "flowschema.spec.matchingPrecedence")).toContain("matchingPrecedence");
    });
    // The real server knows the user by name, and decides by its own rules.
    const reader = { apiGroups: ["flowcontrol.apiserver.k8s.io"], resources: ["*"], verbs: ["get", "list"] };
    await embeddedClient.create({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "reader" },
      rules: [reader],
    });
    await onEmbedded.run("create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=yan");
    expect((await onEmbedded.try(["--as", "yan", "get", "flowschemas"])).err).toContain(
      'User "yan" cannot list resource "flowschemas" in API group "flowcontrol.apiserver.k8s.io" at the cluster scope',
    );
  });
});
