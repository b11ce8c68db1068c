import { afterEach, describe, expect, it } from "vitest";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { FaultyTransport } from "../../fleets/simulator/faults/faulty-transport.ts";
import { RestartableServer } from "../../fleets/simulator/restartable-server.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { eventually } from "../../test/e2e/support/eventually.ts";
import type { KubeObject } from "../object.ts";
import { Informer, type InformerOptions } from "./informer.ts";
import { InformerSet } from "./informer-set.ts";
import { KubeClient } from "./kube-client.ts";
import type { Transport } from "./transport.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Setting {
  readonly server: ApiServer;
  /** Of the cluster's own people: never fails. */
  readonly people: KubeClient;
  readonly faults: FaultyTransport;
  readonly clock: FakeClock;
}

async function startServer(): Promise<Setting> {
  const clock = new FakeClock();
  const server = await createApiServer({ name: "test", clock, logger: silentLogger });
  closers.push(() => server.close());
  return { server, clock, people: new KubeClient(server.handle), faults: new FaultyTransport(server.handle, clock) };
}

async function startInformer(setting: Setting, options: Partial<InformerOptions> & { transport?: Transport } = {}) {
  const { transport = setting.faults.send, ...rest } = options;
  const client = new KubeClient(transport);
  const informer = new Informer({
    client,
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: "default",
    // Every namespace has a ConfigMap of its own.
    labelSelector: "test=yes",
    clock: setting.clock,
    logger: silentLogger,
    ...rest,
  });
  const changes: string[] = [];
  informer.subscribe(({ type, object }) => changes.push(`${type} ${object.metadata.name}`));
  informer.start();
  closers.push(() => informer.stop());
  if (options.transport === undefined) await informer.synced();
  return { informer, changes };
}

function configMap(name: string, data: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default", labels: { test: "yes" } },
    data,
  };
}

const refTo = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name });

