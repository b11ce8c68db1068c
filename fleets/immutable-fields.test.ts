import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import { ApiStatusError } from "../kube/client/status-error.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { type ApplyResult, applyManifest } from "./apply.ts";
import { immutableFields } from "./immutable-fields.ts";
import { Member } from "./member.ts";

let server: ApiServer;
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

function deployment(app: string, annotations?: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "web",
      namespace: "default",
      labels: { "karmada.io/managed": "true" },
      annotations: { ...annotations },
    },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app } },
      template: { metadata: { labels: { app } }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    },
  };
}

const REPLACE = { "gitops.flaghoist.io/replace": "true" };

function apply(object: KubeObject, retain = (desired: KubeObject) => desired): Promise<ApplyResult> {
  return applyManifest(member, object, { retain });
}

async function live(): Promise<KubeObject | undefined> {
  return people.find(refOf(deployment("")));
}

function selectorOf(object: KubeObject | undefined): unknown {
  return (object?.["spec"] as { selector: { matchLabels: unknown } } | undefined)?.selector.matchLabels;
}

describe("applyManifest with a field that cannot be changed", () => {
  it("names the field and what can be done, and leaves the object", async () => {
    const { object } = await apply(deployment("blue"));

    await expect(apply(deployment("green"))).rejects.toMatchObject({
      code: "member-object-immutable",
      recovery: "stall",
      message:
        "spec.selector of Deployment default/web cannot be changed in cluster paris-1, where the copy stays as it was; " +
        "to have it deleted and made anew, annotate the template with gitops.flaghoist.io/replace=true",
    });
    expect(await live()).toEqual(object);
  });

  it("does so, too, where the annotation says anything but true", async () => {
    await apply(deployment("blue"));

    await expect(apply(deployment("green", { "gitops.flaghoist.io/replace": "yes please" }))).rejects.toMatchObject({
      code: "member-object-immutable",
    });
  });

  it("tells no value, which may be secret", async () => {
    const secret = (value: string): KubeObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "key", namespace: "default", labels: { "karmada.io/managed": "true" } },
      immutable: true,
      data: { key: Buffer.from(value).toString("base64") },
    });
    await apply(secret("hunter2"));

    const failure = await apply(secret("hunter3")).catch((error: unknown) => error as Error);

    expect(failure).toMatchObject({ code: "member-object-immutable" });
    expect((failure as Error).message).not.toContain(Buffer.from("hunter3").toString("base64"));
  });

  it("replaces the object when asked to", async () => {
    const { object: before } = await apply(deployment("blue", REPLACE));

    const result = await apply(deployment("green", REPLACE));

    expect(result.outcome).toBe("replaced");
    expect(selectorOf(await live())).toEqual({ app: "green" });
    expect((await live())?.metadata.uid).not.toBe(before.metadata.uid);
    expect(await apply(deployment("green", REPLACE))).toMatchObject({ outcome: "unchanged", drift: [] });
  });

  it("changes in place what can be changed, also when asked to replace", async () => {
    const { object } = await apply(deployment("blue", REPLACE));
    const changed = deployment("blue", REPLACE);
    changed["spec"] = { ...(changed["spec"] as object), replicas: 5 };

    expect(await apply(changed)).toMatchObject({ outcome: "configured" });
    expect((await live())?.metadata.uid).toBe(object.metadata.uid);
  });

  it("keeps the replicas that were retained for the new object", async () => {
    await apply(deployment("blue", REPLACE));
    const retain = (desired: KubeObject): KubeObject => ({
      ...desired,
      spec: { ...(desired["spec"] as object), replicas: 9 },
    });

    await apply(deployment("green", REPLACE), retain);

    expect((await live())?.["spec"]).toMatchObject({ replicas: 9 });
  });

  it("waits for the old object where something holds it, and deletes it once", async () => {
    await apply(deployment("blue", REPLACE));
    const finalizers = { metadata: { finalizers: ["example.org/hold"] } };
    await people.patch(refOf(deployment("")), finalizers, "merge");

    await expect(apply(deployment("green", REPLACE))).rejects.toMatchObject({
      code: "member-object-ending",
      recovery: "wait",
    });
    const ending = await live();
    expect(ending?.metadata.deletionTimestamp).toBeDefined();
    await expect(apply(deployment("green", REPLACE))).rejects.toMatchObject({ code: "member-object-ending" });
    await people.patch(refOf(deployment("")), { metadata: { finalizers: null } }, "merge");

    expect(await apply(deployment("green", REPLACE))).toMatchObject({
      outcome: expect.stringMatching(/replaced|created/),
    });
    expect(selectorOf(await live())).toEqual({ app: "green" });
  });
});

describe("immutableFields", () => {
  function refusal(causes: readonly { field?: string; message: string }[], message = "invalid"): ApiStatusError {
    const details = { causes: causes.map((cause) => ({ reason: "FieldValueInvalid", ...cause })) };
    return new ApiStatusError({ code: 422, reason: "Invalid", message, details }, "PATCH /");
  }

  it.each([
    ["spec.selector", "Invalid value: {}: field is immutable"],
    ["spec.clusterIPs[0]", 'Invalid value: ["10.0.0.1"]: may not change once set'],
    ["spec", "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals' are forbidden"],
    ["spec", "Forbidden: spec is immutable after creation except resources.requests"],
    ["spec", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`"],
    ["roleRef", "Invalid value: {}: cannot change roleRef"],
    ["provisioner", "Forbidden: updates to provisioner are forbidden."],
    ["spec.size", 'Invalid value: "object": failed rule: self == oldSelf'],
  ])("knows %s: %s", (field, message) => {
    expect(immutableFields(refusal([{ field, message }]))).toEqual([field]);
  });

  it("tells each field once", () => {
    const message = "field is immutable";
    expect(
      immutableFields(
        refusal([
          { field: "a", message },
          { field: "a", message },
          { field: "b", message },
        ]),
      ),
    ).toEqual(["a", "b"]);
  });

  it("goes by the message where there are no causes", () => {
    expect(immutableFields(refusal([], "spec.template: field is immutable"))).toEqual(["(whole object)"]);
  });

  it("is not about other refusals, nor other failures", () => {
    expect(immutableFields(refusal([{ field: "spec.replicas", message: "must be at least 0" }]))).toBeUndefined();
    const conflict = { code: 409, reason: "Conflict", message: "field is immutable" };
    expect(immutableFields(new ApiStatusError(conflict, "PATCH /"))).toBeUndefined();
    expect(immutableFields(new Error("field is immutable"))).toBeUndefined();
  });
});
