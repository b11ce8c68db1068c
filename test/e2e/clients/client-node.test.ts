// The JavaScript client of Kubernetes: typed and generic clients, and informers that outlive a restart of the server.
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type Informer,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  type ObjectCache,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type Endpoint, startEndpoint } from "./endpoint.ts";

const NAMESPACE = "default";
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const PATIENCE = { withinMs: 15_000 };

let endpoint: Endpoint;
let config: KubeConfig;
let core: CoreV1Api;

beforeAll(async () => {
  endpoint = await startEndpoint({ durable: true });
  config = new KubeConfig();
  config.loadFromFile(endpoint.kubeconfig);
  core = config.makeApiClient(CoreV1Api);
});

afterAll(() => endpoint?.close());

function configMap(name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): V1ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: NAMESPACE, labels }, data };
}

function createConfigMap(...args: Parameters<typeof configMap>): Promise<V1ConfigMap> {
  return core.createNamespacedConfigMap({ namespace: NAMESPACE, body: configMap(...args) });
}

describe("typed clients", () => {
  it("create, read, replace, patch, list and delete", async () => {
    const created = await createConfigMap("typed", { a: "1" });
    expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date);

    created.data = { a: "2" };
    const replaced = await core.replaceNamespacedConfigMap({ name: "typed", namespace: NAMESPACE, body: created });
    const patched = await core.patchNamespacedConfigMap(
      { name: "typed", namespace: NAMESPACE, body: { data: { b: "3" } } },
      setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
    );
    const listed = await core.listNamespacedConfigMap({ namespace: NAMESPACE, fieldSelector: "metadata.name=typed" });
    await core.deleteNamespacedConfigMap({ name: "typed", namespace: NAMESPACE });

    expect(replaced.data).toEqual({ a: "2" });
    expect(patched.data).toEqual({ a: "2", b: "3" });
    expect(listed.items.map(({ metadata }) => metadata?.name)).toEqual(["typed"]);
    await expect(core.readNamespacedConfigMap({ name: "typed", namespace: NAMESPACE })).rejects.toMatchObject({
      code: 404,
    });
  });

  it("see a conflict as one", async () => {
    const old = await createConfigMap("contested");
    await core.replaceNamespacedConfigMap({
      name: "contested",
      namespace: NAMESPACE,
      body: { ...old, data: { a: "1" } },
    });

    const late = core.replaceNamespacedConfigMap({ name: "contested", namespace: NAMESPACE, body: old });

    await expect(late).rejects.toMatchObject({ code: 409 });
  });

  it("scale a Deployment", async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i:1" }] } };
    const spec = { replicas: 1, selector: { matchLabels: { a: "b" } }, template };
    await apps.createNamespacedDeployment({ namespace: NAMESPACE, body: { metadata: { name: "web" }, spec } });

    const scale = await apps.readNamespacedDeploymentScale({ name: "web", namespace: NAMESPACE });
    scale.spec = { replicas: 4 };
    await apps.replaceNamespacedDeploymentScale({ name: "web", namespace: NAMESPACE, body: scale });

    const live = await apps.readNamespacedDeployment({ name: "web", namespace: NAMESPACE });
    expect([live.spec?.replicas, live.metadata?.generation]).toEqual([4, 2]);
  });
});

describe("the generic client", () => {
  it("applies objects, those of custom kinds included", async () => {
    const client = KubernetesObjectApi.makeApiClient(config);
    const group = "node.example.com";
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const version = { name: "v1", served: true, storage: true, schema };
    const names = { kind: "Cup", plural: "cups" };
    await client.create({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `cups.${group}` },
      spec: { group, scope: "Namespaced", names, versions: [version] },
    } as object);

    const cup = {
      apiVersion: `${group}/v1`,
      kind: "Cup",
      metadata: { name: "c", namespace: NAMESPACE },
      spec: { size: 1 },
    };
    await client.patch(cup, undefined, undefined, "node", true, PatchStrategy.ServerSideApply);
    const applied = await client.read(cup);
    const custom = config.makeApiClient(CustomObjectsApi);
    const listed = await custom.listClusterCustomObject({ group, version: "v1", plural: "cups" });

    expect(applied.metadata?.managedFields?.[0]).toMatchObject({ manager: "node", operation: "Apply" });
    expect((listed as { items: unknown[] }).items).toHaveLength(1);
  });
});

describe("watches", () => {
  it("from a revision that is forgotten tell that it is", async () => {
    const watch = new Watch(config);
    await createConfigMap("before");
    endpoint.server.compact();
    const seen: { type: string; code: number }[] = [];

    await new Promise<void>((resolve, reject) => {
      const onEvent = (type: string, object: { code: number }): void => {
        seen.push({ type, code: object.code });
      };
      watch.watch(CONFIG_MAPS, { resourceVersion: "1" }, onEvent, () => resolve()).catch(reject);
    });

    expect(seen).toEqual([{ type: "ERROR", code: 410 }]);
  });
});

describe("an informer", () => {
  let informer: (Informer<V1ConfigMap> & ObjectCache<V1ConfigMap>) | undefined;

  afterEach(() => informer?.stop());

  async function inform(label: string): Promise<string[]> {
    const heard: string[] = [];
    const list = () => core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: label });
    const started = makeInformer(config, CONFIG_MAPS, list, label);
    for (const verb of ["add", "update", "delete"] as const)
      started.on(verb, (object: V1ConfigMap) => heard.push(`${verb} ${object.metadata?.name}`));
    // As its users do: begin anew after an error, a little later.
    started.on("error", () => setTimeout(() => void started.start(), 50));
    informer = started;
    await started.start();
    return heard;
  }

  it("hears what is there and what changes, of those that its label selects", async () => {
    await createConfigMap("there", {}, { set: "one" });
    const heard = await inform("set=one");

    await createConfigMap("fresh", {}, { set: "one" });
    await createConfigMap("other", {}, { set: "two" });
    const labels = (set: string) => ({ metadata: { labels: { set } } });
    const merge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
    await core.patchNamespacedConfigMap({ name: "other", namespace: NAMESPACE, body: labels("one") }, merge);
    await core.patchNamespacedConfigMap({ name: "there", namespace: NAMESPACE, body: labels("two") }, merge);
    await core.deleteNamespacedConfigMap({ name: "fresh", namespace: NAMESPACE });

    const wanted = ["add there", "add fresh", "add other", "delete there", "delete fresh"];
    await eventually(() => expect(heard).toEqual(wanted), PATIENCE);
    expect(informer?.list().map(({ metadata }) => metadata?.name)).toEqual(["other"]);
  });

  it("catches up with a server that was restarted", async () => {
    await createConfigMap("stays", {}, { set: "three" });
    await createConfigMap("goes", {}, { set: "three" });
    const heard = await inform("set=three");
    await eventually(() => expect(heard).toHaveLength(2), PATIENCE);

    await endpoint.restart();
    await core.deleteNamespacedConfigMap({ name: "goes", namespace: NAMESPACE });
    await createConfigMap("comes", {}, { set: "three" });

    await eventually(() => expect(heard).toEqual(expect.arrayContaining(["delete goes", "add comes"])), PATIENCE);
    expect(
      informer
        ?.list()
        .map(({ metadata }) => metadata?.name)
        .toSorted(),
    ).toEqual(["comes", "stays"]);
  });
});
