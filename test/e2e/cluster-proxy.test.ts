// Members through the control plane, with the real kubectl: by raw paths, by a kubeconfig whose server is the proxy, on
// both engines; and a real kube-apiserver as a member.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseYaml, stringifyYaml } from "../../kube/yaml.ts";
import { runCli } from "../../reconciler/cli/main.ts";
import { eventually } from "./support/eventually.ts";
import { hasKubectl, Kubectl } from "./support/kubectl.ts";
import { engines, type Plane, startPlane } from "./support/plane.ts";
import { findKubeAssets, type RealApiServer, startRealApiServer } from "./support/real-api-server.ts";

const MEMBERS = { member1: { region: "north", zones: ["n1", "n2"] }, member2: {} };
const CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sent}\ndata: {a: b}\n";
const withKubectl = hasKubectl();

function proxyPath(cluster: string, path: string): string {
  return `/apis/cluster.karmada.io/v1alpha1/clusters/${cluster}/proxy${path}`;
}

interface Config {
  readonly clusters: { readonly cluster: { server: string } }[];
  users: { name: string; user: object }[];
}

/** A kubeconfig of the same user (or the one with `token`) whose server is the proxy to a member. */
function throughProxy(kubeconfig: string, folder: string, cluster: string): string {
  const config = parseYaml(readFileSync(kubeconfig, "utf8")) as Config;
  for (const { cluster: each } of config.clusters) each.server += proxyPath(cluster, "");
  const file = join(folder, `${cluster}.kubeconfig`);
  writeFileSync(file, stringifyYaml(config));
  return file;
}

describe.runIf(withKubectl).each(engines())("clusters/proxy, store: %s", (engine) => {
  let plane: Plane;
  let kubectl: Kubectl;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
    plane = await startPlane({ engine, members: MEMBERS });
    kubectl = new Kubectl(plane.kubeconfig, folder);
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("lists clusters in Karmada's columns", async () => {
    const lines = (await kubectl.run("get", "clusters", "-o", "wide")).split("\n").map((line) => line.split(/\s{2,}/));

    expect(lines[0]).toEqual([
      ...["NAME", "VERSION", "MODE", "READY", "AGE", "ZONES", "REGION", "PROVIDER", "API-ENDPOINT", "PROXY-URL"],
    ]);
    expect(lines[1]?.slice(0, 4)).toEqual(["member1", "v1.36.3+flaghoist", "Push", "True"]);
    expect(lines[1]?.slice(5, 8)).toEqual(["n1,n2", "north", "<none>"]);
  });

  it("answers raw paths with what the member answers", async () => {
    expect(JSON.parse(await kubectl.run("get", "--raw", proxyPath("member1", "/version"))).gitVersion).toMatch(/^v1\./);
    const missing = await kubectl.try(["get", "--raw", proxyPath("member1", "/api/v1/namespaces/default/pods/none")]);
    expect(missing.err).toContain('pods "none" not found');
    const unknown = await kubectl.try(["get", "--raw", proxyPath("none", "/version")]);
    expect(unknown.err).toContain('clusters.cluster.karmada.io "none" not found');
  });

  it("serves kubectl whose server is the proxy: discovery, writes, watches", async () => {
    const inMember = new Kubectl(throughProxy(plane.kubeconfig, folder, "member1"), folder);

    expect(await inMember.run("api-resources", "--api-group=apps", "-o", "name")).toContain("deployments.apps");
    expect((await inMember.try(["apply", "-f", "-"], { input: CONFIG_MAP })).out).toBe("configmap/sent created\n");
    expect(
      (
        await plane
          .member("member1")
          .client.find({ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "sent" })
      )?.["data"],
    ).toEqual({ a: "b" });
    const watching = inMember.run("wait", "--for=jsonpath={.data.a}=c", "configmap/sent", "--timeout=15s");
    await inMember.run("patch", "configmap", "sent", "--type=merge", "-p", '{"data":{"a":"c"}}');
    expect(await watching).toBe("configmap/sent condition met\n");
  });

  it("refuses users without the right on clusters/proxy", async () => {
    const asBob = ["--as", "bob", "get", "--raw", proxyPath("member1", "/version")];
    const refused = await kubectl.try(asBob);
    expect(refused.err).toMatch(/User "bob" cannot get resource "clusters\/proxy" in API group "cluster.karmada.io"/);

    await kubectl.run(
      "create",
      "clusterrole",
      "look-into",
      "--verb=get",
      "--resource=clusters.cluster.karmada.io/proxy",
    );
    await kubectl.run("create", "clusterrolebinding", "bob", "--clusterrole=look-into", "--user=bob");
    await eventually(async () => {
      expect((await kubectl.try(asBob)).out).toContain("gitVersion");
    });
    const created = await kubectl.try([
      ...["--as", "bob", "create", "--raw", proxyPath("member1", "/api/v1/namespaces"), "-f", "-"],
    ]);
    expect(created.err).toContain("clusters/proxy");
  });

  it("takes every kind of write of clusters, and keeps who wrote what", async () => {
    const cluster = "apiVersion: cluster.karmada.io/v1alpha1\nkind: Cluster\nmetadata: {name: member2}\n";
    await kubectl.run("label", "cluster", "member2", "stage=test");
    await kubectl.run("patch", "cluster", "member2", "--type=merge", "-p", '{"spec":{"region":"east"}}');
    await kubectl.run(
      ...["patch", "cluster", "member2", "--type=json", "-p"],
      '[{"op":"add","path":"/metadata/annotations","value":{"a":"b"}}]',
    );
    const applied = await kubectl.try(["apply", "--server-side", "--field-manager=me", "-f", "-"], {
      input: `${cluster}spec: {provider: aws}\n`,
    });
    expect([applied.code, applied.err]).toEqual([0, ""]);
    const clash = await kubectl.try(["apply", "--server-side", "--field-manager=other", "-f", "-"], {
      input: `${cluster}spec: {provider: gcp}\n`,
    });
    expect(clash.err).toMatch(/conflict with "me"/);
    expect(clash.err).not.toContain("v1alpha1-store");

    const stored = JSON.parse(await kubectl.run("get", "cluster", "member2", "-o", "json", "--show-managed-fields"));
    expect(stored).toMatchObject({
      metadata: { labels: { stage: "test" } },
      spec: { region: "east", provider: "aws" },
    });
    const versions = stored.metadata.managedFields.map((entry: { apiVersion: string }) => entry.apiVersion);
    expect(new Set(versions)).toEqual(new Set(["cluster.karmada.io/v1alpha1"]));
    const invalid = await kubectl.try([
      "patch",
      "cluster",
      "member2",
      "--type=merge",
      "-p",
      '{"spec":{"syncMode":"x"}}',
    ]);
    expect(invalid.err).toContain("spec.syncMode");
    expect(await kubectl.run("explain", "cluster.spec.region")).toContain("Region the cluster stands in");
  });
});

