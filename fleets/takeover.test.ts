import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import type { ApiRequest } from "../kube/client/transport.ts";
import { type KubeObject, refOf } from "../kube/object.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { type ApiServer, createApiServer } from "./apiserver/server.ts";
import { type ApplyResult, applyManifest } from "./apply.ts";
import { Member } from "./member.ts";
import { LAST_APPLIED_ANNOTATION, takeoverPatch } from "./takeover.ts";

let server: ApiServer;
let people: KubeClient;
let member: Member;
let requests: ApiRequest[];
const clock = new FakeClock();

beforeEach(async () => {
  server = await createApiServer({ name: "member", clock, logger: silentLogger });
  people = new KubeClient(server.handle);
  requests = [];
  member = new Member({
    name: "paris-1",
    clock,
    logger: silentLogger,
    transport: (request) => {
      requests.push(request);
      return server.handle(request);
    },
  });
});

afterEach(async () => {
  await member.close();
  await server.close();
});

interface Shape {
  readonly replicas?: number;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

function deployment({ replicas, args, env, annotations }: Shape = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", annotations: { ...annotations } },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [
            {
              name: "web",
              image: "web:1",
              ...(args === undefined ? {} : { args: [...args] }),
              ...(env === undefined ? {} : { env: [...env] }),
            },
          ],
        },
      },
    },
  };
}

function ours(shape: Shape = {}): KubeObject {
  const object = deployment({
    ...shape,
    annotations: { ...shape.annotations, "work.karmada.io/conflict-resolution": "overwrite" },
  });
  return { ...object, metadata: { ...object.metadata, labels: { "karmada.io/managed": "true" } } };
}

/** As `kubectl apply` without `--server-side`. */
async function kubectlApply(shape: Shape): Promise<KubeObject> {
  const object = deployment(shape);
  const annotations = { ...object.metadata.annotations, [LAST_APPLIED_ANNOTATION]: JSON.stringify(object) };
  return people.create(
    { ...object, metadata: { ...object.metadata, annotations } },
    { fieldManager: "kubectl-client-side-apply" },
  );
}

function apply(object: KubeObject): Promise<ApplyResult> {
  return applyManifest(member, object, { retain: (desired) => desired });
}

async function live(): Promise<KubeObject> {
  return people.get(refOf(deployment()));
}

function containerOf(object: KubeObject): { args?: string[]; env?: { name: string }[] } {
  const spec = object["spec"] as { template: { spec: { containers: [object] } } };
  return spec.template.spec.containers[0];
}

function managersOf(object: KubeObject): string[] {
  return (object.metadata.managedFields ?? []).map(({ manager, operation }) => `${manager} ${operation}`);
}

