// What others may decide, as an API server records who owns what.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { applyManifest } from "./apply.ts";
import type { FieldRule, FieldRules } from "./field-rules.ts";
import { Member } from "./member.ts";

let server: ApiServer;
let people: KubeClient;
let member: Member;
const writes: string[] = [];
const clock = new FakeClock();

beforeAll(async () => {
  server = await createApiServer({ name: "member", clock, logger: silentLogger });
  people = new KubeClient(server.handle);
  member = connect();
});

afterAll(async () => {
  await member.close();
  await server.close();
});

function connect(): Member {
  return new Member({
    name: "paris-1",
    clock,
    logger: silentLogger,
    transport: (request) => {
      if (request.method !== "GET" && !request.path.includes("dryRun")) writes.push(request.method);
      return server.handle(request);
    },
  });
}

let count = 0;

interface Container {
  name: string;
  image: string;
  env?: { name: string; value: string }[];
}

function deployment(changes: { replicas?: number; image?: string; annotations?: Record<string, string> } = {}) {
  const { replicas = 2, image = "web:1", annotations } = changes;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: `web-${count}`,
      namespace: "default",
      labels: { "karmada.io/managed": "true" },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [{ name: "web", image, env: [{ name: "MODE", value: "prod" }] }] as Container[],
          tolerations: [{ key: "a", operator: "Exists" }],
        },
      },
    },
  } satisfies KubeObject;
}

function ignoring(...jsonPointers: string[]): FieldRules {
  return rules({ mode: "ignore", jsonPointers, managers: [] });
}

function rules(...list: FieldRule[]): FieldRules {
  return { mode: "correct", rules: list };
}

async function apply(object: KubeObject, ruled: FieldRules) {
  const now = await people.find(refOf(object));
  const informer = member.informer(object.apiVersion, object.kind);
  await informer.synced();
  if (now !== undefined) informer.adopt(now);
  return applyManifest(member, object, { retain: (desired) => desired, rules: ruled });
}

async function patch(object: KubeObject, operations: unknown, manager = "kubectl-edit"): Promise<void> {
  await people.patch(refOf(object), operations, "json", { fieldManager: manager });
}

async function scale(object: KubeObject, replicas: number): Promise<void> {
  await people.patch(refOf(object), { spec: { replicas } }, "merge", {
    fieldManager: "kube-controller-manager",
    subresource: "scale",
  });
}

async function live(object: KubeObject): Promise<ReturnType<typeof deployment>> {
  return (await people.get(refOf(object))) as unknown as ReturnType<typeof deployment>;
}

function ownersOfReplicas(object: KubeObject): string[] {
  return (object.metadata.managedFields ?? [])
    .filter((entry) => JSON.stringify(entry.fieldsV1).includes('"f:replicas":{}') && entry.subresource !== "status")
    .map((entry) => entry.manager ?? "");
}

