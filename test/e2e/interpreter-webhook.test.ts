// A kind of the user's own that only a webhook understands: a real HTTPS server on loopback; on both engines.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Work } from "../../api/work.ts";
import {
  patchAnswer,
  startTestWebhook,
  type TestWebhook,
} from "../../fleets/apiserver/admission/webhooks/test-webhook.ts";
import type { KubeObject } from "../../kube/object.ts";
import { defineEverywhere } from "./support/define-kinds.ts";
import { consistently, eventually } from "./support/eventually.ts";
import {
  type Answers,
  answerGadgets,
  CONFIGURATION,
  type ConfigurationParts,
  customization,
  GADGET,
  gadget,
  MEANING,
  webhookConfiguration,
} from "./support/gadgets.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";
import { at, orderedReplicas, readBinding, worksOf } from "./support/reading.ts";

const MEMBERS = { "tokyo-1": { region: "asia" }, "paris-1": { region: "europe" } };
describe.each(engines())("an interpreter webhook on the %s engine", (engine) => {
  let plane: Plane;
  let hook: TestWebhook;
  let answers: Answers;

  beforeAll(async () => {
    hook = await startTestWebhook();
    answerGadgets(hook, () => answers);
    plane = await startPlane({ engine, members: MEMBERS });
    await defineEverywhere(plane, [GADGET]);
  });

  afterAll(async () => {
    await plane.close();
    await hook.close();
  });

  beforeEach(async () => {
    answers = { ...MEANING };
    await configure(hook.client("/gadgets"));
  });

  async function configure(clientConfig: object, parts: ConfigurationParts = {}): Promise<void> {
    await applyAll(plane.client, webhookConfiguration(clientConfig, parts));
  }

  /** A namespace whose Gadgets are divided evenly. */
  async function prepare(namespace: string, ...more: readonly KubeObject[]): Promise<void> {
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({
        namespace,
        name: "gadgets",
        selectors: [{ apiVersion: "example.com/v1", kind: "Gadget" }],
        weights: { "tokyo-1": 1, "paris-1": 1 },
        spec: { propagateDeps: true },
      }),
      ...more,
    );
  }

  function inMember(cluster: string, namespace: string, name: string): Promise<KubeObject | undefined> {
    return plane.member(cluster).client.find(ref(GADGET, namespace, name));
  }

  async function sizes(namespace: string, name: string): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const member of plane.members) {
      const copy = await inMember(member.name, namespace, name);
      if (copy !== undefined) found[member.name] = at(copy, "spec", "size");
    }
    return found;
  }

  async function reportReady(cluster: string, namespace: string, name: string, ready: number): Promise<void> {
    const { client } = plane.member(cluster);
    await client.patch(ref(GADGET, namespace, name), { status: { ready } }, "merge", { subresource: "status" });
  }

  async function messagesOf(namespace: string, reason: string): Promise<string[]> {
    const { items } = await plane.client.list("v1", "Event");
    return items
      .filter((event) => event["reason"] === reason && event.metadata.namespace === namespace)
      .map((event) => String(event["message"]));
  }

  it("decides replicas, needs, copies, status, health and dependencies of a kind", async () => {
    await prepare("whole", configMap("whole", "settings"), gadget("whole", "g", { size: 6, config: "settings" }));

    await eventually(async () => expect(await sizes("whole", "g")).toEqual({ "tokyo-1": 3, "paris-1": 3 }));
    const binding = await readBinding(plane, "whole", "g-gadget");
    expect(binding.spec).toMatchObject({ replicas: 6, replicaRequirements: { resourceRequest: { cpu: "100m" } } });
    await eventually(async () =>
      expect(await plane.member("paris-1").client.find(ref("v1 ConfigMap", "whole", "settings"))).toBeDefined(),
    );

    await reportReady("tokyo-1", "whole", "g", 3);
    await reportReady("paris-1", "whole", "g", 1);
    await eventually(async () => {
      const template = await plane.client.get(ref(GADGET, "whole", "g"));
      expect(template["status"]).toEqual({ ready: 4 });
      const { status } = await readBinding(plane, "whole", "g-gadget");
      const states = status?.aggregatedStatus?.map((item) => [item.clusterName, item.health, item.status]);
      expect(states).toEqual([
        ["paris-1", "Unhealthy", { ready: 1 }],
        ["tokyo-1", "Healthy", { ready: 3 }],
      ]);
    });
  });

  it("keeps what a member may change", async () => {
    await prepare("kept", gadget("kept", "g", { size: 2, paused: false }));
    await eventually(async () => expect(await sizes("kept", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));

    const member = plane.member("tokyo-1").client;
    await member.patch(ref(GADGET, "kept", "g"), { spec: { paused: true } }, "merge", { fieldManager: "member" });
    await plane.client.patch(ref(GADGET, "kept", "g"), { spec: { size: 4 } }, "merge");

    await eventually(async () => expect(await sizes("kept", "g")).toEqual({ "tokyo-1": 2, "paris-1": 2 }));
    expect(at(await inMember("tokyo-1", "kept", "g"), "spec", "paused")).toBe(true);
    expect(at(await inMember("paris-1", "kept", "g"), "spec", "paused")).toBe(false);
  });

  it("may stand behind a Service of the control plane", async () => {
    await applyAll(plane.client, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "hook", namespace: "default" },
      spec: { type: "ExternalName", externalName: "localhost" },
    });
    const service = { namespace: "default", name: "hook", path: "/gadgets", port: hook.port };
    await configure({ service, caBundle: hook.caBundle });

    await prepare("service", gadget("service", "g", { size: 2 }));

    await eventually(async () => expect(await sizes("service", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));
  });

  it("that fails is told of by name, costs others nothing, and is asked again until it answers", async () => {
    answers["InterpretReplica"] = () => ({ successful: false, status: { code: 500, message: "out of ideas" } });
    await prepare(
      "failing",
      policy({ namespace: "failing", weights: { "tokyo-1": 1 } }),
      gadget("failing", "g", { size: 2 }),
      deployment({ namespace: "failing", replicas: 2 }),
    );

    await eventually(async () =>
      expect(await messagesOf("failing", "GetReplicasFailed")).toEqual([
        'cannot read the replicas of example.com/v1 Gadget failing/g: failed calling webhook "gadgets/all.example.com": webhook call failed, get status code: 500, msg: out of ideas',
      ]),
    );
    await eventually(async () => expect(await orderedReplicas(plane, "failing")).toEqual({ "tokyo-1": 2 }));
    expect(await sizes("failing", "g")).toEqual({});

    answers = { ...MEANING };
    await eventually(async () => expect(await sizes("failing", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));
  });

  it.each<[string, (request: Record<string, unknown>) => object, string]>([
    ["negative replicas", () => ({ replicas: -1 }), "response.replicas is -1"],
    ["another uid", () => ({ uid: "mine", replicas: 1 }), 'got "mine"'],
    ["no replicas", () => ({}), "webhook returned nil response.replicas"],
  ])("that lies about replicas (%s) places nothing", async (what, answer, message) => {
    const namespace = `lie-${what.replaceAll(" ", "-")}`;
    answers["InterpretReplica"] = answer;
    await prepare(namespace, gadget(namespace, "g", { size: 2 }));

    await eventually(async () => expect((await messagesOf(namespace, "GetReplicasFailed")).join()).toContain(message));
    expect(await sizes(namespace, "g")).toEqual({});
  });

  it("that fails to revise leaves what runs as it is", async () => {
    await prepare("running", gadget("running", "g", { size: 2, text: "old" }));
    await eventually(async () => expect(await sizes("running", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));

    answers["ReviseReplica"] = () => patchAnswer({ op: "replace", path: "/metadata/name", value: "other" });
    await plane.client.patch(ref(GADGET, "running", "g"), { spec: { size: 4, text: "new" } }, "merge");

    await eventually(async () =>
      expect((await messagesOf("running", "SyncWorkFailed")).join()).toContain(
        'failed calling webhook "gadgets/all.example.com": response.patch changes metadata.name',
      ),
    );
    expect(await sizes("running", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 });

    answers = { ...MEANING };
    await eventually(async () => expect(await sizes("running", "g")).toEqual({ "tokyo-1": 2, "paris-1": 2 }));
  });

  it("that fails to read status or health says so, and is asked again", async () => {
    await prepare("unread", gadget("unread", "g", { size: 2 }));
    await eventually(async () => expect(await sizes("unread", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));

    answers["InterpretStatus"] = () => ({ rawStatus: "fine" });
    answers["InterpretHealth"] = () => ({ healthy: "very" });
    await reportReady("tokyo-1", "unread", "g", 1);
    await eventually(async () =>
      expect((await messagesOf("unread", "ReflectStatusFailed")).join()).toContain(
        "response.rawStatus is not an object",
      ),
    );

    answers["InterpretStatus"] = MEANING.InterpretStatus;
    await eventually(async () => {
      const { status } = await readBinding(plane, "unread", "g-gadget");
      const tokyo = status?.aggregatedStatus?.find((item) => item.clusterName === "tokyo-1");
      expect(tokyo).toMatchObject({ status: { ready: 1 }, health: "Unknown" });
    });
    expect((await messagesOf("unread", "InterpretHealthFailed")).join()).toContain("healthy is not true or false");

    answers = { ...MEANING };
    await eventually(async () => {
      const works = (await worksOf(plane, "unread")) as Work[];
      const healths = works.map((work) => work.status?.manifestStatuses?.[0]?.health).sort();
      expect(healths).toEqual(["Healthy", "Unhealthy"]);
    });
  });

  it.each<[string, string]>([
    ["InterpretDependency", "GetDependenciesFailed"],
    ["Retain", "SyncFailed"],
    ["AggregateStatus", "AggregateStatusFailed"],
  ])(
    "that fails at %s is told of as %s, and asked again",
    async (operation, reason) => {
      const namespace = `bad-${operation.toLowerCase()}`;
      answers[operation] = () => ({ successful: false, status: { code: 3, message: `no ${operation}` } });
      await prepare(
        namespace,
        configMap(namespace, "settings"),
        gadget(namespace, "g", { size: 2, config: "settings" }),
      );
      await eventually(async () => expect(await sizes(namespace, "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));
      await plane.client.patch(ref(GADGET, namespace, "g"), { spec: { size: 4 } }, "merge");

      await eventually(async () => {
        const { items } = await plane.client.list("v1", "Event");
        const messages = items.filter((event) => event["reason"] === reason).map((event) => String(event["message"]));
        expect(messages.join()).toContain(
          `"gadgets/all.example.com": webhook call failed, get status code: 3, msg: no`,
        );
      });

      answers = { ...MEANING };
      await reportReady("tokyo-1", namespace, "g", 1);
      await eventually(
        async () => {
          expect(await sizes(namespace, "g")).toEqual({ "tokyo-1": 2, "paris-1": 2 });
          expect((await plane.client.get(ref(GADGET, namespace, "g")))["status"]).toEqual({ ready: 1 });
          await plane.member("paris-1").client.get(ref("v1 ConfigMap", namespace, "settings"));
        },
        { withinMs: 40_000 },
      );
    },
    60_000,
  );

  it("that does not answer holds up nobody else", async () => {
    const stuck = Promise.withResolvers<object>();
    let asked = 0;
    answers["InterpretReplica"] = () => {
      asked++;
      return stuck.promise;
    };
    await configure(hook.client("/gadgets"), { timeoutSeconds: 30 });
    // More than there are workers.
    const many = Array.from({ length: 20 }, (_, index) => gadget("stuck", `g${index}`, { size: 2 }));
    await prepare("stuck", policy({ namespace: "stuck", weights: { "tokyo-1": 1 } }), ...many);
    await eventually(() => asked > 0);

    await applyAll(plane.client, deployment({ namespace: "stuck", replicas: 3 }));

    await eventually(async () => expect(await orderedReplicas(plane, "stuck")).toEqual({ "tokyo-1": 3 }));
    expect(await sizes("stuck", "g0")).toEqual({});
    for (const { metadata } of many.slice(1)) await plane.client.delete(ref(GADGET, "stuck", metadata.name ?? ""));
    answers = { ...MEANING };
    stuck.resolve({ replicas: 2 });
    await eventually(async () => expect(await sizes("stuck", "g0")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));
  });

  it("that takes too long is told of, with its time limit", async () => {
    answers["InterpretReplica"] = () => new Promise(() => {});
    await configure(hook.client("/gadgets"), { timeoutSeconds: 1 });
    await prepare("late", gadget("late", "g", { size: 2 }));

    await eventually(async () =>
      expect((await messagesOf("late", "GetReplicasFailed")).join()).toMatch(/timeout=1s.*context deadline exceeded/),
    );
    await plane.client.delete(ref(GADGET, "late", "g"));
  });

  it("is not asked again what a member keeps while only its status changes", async () => {
    await prepare("quiet", gadget("quiet", "g", { size: 2, paused: false }));
    await eventually(async () => expect(await sizes("quiet", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));
    const asked = (): number => (hook.seen.get("/gadgets") ?? []).filter(isAboutRetain).length;
    const isAboutRetain = (request: object): boolean =>
      at(request, "operation") === "Retain" && at(request, "namespace") === "quiet";

    let before = 0;
    for (const ready of [4, 5, 6]) {
      await reportReady("tokyo-1", "quiet", "g", ready);
      await eventually(async () =>
        expect((await readBinding(plane, "quiet", "g-gadget")).status?.aggregatedStatus).toContainEqual(
          expect.objectContaining({ clusterName: "tokyo-1", status: { ready } }),
        ),
      );
      // By the first report all is written that was on its way.
      if (ready === 4) before = asked();
    }

    expect(asked()).toBe(before);
  });

  it("has the first word before the rules that are shipped, and loses it with its configuration", async () => {
    hook.behave("/deployments", () => ({ successful: true, replicas: 10 }));
    const rules = [
      { operations: ["InterpretReplica"], apiGroups: ["apps"], apiVersions: ["*"], kinds: ["Deployment"] },
    ];
    await configure(hook.client("/deployments"), { name: "deployments", rules });
    await prepare("first", policy({ namespace: "first", weights: { "tokyo-1": 1, "paris-1": 1 } }));
    await applyAll(plane.client, deployment({ namespace: "first", replicas: 2 }));
    await eventually(async () => expect(await orderedReplicas(plane, "first")).toEqual({ "tokyo-1": 5, "paris-1": 5 }));

    await plane.client.delete(ref(CONFIGURATION, "", "deployments"));

    await eventually(async () => expect(await orderedReplicas(plane, "first")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));
  });

  it("gives way to a customization, operation by operation", async () => {
    await applyAll(plane.client, customization("function GetReplicas(obj) return obj.spec.size * 2 end"));
    await prepare("script", gadget("script", "g", { size: 2 }));
    await eventually(async () => expect(await sizes("script", "g")).toEqual({ "tokyo-1": 2, "paris-1": 2 }));

    await plane.client.delete(ref("config.karmada.io/v1alpha1 ResourceInterpreterCustomization", "", "gadgets"));

    await eventually(async () => expect(await sizes("script", "g")).toEqual({ "tokyo-1": 1, "paris-1": 1 }));
  });

  it("is asked in the order of names, and only the first", async () => {
    hook.behave("/second", () => ({ successful: true, replicas: 2 }));
    await configure(hook.client("/second"), { name: "z-gadgets" });
    await prepare("order", gadget("order", "g", { size: 8 }));

    await eventually(async () => expect(await sizes("order", "g")).toEqual({ "tokyo-1": 4, "paris-1": 4 }));
    expect(hook.seen.has("/second")).toBe(false);
    await consistently(() => expect(hook.seen.has("/second")).toBe(false), { forMs: 100 });
    await plane.client.delete(ref(CONFIGURATION, "", "z-gadgets"));
  });
});
