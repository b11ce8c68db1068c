// Writes that wait for an admission plugin while others write.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../registry/admission.ts";
import { CONFIG_MAPS, configMap, startTestServer, type TestServer } from "../test-server.ts";

interface Question {
  readonly request: AdmissionRequest;
  answer(object?: KubeObject): void;
}

/** A plugin whose questions the test answers, in the order they come. */
class Gate implements AdmissionPlugin {
  readonly remote = true;
  readonly #questions: Question[] = [];
  readonly #waiting: ((question: Question) => void)[] = [];
  readonly asked: string[] = [];

  handles(kind: { readonly kind: string }): boolean {
    return kind.kind === "ConfigMap" || kind.kind === "Deployment" || kind.kind === "Pod";
  }

  mutate(request: AdmissionRequest): undefined | Promise<KubeObject | undefined> {
    // Writes of the test's other clients pass.
    if (request.user.name === "bystander") return undefined;
    this.asked.push(`${request.operation} ${request.kind.kind}`);
    return new Promise((resolve) => {
      const question = { request, answer: resolve };
      const next = this.#waiting.shift();
      if (next === undefined) this.#questions.push(question);
      else next(question);
    });
  }

  next(): Promise<Question> {
    const question = this.#questions.shift();
    return question === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(question);
  }
}

const ONE = `${CONFIG_MAPS}/one`;
const bystander = { name: "bystander", groups: ["system:masters"] };
let gate: Gate;
let test: TestServer;

beforeEach(async () => {
  gate = new Gate();
  test = await startTestServer({ admission: [gate] });
});
afterEach(() => test.server.close());

async function elsewhere(method: string, path: string, object?: object): Promise<void> {
  const headers = { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
  const answer = await test.server.handle({ method, path, headers, user: bystander, ...(object && { object }) });
  expect(answer.status).toBeLessThan(300);
}

const MERGE = { "content-type": "application/merge-patch+json" };
const APPLY = { "content-type": "application/apply-patch+yaml" };

describe("a write that waits for admission", () => {
  it("creates what admission answers", async () => {
    const creating = test.call("POST", CONFIG_MAPS, configMap("one", { a: "1" }));
    const question = await gate.next();
    question.answer({ ...question.request.object, data: { a: "2" } });

    expect(await creating).toMatchObject({ status: 201, body: { data: { a: "2" } } });
  });

  it("is a conflict when the object was created meanwhile", async () => {
    const creating = test.call("POST", CONFIG_MAPS, configMap("one"));
    const question = await gate.next();
    await elsewhere("POST", CONFIG_MAPS, configMap("one"));
    question.answer();

    expect(await creating).toMatchObject({ status: 409, body: { reason: "AlreadyExists" } });
  });

  it("refuses to create in a namespace that went meanwhile", async () => {
    await test.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } });
    const creating = test.call("POST", "/api/v1/namespaces/n/configmaps", configMap("one"));
    const question = await gate.next();
    await elsewhere("DELETE", "/api/v1/namespaces/n");
    question.answer();

    expect(await creating).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
  });

  it("patches the newest state when another patch came first", async () => {
    await elsewhere("POST", CONFIG_MAPS, configMap("one", { a: "1" }));

    const patching = test.call("PATCH", ONE, { data: { b: "mine" } }, MERGE);
    const first = await gate.next();
    await elsewhere("PATCH", ONE, { data: { a: "theirs" } });
    first.answer();
    const second = await gate.next();
    expect(second.request.oldObject?.["data"]).toEqual({ a: "theirs" });
    second.answer();

    expect(await patching).toMatchObject({ status: 200, body: { data: { a: "theirs", b: "mine" } } });
  });

  it("applies over the newest state, and over an object that appeared", async () => {
    const applying = test.call("PATCH", `${ONE}?fieldManager=m`, configMap("one", { b: "mine" }), APPLY);
    const first = await gate.next();
    await elsewhere("POST", CONFIG_MAPS, configMap("one", { a: "theirs" }));
    first.answer();
    const second = await gate.next();
    expect(second.request.operation).toBe("UPDATE");
    second.answer();

    expect(await applying).toMatchObject({ status: 200, body: { data: { a: "theirs", b: "mine" } } });
  });

  it("gives up with a conflict after five attempts", async () => {
    await elsewhere("POST", CONFIG_MAPS, configMap("one"));

    const patching = test.call("PATCH", ONE, { data: { b: "mine" } }, MERGE);
    for (let turn = 1; turn <= 5; turn++) {
      const question = await gate.next();
      await elsewhere("PATCH", ONE, { data: { a: String(turn) } });
      question.answer();
    }

    expect(await patching).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(gate.asked).toHaveLength(5);
  });

  it("does not overwrite what the resourceVersion of an update did not know", async () => {
    await elsewhere("POST", CONFIG_MAPS, configMap("one"));
    const { body } = await test.call("GET", ONE);

    const updating = test.call("PUT", ONE, { ...body, data: { b: "mine" } });
    const question = await gate.next();
    await elsewhere("PATCH", ONE, { data: { a: "theirs" } });
    question.answer();

    expect(await updating).toMatchObject({ status: 409, body: { reason: "Conflict" } });
  });

  it("replaces unconditionally whatever came meanwhile", async () => {
    await elsewhere("POST", CONFIG_MAPS, configMap("one"));

    const updating = test.call("PUT", ONE, configMap("one", { b: "mine" }));
    const first = await gate.next();
    await elsewhere("PATCH", ONE, { data: { a: "theirs" } });
    first.answer();
    (await gate.next()).answer();

    expect(await updating).toMatchObject({ status: 200, body: { data: { b: "mine" } } });
  });

  it("deletes the newest state, and not another object of the name", async () => {
    await elsewhere("POST", CONFIG_MAPS, configMap("one"));
    const { body } = await test.call("GET", ONE);

    const options = { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid: body["metadata"]!["uid"] } };
    const deleting = test.call("DELETE", ONE, options);
    const first = await gate.next();
    await elsewhere("DELETE", ONE);
    await elsewhere("POST", CONFIG_MAPS, configMap("one"));
    first.answer();

    expect(await deleting).toMatchObject({ status: 409 });
    expect((await test.call("GET", ONE)).status).toBe(200);
  });

  it("deletes a collection one after the other, and minds nothing that went meanwhile", async () => {
    for (const name of ["one", "two"]) await elsewhere("POST", CONFIG_MAPS, configMap(name));

    const deleting = test.call("DELETE", CONFIG_MAPS);
    const first = await gate.next();
    await elsewhere("DELETE", `${CONFIG_MAPS}/two`);
    first.answer();

    expect((await deleting).status).toBe(200);
    expect((await test.call("GET", CONFIG_MAPS)).body["items"]).toEqual([]);
  });
});

