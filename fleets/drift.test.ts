// Drift as a real API server's answers show it: every case applies to the embedded server and compares.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { findDrift } from "./drift.ts";

const US = "flaghoist";

let server: ApiServer;
let client: KubeClient;
const clock = new FakeClock();

beforeAll(async () => {
  server = await createApiServer({ name: "test", clock, logger: silentLogger });
  client = new KubeClient(server.handle);
});

afterAll(() => server.close());

let count = 0;

function deployment(changes: (spec: Record<string, unknown>) => void = () => {}): KubeObject {
  const name = `web-${count++}`;
  const spec: Record<string, unknown> = {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [
          {
            name: "web",
            image: "web:1",
            args: ["--verbose"],
            env: [
              { name: "MODE", value: "prod" },
              { name: "LEVEL", value: "info" },
            ],
            ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }],
            resources: { requests: { cpu: "1000m", memory: "1024Mi" } },
          },
        ],
      },
    },
  };
  changes(spec);
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: "default" }, spec };
}

async function apply(object: KubeObject): Promise<KubeObject> {
  return client.apply(object, { fieldManager: US, force: true });
}

async function jsonPatch(object: KubeObject, patch: unknown, manager = "kubectl-edit"): Promise<KubeObject> {
  await clock.advance(60_000);
  return client.patch(refOf(object), patch, "json", { fieldManager: manager });
}

const CONTAINER = "/spec/template/spec/containers/0";

