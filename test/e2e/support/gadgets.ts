// A kind of the user's own, Gadget, that only an interpreter webhook understands.
import { patchAnswer, type TestWebhook } from "../../../fleets/apiserver/admission/webhooks/test-webhook.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { at } from "./reading.ts";

export const CONFIGURATION = "config.karmada.io/v1alpha1 ResourceInterpreterWebhookConfiguration";
export const GADGET = "example.com/v1 Gadget";
/** A rule for every operation on Gadgets. */
export const ALL_GADGETS = { operations: ["*"], apiGroups: ["example.com"], apiVersions: ["v1"], kinds: ["Gadget"] };

/** A Gadget of these fields. */
export function gadget(namespace: string, name: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion: "example.com/v1", kind: "Gadget", metadata: { name, namespace }, spec };
}

/** What a webhook answers, by operation: the response without uid and success. */
export type Answers = Record<string, (request: Record<string, unknown>) => object | Promise<object>>;

/** What a Gadget means. `size` is its replicas, `paused` the member's, `config` names a ConfigMap. */
export const MEANING = {
  InterpretReplica: (request) => ({
    replicas: at(request, "object", "spec", "size"),
    replicaRequirements: { resourceRequest: { cpu: "100m" } },
  }),
  ReviseReplica: (request) => patchAnswer({ op: "replace", path: "/spec/size", value: request["replicas"] }),
  Retain: (request) =>
    patchAnswer({ op: "add", path: "/spec/paused", value: at(request, "observedObject", "spec", "paused") ?? false }),
  InterpretStatus: (request) => ({ rawStatus: { ready: at(request, "object", "status", "ready") ?? 0 } }),
  InterpretHealth: (request) => ({
    healthy: at(request, "object", "status", "ready") === at(request, "object", "spec", "size"),
  }),
  AggregateStatus: (request) => {
    const items = (request["aggregatedStatus"] ?? []) as object[];
    const ready = items.reduce((sum, item) => sum + Number(at(item, "status", "ready") ?? 0), 0);
    return patchAnswer({ op: "add", path: "/status", value: { ready } });
  },
  InterpretDependency: (request) => {
    const name = at(request, "object", "spec", "config");
    const namespace = request["namespace"];
    return { dependencies: name === undefined ? [] : [{ apiVersion: "v1", kind: "ConfigMap", namespace, name }] };
  },
} satisfies Answers;

/** Lets a webhook answer at `/gadgets` with what `answers` gives at the time. */
export function answerGadgets(hook: TestWebhook, answers: () => Answers): void {
  hook.behave("/gadgets", async (request) => {
    const given = await answers()[String(request["operation"])]?.(request);
    return { successful: true, ...given };
  });
}

/** Says by a script how many replicas a Gadget asks for. */
export function customization(luaScript: string): KubeObject {
  return {
    apiVersion: "config.karmada.io/v1alpha1",
    kind: "ResourceInterpreterCustomization",
    metadata: { name: "gadgets" },
    spec: {
      target: { apiVersion: "example.com/v1", kind: "Gadget" },
      customizations: { replicaResource: { luaScript } },
    },
  };
}

export interface ConfigurationParts {
  readonly name?: string;
  readonly rules?: readonly object[];
  readonly timeoutSeconds?: number;
}

/** A configuration of one webhook; by default for all of Gadgets. */
export function webhookConfiguration(clientConfig: object, parts: ConfigurationParts = {}): KubeObject {
  const { name = "gadgets", rules = [ALL_GADGETS], timeoutSeconds } = parts;
  return {
    apiVersion: "config.karmada.io/v1alpha1",
    kind: "ResourceInterpreterWebhookConfiguration",
    metadata: { name },
    webhooks: [
      {
        name: "all.example.com",
        clientConfig,
        rules,
        interpreterContextVersions: ["v1alpha1"],
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      },
    ],
  };
}