describe("taking over from kubectl apply", () => {
  it("changes nothing in the pod template when the manifest says the same", async () => {
    const before = await kubectlApply({ replicas: 3, args: ["--fast"] });

    await apply(ours({ replicas: 3, args: ["--fast"] }));

    const after = await live();
    expect(after["spec"]).toEqual(before["spec"]);
    expect(after.metadata.uid).toBe(before.metadata.uid);
  });

  it("leaves one claim, which is ours, and no manifest of kubectl's", async () => {
    await kubectlApply({ replicas: 3 });

    await apply(ours({ replicas: 3 }));

    expect(managersOf(await live())).toEqual(["flaghoist Apply"]);
    expect((await live()).metadata.annotations).not.toHaveProperty([LAST_APPLIED_ANNOTATION]);
  });

  it("takes away what kubectl had applied and the manifest does not have", async () => {
    await kubectlApply({ args: ["--slow"], env: [{ name: "OLD", value: "1" }] });

    await apply(ours({ env: [{ name: "NEW", value: "1" }] }));

    expect(containerOf(await live())).toMatchObject({ env: [{ name: "NEW" }] });
    expect(containerOf(await live()).env).toHaveLength(1);
    expect(containerOf(await live()).args).toBeUndefined();
  });

  it("keeps what single commands have set: a restart stays a restart", async () => {
    await kubectlApply({});
    const restartedAt = { "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z" };
    await people.patch(
      refOf(deployment()),
      { spec: { template: { metadata: { annotations: restartedAt } } } },
      "merge",
      {
        fieldManager: "kubectl-rollout",
      },
    );

    await apply(ours({}));

    expect((await live())["spec"]).toMatchObject({ template: { metadata: { annotations: restartedAt } } });
  });

  it("does not set the replicas back when the manifest leaves them to others", async () => {
    await kubectlApply({ replicas: 7 });

    await apply(ours({}));

    expect((await live())["spec"]).toMatchObject({ replicas: 7 });
  });

  it("is done once: what somebody applies later is theirs", async () => {
    await kubectlApply({});
    await apply(ours({}));
    await people.patch(refOf(deployment()), { metadata: { labels: { tier: "front" } } }, "merge", {
      fieldManager: "kubectl-client-side-apply",
    });

    await apply(ours({ replicas: 2 }));

    expect((await live()).metadata.labels).toMatchObject({ tier: "front" });
    requests.length = 0;
    expect(await apply(ours({ replicas: 2 }))).toMatchObject({ outcome: "unchanged" });
    expect(requests.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("reads the object again when it changed meanwhile", async () => {
    await kubectlApply({ args: ["--slow"] });
    let isFirst = true;
    const original = member.client.patch.bind(member.client);
    member.client.patch = async (...args) => {
      if (isFirst) {
        isFirst = false;
        await people.patch(refOf(deployment()), { metadata: { labels: { a: "b" } } }, "merge");
      }
      return original(...args);
    };

    await apply(ours({}));

    expect(containerOf(await live()).args).toBeUndefined();
    expect((await live()).metadata.labels).toMatchObject({ a: "b" });
  });
});

describe("taking over from others who state whole objects", () => {
  it("takes the fields of an object that nobody had a claim on", async () => {
    await kubectlApply({ args: ["--slow"] });
    await people.patch(refOf(deployment()), { metadata: { managedFields: [{}] } }, "merge");

    await apply(ours({}));

    expect(managersOf(await live())).toEqual(["flaghoist Apply"]);
    expect(containerOf(await live()).args).toBeUndefined();
  });

  it("takes what Karmada propagated, whose copies are ours already", async () => {
    const copy = ours({ args: ["--slow"] });
    await people.create(copy, { fieldManager: "karmada-controller-manager" });

    await apply(ours({}));

    expect(containerOf(await live()).args).toBeUndefined();
    expect(managersOf(await live())).toEqual(["flaghoist Apply"]);
  });

  it("leaves the claims of other appliers and of controllers", async () => {
    await kubectlApply({});
    await people.apply({ ...deployment(), spec: { paused: true } }, { fieldManager: "argocd-controller", force: true });
    await people.patch(refOf(deployment()), { status: { replicas: 1 } }, "merge", {
      fieldManager: "kube-controller-manager",
      subresource: "status",
    });

    await apply(ours({}));

    expect(managersOf(await live()).sort()).toEqual([
      "argocd-controller Apply",
      "flaghoist Apply",
      "kube-controller-manager Update",
    ]);
  });
});

describe("takeoverPatch", () => {
  it("takes the claims of one version of the kind", () => {
    const claim = (manager: string, apiVersion: string, field: string) => ({
      manager,
      operation: "Update",
      apiVersion,
      fieldsType: "FieldsV1",
      fieldsV1: { "f:spec": { [`f:${field}`]: {} } },
    });
    const live = deployment();
    live.metadata.managedFields = [
      claim("kubectl-create", "apps/v1beta1", "old"),
      claim("kubectl-client-side-apply", "apps/v1", "new"),
    ];

    const patch = takeoverPatch(live, deployment()) as { metadata: { managedFields: { manager: string }[] } };

    expect(patch.metadata.managedFields).toMatchObject([
      { manager: "flaghoist", operation: "Apply", apiVersion: "apps/v1", fieldsV1: { "f:spec": { "f:new": {} } } },
      { manager: "kubectl-create" },
    ]);
  });

  it("has nothing to do without predecessors, whatever stands in the claims", () => {
    const live = deployment();
    expect(takeoverPatch(live, live)).toBeUndefined();
    live.metadata.managedFields = [{}, { manager: "kubectl-client-side-apply" }];
    expect(takeoverPatch(live, live)).toBeUndefined();
  });
});