describe("Informer", () => {
  it("tells a listener in turns of what is known, and of changes meanwhile once each", async () => {
    const setting = await startServer();
    for (const name of ["a", "b", "c", "d", "e"]) await setting.people.create(configMap(name));
    const { informer } = await startInformer(setting);
    const object = (name: string) => informer.get("default", name) as KubeObject;
    const newer = (name: string) => ({
      ...object(name),
      metadata: { ...object(name).metadata, resourceVersion: "1000" },
    });
    const told: string[] = [];

    const telling = informer.subscribeInTurns((change) => {
      told.push(`${change.type} ${change.object.metadata.name} ${change.object.metadata.resourceVersion === "1000"}`);
      if (told.length > 1) return;
      // The turn ends here.
      const end = performance.now() + 30;
      while (performance.now() < end);
    });
    expect(told).toEqual(["added a false"]);
    informer.adopt(newer("b"));
    informer.adopt(newer("a"));
    informer.amend(object("c"), undefined);
    informer.adopt({ ...newer("d"), metadata: { ...newer("d").metadata, name: "f" } });
    await telling;
    informer.adopt({ ...newer("e") });

    expect(told).toEqual([
      "added a false",
      "updated a true",
      "added f true",
      "added b true",
      "added d false",
      "added e false",
      "updated e true",
    ]);
  });

  it("knows what was there, then follows each change", async () => {
    const setting = await startServer();
    await setting.people.create(configMap("a"));
    const { informer, changes } = await startInformer(setting);
    expect([...informer.all()].map((object) => object.metadata.name)).toEqual(["a"]);

    await setting.people.create(configMap("b"));
    await setting.people.patch(refTo("a"), { data: { x: "1" } }, "merge");
    await setting.people.delete(refTo("b"));

    await eventually(() => expect(changes).toEqual(["added a", "added b", "updated a", "deleted b"]));
    expect(informer.get("default", "a")?.["data"]).toEqual({ x: "1" });
    expect(informer.get("default", "b")).toBeUndefined();
  });

  it("tells a late listener of what is known already", async () => {
    const setting = await startServer();
    await setting.people.create(configMap("a"));
    const { informer } = await startInformer(setting);
    const heard: string[] = [];

    informer.subscribe(({ type, object }) => heard.push(`${type} ${object.metadata.name}`));

    expect(heard).toEqual(["added a"]);
  });

  it("lists again when its revision was forgotten, and tells only of differences", async () => {
    const setting = await startServer();
    for (const name of ["kept", "changed", "gone"]) await setting.people.create(configMap(name));
    const { informer, changes } = await startInformer(setting);
    changes.length = 0;
    setting.faults.setFault("down");
    await eventually(() => expect(informer.failure).toBeDefined());

    await setting.people.patch(refTo("changed"), { data: { x: "1" } }, "merge");
    await setting.people.delete(refTo("gone"));
    await setting.people.create(configMap("new"));
    setting.server.compact();
    setting.faults.setFault("none");

    await eventually(async () => {
      await setting.clock.advance(500);
      expect(changes.sort()).toEqual(["added new", "deleted gone", "updated changed"]);
    });
    expect(informer.failure).toBeUndefined();
  });

  it("goes on where it was after a cut, without telling the past again", async () => {
    const setting = await startServer();
    const { informer, changes } = await startInformer(setting);
    await setting.people.create(configMap("a"));
    await setting.people.delete(refTo("a"));
    await setting.people.create(configMap("a"));
    await eventually(() => expect(changes).toEqual(["added a", "deleted a", "added a"]));

    setting.faults.setFault("down");
    await eventually(() => expect(informer.failure).toBeDefined());
    setting.faults.setFault("none");
    await setting.people.create(configMap("b"));

    await eventually(async () => {
      await setting.clock.advance(500);
      expect(changes).toEqual(["added a", "deleted a", "added a", "added b"]);
    });
  });

  it("asks a server that does not answer less and less often", async () => {
    const setting = await startServer();
    let asked = 0;
    let down = false;
    const { informer } = await startInformer(setting, {
      transport: (request) => {
        if (down) asked++;
        return setting.faults.send(request);
      },
    });
    await informer.synced();
    down = true;
    setting.faults.setFault("down");
    await eventually(() => expect(informer.failure).toBeDefined());

    await setting.clock.advance(60_000);

    expect(asked).toBeLessThan(20);
    expect(asked).toBeGreaterThan(10);
  });

  it("does not ask in a tight loop a server that ends every watch at once", async () => {
    const setting = await startServer();
    let watches = 0;
    const { informer } = await startInformer(setting, {
      transport: async (request) => {
        if (!request.path.includes("watch=true")) return setting.server.handle(request);
        watches++;
        return { status: 200, headers: {}, body: nothing() };
      },
    });
    await informer.synced();

    await setting.clock.advance(0);

    expect(watches).toBe(1);
    expect(informer.failure).toContain("ended before its first event");
  });

  it("lists again after any refusal of its revision, such as one from the future", async () => {
    const setting = await startServer();
    let lists = 0;
    const { informer } = await startInformer(setting, {
      transport: async (request) => {
        if (request.path.startsWith("/api/v1/") && !request.path.includes("watch=true")) lists++;
        if (!request.path.includes("watch=true") || lists > 1) return setting.server.handle(request);
        const body = { kind: "Status", code: 504, reason: "Timeout", message: "Too large resource version" };
        return { status: 504, headers: {}, body: Buffer.from(JSON.stringify(body)) };
      },
    });
    await informer.synced();
    await eventually(() => expect(informer.failure).toContain("Too large"));

    await eventually(async () => {
      await setting.clock.advance(500);
      expect(informer.failure).toBeUndefined();
    });
    expect(lists).toBe(2);
  });

  it("keeps only what the transform leaves, of deleted objects too", async () => {
    const setting = await startServer();
    await setting.people.create(configMap("a", { big: "x".repeat(1_000) }));
    const { informer } = await startInformer(setting, {
      transform: ({ data: _, ...rest }) => rest as KubeObject,
    });
    const deleted: KubeObject[] = [];
    informer.subscribe((change) => {
      if (change.type === "deleted") deleted.push(change.object);
    });
    expect(informer.get("default", "a")).not.toHaveProperty("data");

    await setting.people.delete(refTo("a"));

    await eventually(() => expect(deleted).toHaveLength(1));
    expect(deleted[0]).not.toHaveProperty("data");
  });

  it("goes on when a listener throws", async () => {
    const setting = await startServer();
    const { informer, changes } = await startInformer(setting);
    informer.subscribe(() => {
      throw new Error("a bug");
    });

    await setting.people.create(configMap("a"));
    await setting.people.create(configMap("b"));

    await eventually(() => expect(changes).toEqual(["added a", "added b"]));
  });

  it("starts late on a kind that is not served yet", async () => {
    const setting = await startServer();
    const client = new KubeClient(setting.server.handle);
    const informer = new Informer({
      client,
      apiVersion: "example.org/v1",
      kind: "Widget",
      clock: setting.clock,
      logger: silentLogger,
    }).start();
    closers.push(() => informer.stop());
    await eventually(() => expect(informer.failure).toContain("there is no kind Widget"));

    await setting.people.create(WIDGETS);

    await eventually(async () => {
      await setting.clock.advance(1_000);
      expect(informer.hasSynced).toBe(true);
    });
  });

  it("lets go of who waits for the first list when it is stopped", async () => {
    const setting = await startServer();
    setting.faults.setFault("down");
    const { informer } = await startInformer(setting, { transport: setting.faults.send });
    const synced = informer.synced();

    await informer.stop();

    await synced;
    expect(informer.hasSynced).toBe(false);
  });
});