const withAssets = withKubectl && findKubeAssets() !== undefined;

describe.runIf(withAssets)("a real kube-apiserver as a member", () => {
  let plane: Plane;
  let member: RealApiServer;
  let kubectl: Kubectl;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
    plane = await startPlane({ engine: "embedded", members: {} });
    member = await startRealApiServer(findKubeAssets()!);
    kubectl = new Kubectl(plane.kubeconfig, folder);
    const said: string[] = [];
    const io = {
      out: (text: string) => said.push(text),
      err: (text: string) => said.push(text),
      env: {},
      cwd: folder,
      isTerminal: false,
    };
    const args = ["join", "real", "--cluster-kubeconfig", member.kubeconfig, "--kubeconfig", plane.kubeconfig];
    expect([await runCli(args, io, new AbortController().signal), said.join("")]).toEqual([0, expect.anything()]);
  }, 180_000);

  afterAll(async () => {
    await plane?.close();
    await member?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("knows who asks, and decides by its own rules", async () => {
    const inMember = new Kubectl(throughProxy(plane.kubeconfig, folder, "real"), folder);
    const who = JSON.parse(await inMember.run("auth", "whoami", "-o", "json")).status.userInfo;
    expect(who).toMatchObject({ username: "admin", groups: ["system:masters", "system:authenticated"] });

    await kubectl.run("create", "clusterrole", "through", "--verb=*", "--resource=clusters.cluster.karmada.io/proxy");
    await kubectl.run("create", "clusterrolebinding", "through", "--clusterrole=through", "--user=carol");
    const asCarol = (path: string) => kubectl.try(["--as", "carol", "get", "--raw", proxyPath("real", path)]);
    expect((await asCarol("/api/v1/namespaces")).err).toContain(
      'User "carol" cannot list resource "namespaces" in API group "" at the cluster scope',
    );
    await inMember.run("create", "clusterrole", "look", "--verb=list", "--resource=configmaps");
    await inMember.run("create", "clusterrolebinding", "carol", "--clusterrole=look", "--user=carol");
    await eventually(async () => {
      expect((await asCarol("/api/v1/namespaces/default/configmaps")).out).toContain("ConfigMapList");
    });
  });
});