describe("a subresource", () => {
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  const labels = { app: "a" };
  const podSpec = { containers: [{ name: "c", image: "i:1" }] };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } };

  it("shows admission a Scale, takes its replicas, and tries again after a change", async () => {
    await elsewhere("POST", deployments, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec });

    const scaling = test.call("PATCH", `${deployments}/d/scale`, { spec: { replicas: 5 } }, MERGE);
    const first = await gate.next();
    await elsewhere("PATCH", `${deployments}/d`, { metadata: { labels: { changed: "yes" } } });
    first.answer();
    const { request, answer } = await gate.next();
    expect(request).toMatchObject({
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      resource: "deployments",
      subresource: "scale",
      object: { kind: "Scale", spec: { replicas: 5 } },
      oldObject: { kind: "Scale", spec: { replicas: 1 } },
    });
    answer({ ...request.object, spec: { replicas: 3 } });

    expect(await scaling).toMatchObject({ status: 200, body: { spec: { replicas: 3 } } });
    const { body } = await test.call("GET", `${deployments}/d`);
    expect(body).toMatchObject({ metadata: { labels: { changed: "yes" } }, spec: { replicas: 3 } });
  });

  it("shows admission an Eviction and a Binding", async () => {
    const pods = "/api/v1/namespaces/default/pods";
    await elsewhere("POST", pods, { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: podSpec });

    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: "p" }, target: { name: "n1" } };
    const bound = test.call("POST", `${pods}/p/binding`, binding);
    (await gate.next()).answer();
    expect((await bound).status).toBe(201);
    const evicted = test.call("POST", `${pods}/p/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: "p" },
    });
    (await gate.next()).answer();

    expect((await evicted).status).toBe(201);
    expect(gate.asked).toEqual(["CREATE Binding", "CREATE Eviction"]);
  });
});

describe("the server's own controllers", () => {
  it("wait for admission of what they delete", async () => {
    await elsewhere("POST", "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "n" },
    });
    await elsewhere("POST", "/api/v1/namespaces/n/configmaps", configMap("one"));
    await elsewhere("DELETE", "/api/v1/namespaces/n");

    const { request, answer } = await gate.next();
    expect(request).toMatchObject({
      operation: "DELETE",
      user: { name: "system:serviceaccount:kube-system:namespace-controller" },
    });
    expect((await test.call("GET", "/api/v1/namespaces/n/configmaps/one")).status).toBe(200);
    const gone = (async () => {
      while ((await test.call("GET", "/api/v1/namespaces/n")).status !== 404) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    answer();
    // The other one is the namespace's certificate authority or account, if it has any.
    await gone;
  });
});

describe("many writers who all wait", () => {
  const seed = Number(process.env["SEED"] ?? 20260101);

  it(`lose no write and make none twice (seed ${seed})`, async () => {
    // Answers come in another order than questions, as from a slow webhook.
    let state = seed;
    const chance = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
    const slow: AdmissionPlugin = {
      remote: true,
      handles: (kind) => kind.kind === "ConfigMap",
      mutate: async () => {
        for (let turns = chance(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        return undefined;
      },
    };
    const own = await startTestServer({ admission: [slow] });
    await own.call("POST", CONFIG_MAPS, configMap("one", { count: "0" }));
    let succeeded = 0;

    async function increment(): Promise<void> {
      const { body } = await own.call("GET", ONE);
      const count = String(Number(body["data"]!["count"] as unknown as string) + 1);
      const isPut = chance(2) === 0;
      const test = [{ op: "test", path: "/data/count", value: String(Number(count) - 1) }];
      const patch = [...test, { op: "replace", path: "/data/count", value: count }];
      const { status } = isPut
        ? await own.call("PUT", ONE, { ...body, data: { count } })
        : await own.call("PATCH", ONE, patch, { "content-type": "application/json-patch+json" });
      if (status === 200) succeeded += 1;
      else expect([409, 422]).toContain(status);
    }
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let turn = 0; turn < 15; turn++) await increment();
      }),
    );

    expect(succeeded).toBeGreaterThan(0);
    expect((await own.call("GET", ONE)).body["data"]).toEqual({ count: String(succeeded) });
    await own.server.close();
  });
});