describe("Informer.adopt", () => {
  it("shows a write at once, and does not tell of it again when the watch brings it", async () => {
    const setting = await startServer();
    const { informer, changes } = await startInformer(setting);

    informer.adopt(await setting.people.create(configMap("a")));
    expect(informer.get("default", "a")).toBeDefined();
    await setting.people.create(configMap("b"));

    await eventually(() => expect(informer.get("default", "b")).toBeDefined());
    expect(changes).toEqual(["added a", "added b"]);
  });

  it("ignores what is older than what is known", async () => {
    const setting = await startServer();
    const { informer } = await startInformer(setting);
    const first = await setting.people.create(configMap("a"));
    const second = await setting.people.patch(refTo("a"), { data: { x: "2" } }, "merge");

    informer.adopt(second);
    informer.adopt(first);

    expect(informer.get("default", "a")?.["data"]).toEqual({ x: "2" });
  });

  it("does not bring back what was deleted meanwhile", async () => {
    const setting = await startServer();
    const { informer, changes } = await startInformer(setting);
    const answer = await setting.people.create(configMap("a"));
    await setting.people.delete(refTo("a"));
    await eventually(() => expect(changes).toEqual(["added a", "deleted a"]));

    informer.adopt(answer);

    expect(informer.get("default", "a")).toBeUndefined();
  });

  it("holds a new object of an old name against the late news of the old one's end", async () => {
    const setting = await startServer();
    const { informer, changes } = await startInformer(setting);
    await setting.people.create(configMap("a"));
    await eventually(() => expect(changes).toEqual(["added a"]));

    // The watch tells of both only in a later turn.
    await setting.people.delete(refTo("a"));
    const anew = await setting.people.create(configMap("a"));
    informer.adopt(anew);
    await setting.people.create(configMap("last"));
    await eventually(() => expect(informer.get("default", "last")).toBeDefined());

    expect(informer.get("default", "a")?.metadata.uid).toBe(anew.metadata.uid);
    expect(changes.filter((change) => change === "deleted a").length).toBe(
      changes.filter((change) => change === "added a").length - 1,
    );
  });

  it("holds a write against a list that was read before it", async () => {
    const setting = await startServer();
    const old = await setting.people.create(configMap("old"));
    const read = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const { informer, changes } = await startInformer(setting, {
      transport: async (request) => {
        const answer = await setting.server.handle(request);
        if (request.path.includes("/configmaps?") && !request.path.includes("watch=true")) {
          read.resolve();
          await release.promise;
        }
        return answer;
      },
    });
    await read.promise;

    informer.adopt(await setting.people.create(configMap("created")));
    informer.adopt(await setting.people.patch(refTo("old"), { data: { x: "new" } }, "merge"));
    release.resolve();
    await informer.synced();

    expect(informer.get("default", "created")).toBeDefined();
    expect(informer.get("default", "old")?.["data"]).toEqual({ x: "new" });
    expect(informer.get("default", "old")?.metadata.uid).toBe(old.metadata.uid);
    expect(changes).toEqual(["added created", "added old"]);
  });
});