describe("findDrift", () => {
  it("finds nothing after an apply, whatever the server has defaulted and rewritten", async () => {
    const answer = await apply(deployment());
    const live = await client.get(refOf(answer));

    expect(findDrift(answer, live, US)).toEqual([]);
    expect(answer["spec"]).toMatchObject({ progressDeadlineSeconds: 600 });
  });

  it.each<[string, string, unknown, unknown, unknown]>([
    ["a number", "spec.replicas", [{ op: "replace", path: "/spec/replicas", value: 5 }], 2, 5],
    [
      "an item of a list with keys",
      "spec.template.spec.containers[name=web].image",
      [{ op: "replace", path: `${CONTAINER}/image`, value: "web:evil" }],
      "web:1",
      "web:evil",
    ],
    [
      "a whole list without keys",
      "spec.template.spec.containers[name=web].args",
      [{ op: "add", path: `${CONTAINER}/args/-`, value: "--debug" }],
      ["--verbose"],
      ["--verbose", "--debug"],
    ],
    [
      "a quantity that is another amount",
      "spec.template.spec.containers[name=web].resources.requests.cpu",
      [{ op: "replace", path: `${CONTAINER}/resources/requests/cpu`, value: "2" }],
      "1",
      "2",
    ],
    [
      "a value of an item that was taken away",
      "spec.template.spec.containers[name=web].env[name=MODE]",
      [{ op: "remove", path: `${CONTAINER}/env/0` }],
      { name: "MODE", value: "prod" },
      undefined,
    ],
    [
      "an item of a list with two keys",
      "spec.template.spec.containers[name=web].ports[containerPort=80,protocol=TCP]",
      [{ op: "remove", path: `${CONTAINER}/ports/0` }],
      expect.objectContaining({ containerPort: 80 }),
      undefined,
    ],
    [
      "a list that was taken away whole",
      "spec.template.spec.containers[name=web].env",
      [{ op: "remove", path: `${CONTAINER}/env` }],
      expect.arrayContaining([{ name: "MODE", value: "prod" }]),
      undefined,
    ],
  ])("sees %s: %s", async (_what, path, patch, wanted, found) => {
    const answer = await apply(deployment());

    const live = await jsonPatch(answer, patch);

    const drift = findDrift(answer, live, US);
    expect(drift.map((field) => field.path)).toContain(path);
    expect(drift.find((field) => field.path === path)).toMatchObject({ wanted });
    expect(drift.find((field) => field.path === path)?.found).toEqual(found);
  });

  it("says who changed a field, and when", async () => {
    const answer = await apply(deployment());
    await jsonPatch(answer, [{ op: "replace", path: "/spec/replicas", value: 3 }], "first");

    const live = await jsonPatch(answer, [{ op: "replace", path: "/spec/replicas", value: 4 }], "second");

    expect(findDrift(answer, live, US)).toMatchObject([
      { path: "spec.replicas", manager: "second", time: new Date(clock.now()).toISOString().replace(".000", "") },
    ]);
  });

  it("sees replicas that were changed through the scale", async () => {
    const answer = await apply(deployment());
    const { name } = answer.metadata;
    await client.raw("PUT", `/apis/apps/v1/namespaces/default/deployments/${name}/scale?fieldManager=autoscaler`, {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name, namespace: "default" },
      spec: { replicas: 9 },
    });

    const live = await client.get(refOf(answer));

    expect(findDrift(answer, live, US)).toMatchObject([{ path: "spec.replicas", found: 9, manager: "autoscaler" }]);
  });

  it.each<[string, unknown]>([
    ["fields that we never set", [{ op: "add", path: "/spec/paused", value: true }]],
    ["labels of others", [{ op: "add", path: "/metadata/labels", value: { team: "shop" } }]],
    ["an item of others", [{ op: "add", path: `${CONTAINER}/env/-`, value: { name: "OTHER", value: "x" } }]],
    [
      "a container of others",
      [{ op: "add", path: "/spec/template/spec/containers/-", value: { name: "b", image: "b" } }],
    ],
    ["the order of items", [{ op: "add", path: `${CONTAINER}/env/0`, value: { name: "FIRST", value: "x" } }]],
    ["a change that changes nothing", [{ op: "replace", path: "/spec/replicas", value: 2 }]],
    [
      "the same amount written differently",
      [{ op: "replace", path: `${CONTAINER}/resources/requests/cpu`, value: "1" }],
    ],
  ])("leaves alone %s", async (_what, patch) => {
    const answer = await apply(deployment());

    const live = await jsonPatch(answer, patch);

    expect(findDrift(answer, live, US)).toEqual([]);
  });

  it("leaves alone what others put into a map that we applied empty", async () => {
    const answer = await apply(
      deployment((spec) => {
        (spec["template"] as Record<string, Record<string, unknown>>)["metadata"] = {
          labels: { app: "web" },
          annotations: {},
        };
        (spec["template"] as { spec: Record<string, unknown> }).spec["nodeSelector"] = {};
      }),
    );

    const live = await jsonPatch(answer, [
      { op: "add", path: "/spec/template/metadata/annotations", value: { restartedAt: "now" } },
    ]);

    expect(findDrift(answer, live, US)).toEqual([]);
  });

  it("leaves the status alone", async () => {
    const answer = await apply(deployment());
    const live = await client.patch(refOf(answer), { status: { replicas: 2 } }, "merge", { subresource: "status" });

    expect(findDrift(answer, live, US)).toEqual([]);
  });

  it("sees a data key that was changed, and one that was removed, under names with dots", async () => {
    const answer = await apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `settings-${count++}`, namespace: "default" },
      data: { "app.properties": "a=1", plain: "x" },
    });

    const live = await client.patch(refOf(answer), { data: { "app.properties": null, plain: "y" } }, "merge", {
      fieldManager: "kubectl-edit",
    });

    expect(findDrift(answer, live, US)).toMatchObject([
      { path: 'data["app.properties"]', wanted: "a=1", found: undefined, manager: undefined },
      { path: "data.plain", wanted: "x", found: "y", manager: "kubectl-edit" },
    ]);
  });

  it("says nothing about an object that we have not applied", async () => {
    const created = await client.create(deployment(), { fieldManager: "someone" });

    expect(findDrift(created, created, US)).toEqual([]);
  });
});
