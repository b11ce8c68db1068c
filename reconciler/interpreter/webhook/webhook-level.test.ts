import { describe, expect, it } from "vitest";
import type { ResourceInterpreterWebhookConfiguration } from "../../../api/config.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { AnswerPending, Answers, NO_ANSWERS } from "../answers.ts";
import type { InterpreterLevel } from "../interpreter.ts";
import { InterpreterHooks } from "./hooks.ts";
import { requestBody, WebhookQuestion } from "./question.ts";
import type { WebhookAnswer } from "./response.ts";
import { webhookLevel } from "./webhook-level.ts";

const CONFIGURATION: ResourceInterpreterWebhookConfiguration = {
  apiVersion: "config.karmada.io/v1alpha1",
  kind: "ResourceInterpreterWebhookConfiguration",
  metadata: { name: "gadgets" },
  webhooks: [
    {
      name: "all.example.com",
      clientConfig: { url: "https://127.0.0.1" },
      interpreterContextVersions: ["v1alpha1"],
      rules: [{ operations: ["*"], apiGroups: ["example.com"], apiVersions: ["v1"], kinds: ["Gadget"] }],
    },
  ],
};
const HOOKS = new InterpreterHooks([CONFIGURATION]);

function gadget(size = 1): KubeObject {
  return {
    apiVersion: "example.com/v1",
    kind: "Gadget",
    metadata: { name: "a", namespace: "default" },
    spec: { size },
  };
}

function questionOf(ask: (level: InterpreterLevel) => unknown): WebhookQuestion {
  try {
    ask(webhookLevel(HOOKS, NO_ANSWERS));
  } catch (error) {
    if (error instanceof AnswerPending && error.questions[0] instanceof WebhookQuestion) return error.questions[0];
    throw error;
  }
  throw new Error("nothing is asked");
}

/** What the level makes of an answer. */
function answered<T>(
  ask: (level: InterpreterLevel) => T,
  answer: WebhookAnswer,
  compatibility: "karmada" | "flaghoist" = "flaghoist",
): T {
  const answers = new Answers();
  answers.set(questionOf(ask), { value: answer });
  return ask(webhookLevel(HOOKS, answers, compatibility));
}

describe("a webhook's question", () => {
  it("is the same for the same operation on the same content, and another otherwise", () => {
    const key = questionOf((level) => level.getReplicas?.(gadget())).key;

    expect(questionOf((level) => level.getReplicas?.(gadget())).key).toBe(key);
    expect(questionOf((level) => level.getReplicas?.(gadget(2))).key).not.toBe(key);
    expect(questionOf((level) => level.interpretHealth?.(gadget())).key).not.toBe(key);
  });

  it("holds the number of replicas apart", () => {
    const keys = [1, 2].map((replicas) => questionOf((level) => level.reviseReplica?.(gadget(), replicas)).key);

    expect(new Set(keys).size).toBe(2);
  });

  it("is sent as a ResourceInterpreterContext with replicas, wanted or not", () => {
    const question = questionOf((level) => level.retain?.(gadget(1), gadget(2)));

    expect(JSON.parse(requestBody(question, "some-uid"))).toEqual({
      kind: "ResourceInterpreterContext",
      apiVersion: "config.karmada.io/v1alpha1",
      request: {
        uid: "some-uid",
        kind: { group: "example.com", version: "v1", kind: "Gadget" },
        name: "a",
        namespace: "default",
        operation: "Retain",
        object: gadget(1),
        observedObject: gadget(2),
        replicas: 0,
      },
    });
  });

  it("carries what the members say to AggregateStatus, and leaves an empty list out", () => {
    const items = [{ clusterName: "m1", status: { ready: 1 }, applied: true, health: "Healthy" as const }];
    const bodyOf = (list: typeof items) =>
      JSON.parse(
        requestBody(
          questionOf((level) => level.aggregateStatus?.(gadget(), list, "")),
          "u",
        ),
      ).request;

    expect(bodyOf(items).aggregatedStatus).toEqual(items);
    expect(bodyOf([])).not.toHaveProperty("aggregatedStatus");
  });
});