describe("a server whose store goes back", () => {
  /** A server that can be put back, with two objects in its backup, and one more since. */
  async function startWithBackup() {
    const clock = new FakeClock();
    const server = await RestartableServer.start({ name: "test", clock, logger: silentLogger });
    closers.push(() => server.close());
    const people = new KubeClient(server.handle);
    const faults = new FaultyTransport(server.handle, clock);
    const kept = await people.create(configMap("kept", { x: "old" }));
    const backup = server.state.content();
    const { informer, changes } = await startInformer({ server, people, faults, clock });
    // More than a server that starts writes by itself.
    for (let write = 0; write < 100; write++) await people.patch(refTo("kept"), { data: { x: `${write}` } }, "merge");
    await people.create(configMap("since"));
    await eventually(() => informer.size === 2 && informer.get("default", "kept")?.["data"] !== kept["data"]);
    changes.length = 0;
    async function restore(): Promise<void> {
      faults.cut();
      await server.restart(backup);
    }
    return { server, clock, people, informer, changes, restore };
  }

  it("is listed anew, so that what the backup lacks is gone and what it has is as it has it", async () => {
    const { clock, informer, changes, restore } = await startWithBackup();

    await restore();

    await eventually(async () => {
      await clock.advance(100);
      expect(informer.get("default", "kept")?.["data"]).toEqual({ x: "old" });
      expect(informer.size).toBe(1);
    });
    expect(changes).toEqual(["updated kept", "deleted since"]);
  });

  it("has its new objects believed, although their revisions are lower than those of old ones", async () => {
    const { clock, people, informer, restore } = await startWithBackup();
    await restore();
    await eventually(async () => {
      await clock.advance(100);
      expect(informer.size).toBe(1);
    });

    informer.adopt(await people.create(configMap("since", { x: "again" })));

    expect(informer.get("default", "since")?.["data"]).toEqual({ x: "again" });
  });

  it("may have got beyond our revision again while nobody watched for a minute", async () => {
    const { server, clock, people, restore } = await startWithBackup();
    const away = new FaultyTransport((request) => people.transport(request), clock);
    const other = await startInformer({ server, people, faults: away, clock });
    away.setFault("down");
    await restore();
    for (let write = 0; write < 200; write++) await people.create(configMap(`other-${write}`));
    await clock.advance(70_000);

    away.setFault("none");

    await eventually(async () => {
      await clock.advance(1_000);
      expect(other.informer.get("default", "kept")?.["data"]).toEqual({ x: "old" });
      expect(other.informer.get("default", "since")).toBeUndefined();
    });
  });
});

describe("InformerSet", () => {
  it("watches a kind once for all who ask", async () => {
    const { people, clock } = await startServer();
    const set = new InformerSet(people, clock, silentLogger);
    closers.push(() => set.stop());

    const one = set.of("v1", "ConfigMap");

    expect(set.of("v1", "ConfigMap")).toBe(one);
    expect(set.known("v1", "ConfigMap")).toBe(one);
    expect(set.known("v1", "Secret")).toBeUndefined();
  });

  it("is synced although a kind was dropped before its first list", async () => {
    const { people, clock } = await startServer();
    const set = new InformerSet(people, clock, silentLogger);
    closers.push(() => set.stop());
    set.of("v1", "ConfigMap");
    set.of("example.org/v1", "Widget");

    const synced = set.synced();
    await set.drop("example.org/v1", "Widget");

    await synced;
    expect(set.known("example.org/v1", "Widget")).toBeUndefined();
  });
});

async function* nothing(): AsyncGenerator<Uint8Array> {}

const WIDGETS: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.org" },
  spec: {
    group: "example.org",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