describe("a field that others decide", () => {
  it("is sent when the object is made", async () => {
    count++;
    await apply(deployment(), ignoring("/spec/replicas"));

    expect((await live(deployment())).spec.replicas).toBe(2);
  });

  it("is neither told of nor sent back, and nothing is written for it", async () => {
    count++;
    await apply(deployment(), ignoring("/spec/replicas"));
    await scale(deployment(), 7);
    writes.length = 0;

    expect(await apply(deployment(), ignoring("/spec/replicas"))).toMatchObject({ outcome: "unchanged", drift: [] });
    expect(writes).toEqual([]);
  });

  it("stays theirs when something else is sent", async () => {
    count++;
    await apply(deployment(), ignoring("/spec/replicas"));
    await scale(deployment(), 7);

    await apply(deployment({ image: "web:2", replicas: 3 }), ignoring("/spec/replicas"));

    const now = await live(deployment());
    expect(now.spec).toMatchObject({ replicas: 7, template: { spec: { containers: [{ image: "web:2" }] } } });
    expect(ownersOfReplicas(now)).toEqual(["kube-controller-manager"]);
  });

  it("keeps its value while it is ours alone", async () => {
    count++;
    await apply(deployment(), { mode: "correct", rules: [] });

    await apply(deployment({ image: "web:2", replicas: 9 }), ignoring("/spec/replicas"));

    const now = await live(deployment());
    expect(now.spec.replicas).toBe(2);
    expect(ownersOfReplicas(now)).toEqual(["flaghoist"]);
  });

  it("keeps its value when another process takes over", async () => {
    count++;
    await apply(deployment(), ignoring("/spec/replicas"));
    await scale(deployment(), 7);
    await member.close();
    member = connect();

    await apply(deployment(), ignoring("/spec/replicas"));

    expect((await live(deployment())).spec.replicas).toBe(7);
  });

  it("is put right as soon as the rule is gone", async () => {
    count++;
    await apply(deployment(), ignoring("/spec/replicas"));
    await scale(deployment(), 7);
    await apply(deployment({ image: "web:2" }), ignoring("/spec/replicas"));

    await apply(deployment({ image: "web:2" }), rules());

    expect((await live(deployment())).spec.replicas).toBe(2);
  });

  it("is meant by its item wherever that stands in the live list", async () => {
    count++;
    await apply(deployment(), ignoring("/spec/template/spec/containers/0/image"));
    const path = "/spec/template/spec/containers";
    await patch(deployment(), [
      { op: "add", path: `${path}/0`, value: { name: "sidecar", image: "proxy:1" } },
      { op: "replace", path: `${path}/1/image`, value: "web:hotfix" },
    ]);

    const result = await apply(
      deployment({ annotations: { note: "new" } }),
      ignoring("/spec/template/spec/containers/0/image"),
    );

    expect(result.drift).toEqual([]);
    const containers = (await live(deployment())).spec.template.spec.containers;
    expect(containers.map(({ image }) => image).sort()).toEqual(["proxy:1", "web:hotfix"]);
  });

  it("may be part of a list that is owned as a whole", async () => {
    count++;
    const pointer = "/spec/template/spec/tolerations/0/key";
    await apply(deployment(), ignoring(pointer));
    await patch(deployment(), [{ op: "replace", path: pointer, value: "theirs" }]);

    const result = await apply(deployment({ image: "web:2" }), ignoring(pointer));

    expect(result.drift).toEqual([]);
    expect((await live(deployment())).spec.template.spec.tolerations).toEqual([{ key: "theirs", operator: "Exists" }]);
  });

  it("may be everything that a manager owns", async () => {
    count++;
    const ruled = rules({ mode: "ignore", jsonPointers: [], managers: ["vertical-scaler"] });
    const env = "/spec/template/spec/containers/0/env/0/value";
    await apply(deployment(), ruled);
    await patch(deployment(), [{ op: "replace", path: env, value: "debug" }], "vertical-scaler");
    await scale(deployment(), 7);

    const result = await apply(deployment(), ruled);

    expect(result.drift.map(({ path }) => path)).toEqual(["spec.replicas"]);
    const { spec } = await live(deployment());
    expect(spec.replicas).toBe(2);
    expect(spec.template.spec.containers[0]?.env).toEqual([{ name: "MODE", value: "debug" }]);
  });

  it("stays away when others took it away", async () => {
    count++;
    const withNote = (): KubeObject => deployment({ annotations: { note: "ours" } });
    await apply(withNote(), ignoring("/metadata/annotations/note"));
    await patch(withNote(), [{ op: "remove", path: "/metadata/annotations/note" }]);

    await apply(deployment({ annotations: { note: "ours" }, image: "web:2" }), ignoring("/metadata/annotations/note"));

    expect((await live(deployment())).metadata.annotations?.["note"]).toBeUndefined();
  });

  it.each(["/kind", "/metadata/name", "/spec/template/spec/containers/0/name", "/metadata/labels/karmada.io~1managed"])(
    "cannot be %s, by which the object is known",
    async (pointer) => {
      count++;
      await apply(deployment(), ignoring(pointer));

      expect(await apply(deployment({ image: "web:2" }), ignoring(pointer))).toMatchObject({ outcome: "configured" });
      expect((await live(deployment())).metadata.labels["karmada.io/managed"]).toBe("true");
    },
  );

  it("may be a pointer to nothing", async () => {
    count++;
    const ruled = ignoring("/spec/template/spec/containers/7/image", "/nothing/0/here", "no pointer");
    await apply(deployment(), ruled);

    expect(await apply(deployment({ image: "web:2" }), ruled)).toMatchObject({ outcome: "configured" });
  });
});

describe("a field of which is only told", () => {
  const ruled = rules({ mode: "report", jsonPointers: ["/spec/replicas"], managers: [] });
  const image = "/spec/template/spec/containers/0/image";

  it("stays as it is while other fields are put right", async () => {
    count++;
    await apply(deployment(), ruled);
    await scale(deployment(), 7);
    await patch(deployment(), [{ op: "replace", path: image, value: "web:evil" }]);

    const result = await apply(deployment(), ruled);

    expect(result.drift.map(({ path, mode }) => [path, mode])).toEqual([
      ["spec.replicas", "report"],
      ["spec.template.spec.containers[name=web].image", "correct"],
    ]);
    const { spec } = await live(deployment());
    expect(spec).toMatchObject({ replicas: 7, template: { spec: { containers: [{ image: "web:1" }] } } });
    expect((await apply(deployment(), ruled)).drift.map(({ path }) => path)).toEqual(["spec.replicas"]);
  });

  it("stays as it is when the template changes elsewhere, and is sent when the template wants another value", async () => {
    count++;
    await apply(deployment(), ruled);
    await scale(deployment(), 7);

    expect((await apply(deployment({ image: "web:2" }), ruled)).drift.map(({ path }) => path)).toEqual([
      "spec.replicas",
    ]);
    expect((await live(deployment())).spec.replicas).toBe(7);
    await apply(deployment({ image: "web:2", replicas: 4 }), ruled);

    expect((await live(deployment())).spec.replicas).toBe(4);
  });

  it("stays as it is in the hands of another process", async () => {
    count++;
    await apply(deployment(), ruled);
    await scale(deployment(), 7);
    await member.close();
    member = connect();

    const result = await apply(deployment({ image: "web:2" }), ruled);

    expect(result.drift).toMatchObject([{ path: "spec.replicas", wanted: 2, found: 7, mode: "report" }]);
    expect((await live(deployment())).spec).toMatchObject({
      replicas: 7,
      template: { spec: { containers: [{ image: "web:2" }] } },
    });
  });

  it("is told of until it is as wanted", async () => {
    count++;
    await apply(deployment(), ruled);
    await scale(deployment(), 7);
    await apply(deployment(), ruled);
    await scale(deployment(), 2);

    expect(await apply(deployment(), ruled)).toMatchObject({ outcome: "unchanged", drift: [] });
  });
});