describe("the level of webhooks", () => {
  it("knows the kinds and operations of the rules", () => {
    const level = webhookLevel(HOOKS, NO_ANSWERS);

    expect(level.hookEnabled({ group: "example.com", version: "v1", kind: "Gadget" }, "Retain")).toBe(true);
    expect(level.hookEnabled({ group: "example.com", version: "v2", kind: "Gadget" }, "Retain")).toBe(false);
  });

  it("gives what was answered", () => {
    expect(answered((level) => level.getReplicas?.(gadget()), { demand: { replicas: 3 } })).toEqual({ replicas: 3 });
    expect(answered((level) => level.getComponents?.(gadget()), { components: [] })).toEqual([]);
    expect(answered((level) => level.getDependencies?.(gadget()), { dependencies: [] })).toEqual([]);
    expect(answered((level) => level.reflectStatus?.(gadget()), { status: { a: 1 } })).toEqual({ a: 1 });
    expect(answered((level) => level.interpretHealth?.(gadget()), { healthy: true })).toBe(true);
  });

  it("applies patches to the object and leaves the given one alone", () => {
    const object = gadget(1);
    const patch = [{ op: "replace", path: "/spec/size", value: 5 }];

    expect(answered((level) => level.reviseReplica?.(object, 5), { patch })).toEqual(gadget(5));
    expect(answered((level) => level.retain?.(object, gadget(5)), { patch })).toEqual(gadget(5));
    expect(object).toEqual(gadget(1));
  });

  it("gives the very object without a patch", () => {
    const object = gadget();

    expect(answered((level) => level.reviseReplica?.(object, 1), { patch: [] })).toBe(object);
  });

  it.each<[string, object, string]>([
    ["without a kind", { apiVersion: "v1", kind: "", name: "a" }, "dependencies[0]: kind is missing"],
    ["that names nothing", { apiVersion: "v1", kind: "Secret" }, "neither name nor labelSelector"],
    [
      "with a selector of no known operator",
      { apiVersion: "v1", kind: "Secret", labelSelector: { matchExpressions: [{ key: "a", operator: "Near" }] } },
      "dependencies[0]: ",
    ],
  ])("refuses a dependency %s, and names the webhook", (_what, dependency, message) => {
    // Bad dependencies are what is tested.
    const answer = { dependencies: [dependency] } as unknown as WebhookAnswer;
    const ask = () => answered((level) => level.getDependencies?.(gadget()), answer);

    expect(ask).toThrow(message);
    expect(ask).toThrow('failed calling webhook "gadgets/all.example.com": received invalid webhook response: ');
  });

  it("refuses negative replicas", () => {
    const demand = { demand: { replicas: -1 } };
    const components = { components: [{ name: "a", replicas: -2 }] };

    expect(() => answered((level) => level.getReplicas?.(gadget()), demand)).toThrow(
      'failed calling webhook "gadgets/all.example.com": response.replicas is -1: there are no negative replicas',
    );
    expect(() => answered((level) => level.getComponents?.(gadget()), components)).toThrow(
      "response.components[0].replicas is -2",
    );
  });

  it("takes with compatibility: karmada what Karmada takes", () => {
    const patch = [{ op: "replace", path: "/metadata/name", value: "b" }];

    expect(answered((level) => level.getReplicas?.(gadget()), { demand: { replicas: -1 } }, "karmada")).toEqual({
      replicas: -1,
    });
    expect(answered((level) => level.reviseReplica?.(gadget(), 1), { patch }, "karmada")?.metadata.name).toBe("b");
  });

  it("takes the status alone of what AggregateStatus patches", () => {
    const patch = [
      { op: "add", path: "/status", value: { ready: 2 } },
      { op: "replace", path: "/spec/size", value: 9 },
    ];

    expect(answered((level) => level.aggregateStatus?.(gadget(1), [], ""), { patch })).toEqual({
      ...gadget(1),
      status: { ready: 2 },
    });
  });

  it.each<[string, object, string]>([
    ["does not apply", { op: "replace", path: "/spec/none", value: 1 }, "response.patch does not apply: "],
    ["is of no known operation", { op: "merge", path: "/spec/size", value: 1 }, "response.patch does not apply: "],
    ["changes the kind", { op: "replace", path: "/kind", value: "Secret" }, "response.patch changes kind"],
    ["changes the version", { op: "replace", path: "/apiVersion", value: "v1" }, "response.patch changes apiVersion"],
    ["changes the name", { op: "replace", path: "/metadata/name", value: "b" }, "response.patch changes metadata.name"],
    ["takes the name away", { op: "remove", path: "/metadata/name" }, "response.patch changes metadata.name"],
    ["takes metadata away", { op: "remove", path: "/metadata" }, "response.patch changes metadata.name"],
    [
      "changes the namespace",
      { op: "replace", path: "/metadata/namespace", value: "kube-system" },
      "response.patch changes metadata.namespace",
    ],
    ["puts a list in its place", { op: "replace", path: "", value: [] }, "response.patch changes apiVersion"],
  ])("refuses a patch that %s, and names the webhook", (_what, operation, message) => {
    const revise = (level: InterpreterLevel) => level.reviseReplica?.(gadget(), 1);
    // Bad operations are what is tested.
    const answer = { patch: [operation] } as unknown as WebhookAnswer;

    expect(() => answered(revise, answer)).toThrow(message);
    expect(() => answered(revise, answer)).toThrow('failed calling webhook "gadgets/all.example.com": ');
  });
});
