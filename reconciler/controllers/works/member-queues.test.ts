import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Work } from "../../../api/work.ts";
import { type ApiServer, createApiServer } from "../../../fleets/apiserver/server.ts";
import { Member } from "../../../fleets/member.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { ApiStatusError, apiUnreachable } from "../../../kube/client/status-error.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { MemberQueues } from "./member-queues.ts";

let clock: FakeClock;
let works: Map<string, Work>;
/** `cluster/work` in the order of their steps. */
let steps: string[];
let answer: (cluster: string, name: string) => Promise<void>;
let queues: MemberQueues;

beforeEach(() => {
  clock = new FakeClock();
  works = new Map();
  steps = [];
  answer = async () => {};
  queues = new MemberQueues({
    clock,
    logger: silentLogger,
    workOf: (cluster, name) => works.get(`${cluster}/${name}`),
    step: async (cluster, work) => {
      const { name = "" } = work.metadata;
      steps.push(`${cluster}/${name}`);
      await answer(cluster, name);
      return undefined;
    },
  });
});

afterEach(() => queues.stop());

function put(cluster: string, name: string, manifest: Partial<KubeObject> = {}): void {
  const object = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop" }, ...manifest };
  works.set(`${cluster}/${name}`, {
    apiVersion: "work.karmada.io/v1alpha1",
    kind: "Work",
    metadata: { name, namespace: `karmada-es-${cluster}` },
    spec: { workload: { manifests: [object] } },
  });
  queues.put(cluster, name, true);
}

function putMany(cluster: string, count: number): void {
  for (let number = 0; number < count; number++) put(cluster, `w${number}`);
}

