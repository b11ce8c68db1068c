import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settleControllers, startTestServer, type TestServer } from "../test-server.ts";

const CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims";
const PODS = "/api/v1/namespaces/default/pods";
const CLAIM = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};
const VOLUME = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: "disk" },
  spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/disk" } },
};

function podWith(name: string, volume: object, spec: object = { nodeName: "n1" }) {
  const containers = [{ name: "a", image: "a:1" }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { ...spec, containers, volumes: [volume] } };
}

describe("storage protection", () => {
  let test: TestServer;

  beforeEach(async () => {
    test = await startTestServer();
    await test.call("POST", CLAIMS, CLAIM);
  });

  afterEach(() => test.server.close());

  async function codeAfterSettling(path: string): Promise<number> {
    await settleControllers();
    return (await test.call("GET", path)).status;
  }

  it("lets a claim go that nothing mounts", async () => {
    const answer = await test.call("DELETE", `${CLAIMS}/data`);

    expect(answer.body["metadata"]?.["finalizers"]).toEqual(["kubernetes.io/pvc-protection"]);
    expect(await codeAfterSettling(`${CLAIMS}/data`)).toBe(404);
  });

  it.each([
    ["by its name", { name: "v", persistentVolumeClaim: { claimName: "data" } }, "user"],
    ["as a volume of its own", { name: "ta", ephemeral: { volumeClaimTemplate: { spec: CLAIM.spec } } }, "da"],
  ])("keeps a claim that a Pod on a node mounts %s, until the Pod is gone", async (_how, volume, pod) => {
    if (pod === "da") await test.call("POST", CLAIMS, { ...CLAIM, metadata: { name: "da-ta" } });
    const claim = pod === "da" ? "da-ta" : "data";
    expect((await test.call("POST", PODS, podWith(pod, volume))).status).toBe(201);

    await test.call("DELETE", `${CLAIMS}/${claim}`);
    expect(await codeAfterSettling(`${CLAIMS}/${claim}`)).toBe(200);

    await test.call("DELETE", `${PODS}/${pod}?gracePeriodSeconds=0`);
    expect(await codeAfterSettling(`${CLAIMS}/${claim}`)).toBe(404);
  });

  it("does not wait for Pods without a node", async () => {
    await test.call("POST", PODS, podWith("waiting", { name: "v", persistentVolumeClaim: { claimName: "data" } }, {}));

    await test.call("DELETE", `${CLAIMS}/data`);

    expect(await codeAfterSettling(`${CLAIMS}/data`)).toBe(404);
  });

  it("leaves other finalizers alone", async () => {
    const patch = JSON.stringify([{ op: "add", path: "/metadata/finalizers/-", value: "example.com/mine" }]);
    await test.call("PATCH", `${CLAIMS}/data`, patch, { "content-type": "application/json-patch+json" });

    await test.call("DELETE", `${CLAIMS}/data`);
    await settleControllers();

    const { body } = await test.call("GET", `${CLAIMS}/data`);
    expect(body["metadata"]?.["finalizers"]).toEqual(["example.com/mine"]);
  });

  it("keeps a volume while it is bound", async () => {
    const path = "/api/v1/persistentvolumes/disk";
    await test.call("POST", "/api/v1/persistentvolumes", VOLUME);
    const merge = { "content-type": "application/merge-patch+json" };
    await test.call("PATCH", `${path}/status`, { status: { phase: "Bound" } }, merge);

    await test.call("DELETE", path);
    expect(await codeAfterSettling(path)).toBe(200);

    await test.call("PATCH", `${path}/status`, { status: { phase: "Released" } }, merge);
    expect(await codeAfterSettling(path)).toBe(404);
  });
});
