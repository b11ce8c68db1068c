import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import { apiUnreachable } from "../kube/client/status-error.ts";
import type { ApiRequest, Transport } from "../kube/client/transport.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { eventually } from "../test/e2e/support/eventually.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { type ApplyOptions, type ApplyResult, applyManifest } from "./apply.ts";
import { Member } from "./member.ts";

let server: ApiServer;
/** The member's own people. */
let people: KubeClient;
let member: Member;
let requests: ApiRequest[];
const clock = new FakeClock();

beforeEach(async () => {
  server = await createApiServer({ name: "member", clock, logger: silentLogger });
  people = new KubeClient(server.handle);
  requests = [];
  member = connect();
});

afterEach(async () => {
  await member.close();
  await server.close();
});

function connect(way: Transport = server.handle): Member {
  return new Member({
    name: "paris-1",
    clock,
    logger: silentLogger,
    transport: (request) => {
      requests.push(request);
      return way(request);
    },
  });
}

/** As after a restart of the process: nothing is remembered. */
async function reconnect(way: Transport = server.handle): Promise<void> {
  await member.close();
  member = connect(way);
}

function writes(): string[] {
  return requests.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path.split("?")[0]}`);
}

function manifest(data: Record<string, string> = { color: "blue" }, annotations?: Record<string, string>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "settings",
      namespace: "default",
      labels: { "karmada.io/managed": "true" },
      ...(annotations === undefined ? {} : { annotations }),
    },
    data,
  };
}

function foreign(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace: "default" },
    data: { a: "1" },
  };
}

function apply(object: KubeObject, options: Partial<ApplyOptions> = {}): Promise<ApplyResult> {
  return applyManifest(member, object, { retain: (desired) => desired, ...options });
}

/** What we watch in the member, once it is as wished. */
async function seen(check: (object: KubeObject | undefined) => boolean): Promise<void> {
  await eventually(() => check(member.cached(refOf(manifest()))));
}

async function edit(data: Record<string, string | null>): Promise<void> {
  await people.patch(refOf(manifest()), { data }, "merge", { fieldManager: "kubectl-edit" });
  await seen((object) => Object.entries(data).every(([key, value]) => dataOf(object)?.[key] === (value ?? undefined)));
}

function dataOf(object: KubeObject | undefined): Record<string, string> | undefined {
  return object?.["data"] as Record<string, string> | undefined;
}

async function live(): Promise<KubeObject | undefined> {
  return people.find(refOf(manifest()));
}

describe("applyManifest", () => {
  it("creates what is not there", async () => {
    const result = await apply(manifest());

    expect(result).toMatchObject({ outcome: "created", drift: [] });
    expect(dataOf(await live())).toEqual({ color: "blue" });
  });

  it("makes what is new without asking whether it is there", async () => {
    await apply(manifest());

    const other = { ...manifest(), metadata: { ...manifest().metadata, name: "other" } };
    requests.length = 0;
    await apply(other, { isNew: true });

    expect(requests.map(({ method }) => method)).toEqual(["PATCH"]);
  });

  it("finds its own object where no list and no watch has told of it", async () => {
    await apply(manifest());
    await reconnect((request) => server.handle({ ...request, path: request.path.replace("karmada.io", "nobody") }));

    expect(await apply(manifest({ color: "green" }), { isNew: true })).toMatchObject({ outcome: "configured" });
    expect(dataOf(await live())).toEqual({ color: "green" });
  });

  it("creates where what was in the way has gone", async () => {
    await people.create(foreign());
    await reconnect(async (request) => {
      const answer = await server.handle(request);
      if (answer.status === 409) await people.delete(refOf(manifest()));
      return answer;
    });

    expect(await apply(manifest(), { isNew: true })).toMatchObject({ outcome: "created" });
    expect(dataOf(await live())).toEqual({ color: "blue" });
  });

  it("sends nothing for what has not changed", async () => {
    await apply(manifest());
    await seen((object) => object !== undefined);
    requests.length = 0;

    const outcomes = [await apply(manifest()), await apply(manifest())].map(({ outcome }) => outcome);

    expect(outcomes).toEqual(["unchanged", "unchanged"]);
    expect(requests.filter((request) => !request.path.includes("watch=true"))).toEqual([]);
  });

  it("sends a changed manifest, and removes what it no longer says", async () => {
    await apply(manifest({ color: "blue", size: "big" }));

    const result = await apply(manifest({ color: "green" }));

    expect(result).toMatchObject({ outcome: "configured", drift: [] });
    expect(dataOf(await live())).toEqual({ color: "green" });
  });

  it("undoes what others changed, says what it was, and leaves alone what they added", async () => {
    await apply(manifest());
    await edit({ color: "red", theirs: "x" });

    const result = await apply(manifest());

    expect(result).toMatchObject({
      outcome: "corrected",
      drift: [{ path: "data.color", wanted: "blue", found: "red", manager: "kubectl-edit" }],
    });
    expect(dataOf(await live())).toEqual({ color: "blue", theirs: "x" });
    expect(await apply(manifest())).toMatchObject({ outcome: "unchanged", drift: [] });
  });

  it("makes anew what others deleted", async () => {
    await apply(manifest());
    await people.delete(refOf(manifest()));
    await seen((object) => object === undefined);

    expect(await apply(manifest())).toMatchObject({ outcome: "created" });
    expect(await live()).toBeDefined();
  });

  it("takes an object made anew by others under its name for another one", async () => {
    await apply(manifest());
    await people.delete(refOf(manifest()));
    await people.create(foreign());
    await seen((object) => object === undefined);

    await expect(apply(manifest())).rejects.toMatchObject({ code: "member-object-foreign" });
  });

  it("keeps what the member decides", async () => {
    const retain: ApplyOptions["retain"] = (desired, live) => ({
      ...desired,
      data: { ...dataOf(desired), color: dataOf(live)?.["color"] },
    });
    await apply(manifest(), { retain });
    await edit({ color: "red" });

    await apply(manifest({ color: "blue", size: "big" }), { retain });

    expect(dataOf(await live())).toEqual({ color: "red", size: "big" });
  });
});

describe("applyManifest when an answer gets lost", () => {
  it("does not take its own change for drift", async () => {
    let isLost = false;
    await member.close();
    member = connect(async (request) => {
      const answer = await server.handle(request);
      if (isLost && request.method === "PATCH") throw apiUnreachable("PATCH", new Error("connection reset"));
      return answer;
    });
    await apply(manifest({ color: "blue", shape: "round" }));
    isLost = true;
    await expect(apply(manifest({ color: "red" }))).rejects.toThrow("no answer");
    isLost = false;
    await seen((object) => dataOf(object)?.["color"] === "red");

    const result = await apply(manifest({ color: "red" }));

    expect(result.drift).toEqual([]);
    expect(dataOf(await live())).toEqual({ color: "red" });
  });
});

describe("applyManifest and what is carried over", () => {
  let asked: number;
  const retain = (desired: KubeObject): KubeObject => {
    asked++;
    return desired;
  };

  beforeEach(() => {
    asked = 0;
  });

  it("does not ask while neither the manifest nor what was applied has changed", async () => {
    await apply(manifest(), { retain });
    await edit({ theirs: "x" });
    await apply(manifest(), { retain });

    expect(asked).toBe(0);
  });

  it("asks for a changed manifest, for drift, and when it would be answered by other rules", async () => {
    await apply(manifest(), { retain });

    await apply(manifest({ color: "green" }), { retain });
    expect(asked).toBe(1);

    await edit({ color: "red" });
    await apply(manifest({ color: "green" }), { retain });
    expect(asked).toBe(2);

    await apply(manifest({ color: "green" }), { retain, retainVersion: 1 });
    await apply(manifest({ color: "green" }), { retain, retainVersion: 1 });
    expect(asked).toBe(3);
  });

  it("goes by the state that the object has once it was answered", async () => {
    await apply(manifest(), { retain });
    const seen: unknown[] = [];

    await apply(manifest({ color: "green" }), {
      retain: async (desired, live) => {
        seen.push(live["data"]);
        if (seen.length === 1) await edit({ theirs: "x" });
        return desired;
      },
    });

    expect(seen).toEqual([{ color: "blue" }, { color: "blue", theirs: "x" }]);
  });
});

describe("applyManifest with drift only reported", () => {
  const report = { rules: { mode: "report", rules: [] } } as const;

  it("finds it at every look and writes nothing", async () => {
    await apply(manifest(), report);
    await edit({ color: "red" });
    requests.length = 0;

    for (let look = 0; look < 2; look++)
      expect(await apply(manifest(), report)).toMatchObject({
        outcome: "unchanged",
        drift: [{ path: "data.color", wanted: "blue", found: "red", manager: "kubectl-edit" }],
      });

    expect(writes()).toEqual([]);
    expect(dataOf(await live())).toEqual({ color: "red" });
  });

  it("sends a changed manifest all the same", async () => {
    await apply(manifest(), report);

    expect(await apply(manifest({ color: "green" }), report)).toMatchObject({ outcome: "configured" });
    expect(dataOf(await live())).toEqual({ color: "green" });
  });

  it("still finds it after a restart, before and after the member's objects are listed", async () => {
    await apply(manifest(), report);
    await edit({ color: "red" });
    await reconnect();
    const drift = [{ path: "data.color", wanted: "blue", found: "red", manager: "kubectl-edit" }];

    expect(await apply(manifest(), report)).toMatchObject({ outcome: "unchanged", drift });
    await eventually(() => member.informer("v1", "ConfigMap").hasSynced);

    expect(await apply(manifest(), report)).toMatchObject({ outcome: "unchanged", drift });
    expect(dataOf(await live())).toEqual({ color: "red" });
    expect(dataOf(member.cached(refOf(manifest())))).toEqual({ color: "red" });
  });
});

describe("applyManifest after a restart", () => {
  it("changes nothing where nothing has changed", async () => {
    const { object } = await apply(manifest());
    await reconnect();

    const result = await apply(manifest());

    expect(result).toMatchObject({ outcome: "unchanged", drift: [] });
    expect((await live())?.metadata.resourceVersion).toBe(object.metadata.resourceVersion);
  });

  it("sends nothing that is known to have been applied, whatever the member has decided since", async () => {
    const service: KubeObject = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "default", labels: { "karmada.io/managed": "true" } },
      spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
    };
    const retain = (desired: KubeObject, live: KubeObject): KubeObject => {
      const { clusterIP } = live["spec"] as { clusterIP: string };
      return { ...desired, spec: { ...(desired["spec"] as object), clusterIP } };
    };
    const known = { retain, appliedBefore: true };
    await apply(service, { retain });
    for (const changed of [
      service,
      { ...service, spec: { ...(service["spec"] as object), sessionAffinity: "None" } },
    ]) {
      await apply(changed, { retain });
      await reconnect();
      requests.length = 0;

      expect(await apply(changed, known)).toMatchObject({ outcome: "unchanged", drift: [] });
      expect(await apply(changed, known)).toMatchObject({ outcome: "unchanged", drift: [] });
      expect(writes()).toEqual([]);
    }
  });

  it("undoes what others changed meanwhile, and says so", async () => {
    await apply(manifest());
    await edit({ color: "red" });
    await reconnect();

    expect(await apply(manifest())).toMatchObject({
      outcome: "corrected",
      drift: [{ path: "data.color", found: "red", manager: "kubectl-edit" }],
    });
  });

  it("does not take a change of the manifest for drift", async () => {
    await apply(manifest());
    await reconnect();

    expect(await apply(manifest({ color: "green" }))).toMatchObject({ outcome: "configured", drift: [] });
  });
});

describe("applyManifest to an object that was there before us", () => {
  it("refuses, in Karmada's words, and writes nothing", async () => {
    await people.create(foreign());

    await expect(apply(manifest())).rejects.toMatchObject({
      code: "member-object-foreign",
      message:
        "resource(kind=ConfigMap, default/settings) already exists in the cluster paris-1 and the " +
        "work.karmada.io/conflict-resolution strategy value is empty, Karmada will not manage this resource",
    });
    expect(writes()).toEqual([]);
  });

  it("leaves it as it was where nobody had asked whether it is there", async () => {
    const before = await people.create(foreign());

    await expect(apply(manifest(), { isNew: true })).rejects.toMatchObject({ code: "member-object-foreign" });

    expect(await live()).toEqual(before);
  });

  it("leaves what somebody makes right after it was asked for", async () => {
    await reconnect(async (request) => {
      const answer = await server.handle(request);
      if (answer.status === 404) await people.create(foreign());
      return answer;
    });

    await expect(apply(manifest())).rejects.toMatchObject({ code: "member-object-foreign" });

    expect(await live()).toMatchObject({ data: { a: "1" } });
    expect((await live())?.metadata.labels).toBeUndefined();
  });

  it("adopts it when told to overwrite, keeping what it has besides", async () => {
    await people.create(foreign());

    const result = await apply(manifest({ color: "blue" }, { "work.karmada.io/conflict-resolution": "overwrite" }));

    expect(result).toMatchObject({ outcome: "configured", drift: [] });
    expect(dataOf(await live())).toEqual({ a: "1", color: "blue" });
    expect((await live())?.metadata.labels).toEqual({ "karmada.io/managed": "true" });
  });
});

describe("applyManifest to an object that changes while it is sent", () => {
  /** Others do that right before each of our writes, so that no watch could have told of it. */
  async function raceWith(change: () => Promise<unknown>, times = 1): Promise<void> {
    let left = times;
    await reconnect(async (request) => {
      if (request.method === "PATCH" && left-- > 0) await change();
      return server.handle(request);
    });
  }

  function annotate(): Promise<unknown> {
    return people.patch(refOf(manifest()), { metadata: { annotations: { seen: `${requests.length}` } } }, "merge", {});
  }

  it("does not take back what others released meanwhile", async () => {
    await apply(manifest());
    await raceWith(() =>
      people.patch(refOf(manifest()), { metadata: { labels: { "karmada.io/managed": null } } }, "merge", {}),
    );

    await expect(apply(manifest({ color: "red" }))).rejects.toMatchObject({ code: "member-object-foreign" });

    expect((await live())?.metadata.labels).toBeUndefined();
    expect(dataOf(await live())).toEqual({ color: "blue" });
  });

  it("looks at it once more where it only has another revision", async () => {
    await apply(manifest());
    await raceWith(annotate);
    requests = [];

    await apply(manifest({ color: "red" }));

    expect(dataOf(await live())).toEqual({ color: "red" });
    expect(writes()).toHaveLength(2);
    expect(requests.filter(({ method, path }) => method === "GET" && path.endsWith("/settings"))).toHaveLength(1);
  });

  it("makes what was deleted meanwhile", async () => {
    await apply(manifest());
    await raceWith(() => people.delete(refOf(manifest())));

    await apply(manifest({ color: "red" }));

    expect(dataOf(await live())).toEqual({ color: "red" });
  });

  it("is not kept out by somebody who never rests", async () => {
    await apply(manifest());
    await raceWith(annotate, Number.POSITIVE_INFINITY);
    requests = [];

    await apply(manifest({ color: "red" }));

    expect(dataOf(await live())).toEqual({ color: "red" });
    expect(writes()).toHaveLength(5);
  });
});

describe("applyManifest to an object that Karmada propagated", () => {
  const MANAGED_ANNOTATIONS = "resourcetemplate.karmada.io/managed-annotations";
  const MANAGED_LABELS = "resourcetemplate.karmada.io/managed-labels";

  function propagated(): KubeObject {
    const object = manifest(undefined, {
      "tool/tracking-id": "hub",
      "tool/wave": "1",
      [MANAGED_ANNOTATIONS]: `${MANAGED_ANNOTATIONS},${MANAGED_LABELS},tool/tracking-id,tool/wave`,
      [MANAGED_LABELS]: "karmada.io/managed,tool",
    });
    return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, tool: "hub" } } };
  }

  it("takes away the labels and annotations that are no longer in the manifest", async () => {
    await people.create(propagated(), { fieldManager: "karmada-controller-manager" });
    await people.patch(
      refOf(manifest()),
      { metadata: { annotations: { team: "shop" }, labels: { tier: "front" } } },
      "merge",
      { fieldManager: "kubectl" },
    );

    await apply(manifest());

    const { annotations, labels } = (await live())?.metadata ?? {};
    expect(Object.keys(annotations ?? {})).not.toContain("tool/tracking-id");
    expect(Object.keys(annotations ?? {})).not.toContain("tool/wave");
    expect(annotations).toMatchObject({ team: "shop" });
    expect(labels).toEqual({ "karmada.io/managed": "true", tier: "front" });
    expect(await apply(manifest())).toMatchObject({ outcome: "unchanged" });
  });

  it("leaves a key to a tool of the member that has written it since", async () => {
    await people.create(propagated(), { fieldManager: "karmada-controller-manager" });
    await people.patch(refOf(manifest()), { metadata: { annotations: { "tool/tracking-id": "own" } } }, "merge", {
      fieldManager: "argocd-controller",
    });

    await apply(manifest());

    const annotations = (await live())?.metadata.annotations;
    expect(annotations).toMatchObject({ "tool/tracking-id": "own" });
    expect(Object.keys(annotations ?? {})).not.toContain("tool/wave");
  });
});