/** Until nothing goes on without more time. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await clock.advance(0);
}

const noAnswer = async (): Promise<void> => {
  throw apiUnreachable("GET /", "refused");
};

describe("MemberQueues", () => {
  it("lets go first what others need, in one cluster as in another", async () => {
    const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" };
    const definition = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
    put("a", "pod");
    put("a", "binding", rbac);
    put("a", "namespace", { kind: "Namespace" });
    put("a", "definition", definition);
    await settled();

    expect(steps).toEqual(["a/definition", "a/namespace", "a/binding", "a/pod"]);
  });

  it("works on eight Works of a cluster at a time, whatever another cluster does", async () => {
    answer = (cluster) => (cluster === "hangs" ? new Promise(() => {}) : Promise.resolve());
    putMany("hangs", 20);
    putMany("b", 20);
    await settled();

    expect(steps.filter((step) => step.startsWith("hangs/"))).toHaveLength(8);
    expect(steps.filter((step) => step.startsWith("b/"))).toHaveLength(20);
    answer = async () => {};
    void queues.stop();
    queues = new MemberQueues({ clock, logger: silentLogger, workOf: () => undefined, step: async () => undefined });
  });

  it("leaves a cluster alone that gives no answers, and finds out with one Work", async () => {
    answer = noAnswer;
    putMany("dead", 100);
    await settled();
    const before = steps.length;
    expect(before).toBeLessThan(20);

    await clock.advance(1_500);
    await settled();

    expect(steps.length).toBe(before + 1);
  });

  it("goes on with all of them once the cluster answers", async () => {
    answer = noAnswer;
    putMany("dead", 100);
    await settled();
    answer = async () => {};
    for (let second = 0; second < 60; second++) await clock.advance(1_000);

    expect(new Set(steps).size).toBe(100);
  });

  it("takes a refusal for an answer", async () => {
    answer = async () => {
      throw new AppError("member-object-foreign", "not ours", { recovery: "retry" });
    };
    putMany("a", 100);
    await settled();

    expect(new Set(steps).size).toBe(100);
  });

  it("gives a cluster the pause that it asks for", async () => {
    answer = async () => {
      throw new ApiStatusError({ code: 429, reason: "TooManyRequests", message: "slow down" }, "PATCH /", 5_000);
    };
    putMany("busy", 100);
    await settled();
    const before = steps.length;
    expect(before).toBeLessThan(20);
    answer = async () => {};

    await clock.advance(4_900);
    expect(steps.length).toBe(before);
    await clock.advance(1_200);
    await settled();

    expect(new Set(steps).size).toBe(100);
  });

  it("leaves out, when a cluster is back, what is as it should be and has not changed since", async () => {
    putMany("a", 4);
    queues.resume("a");
    await settled();
    for (const name of ["w0", "w1", "w2"]) queues.close("a", name);
    put("a", "w1");
    await settled();
    steps = [];

    queues.resume("a");
    await settled();
    expect(steps.sort()).toEqual(["a/w1", "a/w3"]);

    steps = [];
    queues.reopen();
    queues.resume("a");
    await settled();
    expect(steps.sort()).toEqual(["a/w0", "a/w1", "a/w2", "a/w3"]);
  });

  it("looks at all Works of a cluster that is back, at once", async () => {
    answer = noAnswer;
    putMany("dead", 100);
    await settled();
    answer = async () => {};
    steps.length = 0;

    queues.resume("dead");
    await settled();

    expect(new Set(steps).size).toBe(100);
  });

  it("forgets Works that are gone", async () => {
    putMany("a", 3);
    await settled();
    works.delete("a/w1");
    queues.drop("a", "w1");
    steps.length = 0;

    queues.resume("a");
    await settled();

    expect(steps).toEqual(["a/w0", "a/w2"]);
    expect([...queues.worksOf("a")]).toEqual(["w0", "w2"]);
  });

  it("lets failed Works come back at different times", async () => {
    const times: number[] = [];
    answer = async () => {
      times.push(clock.now());
      throw new AppError("test-failed", "no", { recovery: "retry" });
    };
    for (const cluster of ["a", "b", "c", "d"]) put(cluster, "w");
    await settled();
    times.length = 0;
    await clock.advance(300);

    expect(new Set(times).size).toBe(4);
  });
});

describe("MemberQueues and what Works wait for", () => {
  let server: ApiServer;
  let member: Member;
  let people: KubeClient;

  beforeEach(async () => {
    server = await createApiServer({ name: "a", clock, logger: silentLogger });
    member = new Member({ name: "a", clock, logger: silentLogger, transport: server.handle });
    people = new KubeClient(server.handle);
    queues.follow(member);
  });

  afterEach(async () => {
    await member.close();
    await server.close();
  });

  async function provide(object: KubeObject): Promise<void> {
    const { apiVersion, kind } = object;
    await member.informer(apiVersion, kind).synced();
    await people.create({ ...object, metadata: { ...object.metadata, labels: { "karmada.io/managed": "true" } } });
  }

  it("goes on at once when its namespace appears", async () => {
    const missing = { code: 404, reason: "NotFound", message: 'namespaces "shop" not found' };
    answer = async () => {
      throw new ApiStatusError({ ...missing, details: { kind: "namespaces", name: "shop" } }, "PATCH /");
    };
    put("a", "web");
    await settled();
    expect(steps).toEqual(["a/web"]);

    await provide({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    await eventually(() => steps.length === 2);
  });

  it("goes on at once when its kind is defined", async () => {
    answer = async () => {
      throw new AppError("api-kind-unknown", "no such kind", { recovery: "wait", afterMs: 60_000 });
    };
    put("a", "widget", { apiVersion: "acme.dev/v1", kind: "Widget" });
    await settled();
    expect(steps).toEqual(["a/widget"]);

    await provide({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.acme.dev" },
      spec: {
        group: "acme.dev",
        scope: "Namespaced",
        names: { kind: "Widget", plural: "widgets", singular: "widget" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    });
    await eventually(() => steps.length === 2);
  });
});

describe("MemberQueues at the beginning of many clusters", () => {
  it("lets them begin one after the other", async () => {
    const members: Member[] = [];
    for (let number = 0; number < 50; number++) {
      const name = `m${number}`;
      works.set(`${name}/w`, {
        apiVersion: "v1",
        kind: "Work",
        metadata: { name: "w" },
        spec: { workload: {} },
      } as never);
      queues.put(name, "w", false);
    }
    for (let number = 0; number < 50; number++) {
      const member = new Member({
        name: `m${number}`,
        clock,
        logger: silentLogger,
        transport: () => new Promise(() => {}),
      });
      members.push(member);
      queues.follow(member);
    }
    await clock.advance(500);
    const half = steps.length;
    await clock.advance(1_000);

    expect(half).toBeGreaterThan(10);
    expect(half).toBeLessThan(40);
    expect(steps).toHaveLength(50);
  });
});
