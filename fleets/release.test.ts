import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import type { Transport } from "../kube/client/transport.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { applyManifest } from "./apply.ts";
import { Member } from "./member.ts";
import { releaseManifest, removeManifest } from "./release.ts";

let server: ApiServer;
/** The member's own people. */
let people: KubeClient;
let member: Member;
const clock = new FakeClock();

beforeEach(async () => {
  server = await createApiServer({ name: "member", clock, logger: silentLogger });
  people = new KubeClient(server.handle);
  member = new Member({ name: "paris-1", clock, logger: silentLogger, transport: server.handle });
});

afterEach(async () => {
  await member.close();
  await server.close();
});

function manifest(annotations: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace: "default", labels: { "karmada.io/managed": "true" }, annotations },
    data: { color: "blue" },
  };
}

function foreign(): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "default" } };
}

async function put(object: KubeObject): Promise<void> {
  await applyManifest(member, object, { retain: (desired) => desired });
}

async function live(): Promise<KubeObject | undefined> {
  return people.find(refOf(manifest()));
}

describe("removeManifest", () => {
  it("deletes what is ours", async () => {
    await put(manifest());

    expect(await removeManifest(member, refOf(manifest()))).toBe(true);
    expect(await live()).toBeUndefined();
    expect(member.applied(refOf(manifest()))).toBeUndefined();
  });

  it("leaves what is not", async () => {
    await people.create(foreign());

    expect(await removeManifest(member, refOf(manifest()))).toBe(false);
    expect(await live()).toBeDefined();
  });

  it("leaves what others took for themselves a moment ago, unheard by us", async () => {
    await put(manifest());
    const before = await live();
    await people.patch(refOf(manifest()), { metadata: { labels: { "karmada.io/managed": null } } }, "merge");
    // All that is asked of a member here.
    const late = { live: async () => before, client: member.client, forgetApplied: () => {} };

    expect(await removeManifest(late as unknown as Member, refOf(manifest()))).toBe(false);
    expect((await live())?.metadata.uid).toBe(before?.metadata.uid);
  });

  it("deletes what is ours although it changed a moment ago, unheard by us", async () => {
    await put(manifest());
    const before = await live();
    await people.patch(refOf(manifest()), { data: { theirs: "x" } }, "merge");
    const late = { live: async () => before, client: member.client, forgetApplied: () => {} };

    expect(await removeManifest(late as unknown as Member, refOf(manifest()))).toBe(true);
    expect(await live()).toBeUndefined();
  });

  it("has nothing to do where nothing is, or where the kind is gone", async () => {
    expect(await removeManifest(member, refOf(manifest()))).toBe(false);
    expect(await removeManifest(member, { apiVersion: "example.org/v1", kind: "Widget", name: "w" })).toBe(false);
  });

  it("does not take a cluster's word that a group is gone which every cluster has", async () => {
    const isAsked = (path: string): boolean => path === "/apis";
    const without: Transport = async (request) =>
      isAsked(request.path) ? { status: 200, headers: {}, body: Buffer.from('{"items":[]}') } : server.handle(request);
    const silent = new Member({ name: "paris-1", clock, logger: silentLogger, transport: without });

    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };
    await expect(removeManifest(silent, ref)).rejects.toThrow("there is no kind Deployment");

    await silent.close();
  });
});

describe("releaseManifest", () => {
  const strip = { labels: ["karmada.io/managed"], annotations: ["work.karmada.io/name"] };

  it("leaves the object, without our marks and our claim on its fields", async () => {
    await put(manifest({ "work.karmada.io/name": "w", theirs: "yes" }));

    await releaseManifest(member, refOf(manifest()), strip);

    const left = await live();
    expect(left?.["data"]).toEqual({ color: "blue" });
    expect(left?.metadata.labels ?? {}).toEqual({});
    expect(left?.metadata.annotations).toEqual({ theirs: "yes" });
    expect((left?.metadata.managedFields ?? []).map((entry) => entry.manager)).not.toContain("flaghoist");
  });

  it("keeps the claims of others", async () => {
    await put(manifest());
    await people.patch(refOf(manifest()), { data: { theirs: "x" } }, "merge", { fieldManager: "kubectl-edit" });

    await releaseManifest(member, refOf(manifest()), strip);

    expect((await live())?.metadata.managedFields?.map((entry) => entry.manager)).toContain("kubectl-edit");
  });

  it("leaves alone what is not ours or not there", async () => {
    await releaseManifest(member, refOf(manifest()), strip);
    const before = await people.create(foreign());
    await releaseManifest(member, refOf(manifest()), strip);

    expect((await live())?.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});
