import { describe, expect, it } from "vitest";
import type { InterpreterOperation } from "../interpreter.ts";
import { readResponse } from "./response.ts";

const UID = "11111111-2222-4333-8444-555555555555";

function read(operation: InterpreterOperation, response: object): unknown {
  return readResponse({ response: { uid: UID, successful: true, ...response } }, UID, operation);
}

function base64(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64");
}

describe("readResponse", () => {
  it.each<[InterpreterOperation, object, unknown]>([
    ["InterpretReplica", { replicas: 3 }, { demand: { replicas: 3 } }],
    ["InterpretReplica", { replicas: 0, replicaRequirements: null }, { demand: { replicas: 0 } }],
    [
      "InterpretReplica",
      { replicas: 1, replicaRequirements: { resourceRequest: { cpu: "100m" }, nodeClaim: { more: 1 }, unknown: 2 } },
      { demand: { replicas: 1, requirements: { resourceRequest: { cpu: "100m" }, nodeClaim: {} } } },
    ],
    ["InterpretComponent", { components: [{ name: "a", replicas: 2 }] }, { components: [{ name: "a", replicas: 2 }] }],
    ["InterpretComponent", {}, { components: [] }],
    [
      "InterpretDependency",
      { dependencies: [{ apiVersion: "v1", kind: "Secret", namespace: "default", name: "s", other: 1 }] },
      { dependencies: [{ apiVersion: "v1", kind: "Secret", namespace: "default", name: "s" }] },
    ],
    ["InterpretDependency", { dependencies: null }, { dependencies: [] }],
    ["InterpretStatus", { rawStatus: { ready: 1 } }, { status: { ready: 1 } }],
    ["InterpretStatus", { rawStatus: {} }, { status: {} }],
    ["InterpretHealth", { healthy: false }, { healthy: false }],
    ["Retain", {}, { patch: [] }],
    ["Retain", { patch: "", patchType: null }, { patch: [] }],
    ["Retain", { patch: base64([]), patchType: "JSONPatch" }, { patch: [] }],
    [
      "ReviseReplica",
      { patch: base64([{ op: "add", path: "/a", value: 1 }]), patchType: "JSONPatch" },
      { patch: [{ op: "add", path: "/a", value: 1 }] },
    ],
  ])("reads what %s is about: %j", (operation, response, expected) => {
    expect(read(operation, response)).toEqual(expected);
  });

  it.each<[string, InterpreterOperation, object, string]>([
    ["another uid", "InterpretHealth", { uid: "x", healthy: true }, `expected response.uid "${UID}", got "x"`],
    ["no uid", "InterpretHealth", { uid: undefined, healthy: true }, 'got ""'],
    ["no replicas", "InterpretReplica", {}, "webhook returned nil response.replicas"],
    ["replicas as text", "InterpretReplica", { replicas: "3" }, "response.replicas is not an integer of 32 bits"],
    ["half a replica", "InterpretReplica", { replicas: 1.5 }, "response.replicas is not an integer of 32 bits"],
    ["too many", "InterpretReplica", { replicas: 3_000_000_000 }, "response.replicas is not an integer of 32 bits"],
    [
      "a request that is no quantity",
      "InterpretReplica",
      { replicas: 1, replicaRequirements: { resourceRequest: { cpu: "much" } } },
      "response.replicaRequirements.resourceRequest.cpu must be a quantity",
    ],
    [
      "requirements as a list",
      "InterpretReplica",
      { replicas: 1, replicaRequirements: [] },
      "response.replicaRequirements is not an object",
    ],
    ["components as an object", "InterpretComponent", { components: {} }, "response.components is not a list"],
    [
      "a component without a name",
      "InterpretComponent",
      { components: [{ replicas: 1 }] },
      "response.components[0].name is required",
    ],
    [
      "a dependency that is text",
      "InterpretDependency",
      { dependencies: ["v1/Secret/a"] },
      "response.dependencies[0] is not an object",
    ],
    [
      "a name that is a number",
      "InterpretDependency",
      { dependencies: [{ apiVersion: "v1", kind: "Secret", name: 3 }] },
      "response.dependencies[0].name is not text",
    ],
    ["no status", "InterpretStatus", {}, "webhook returned nil response.rawStatus"],
    ["a status that is text", "InterpretStatus", { rawStatus: "ok" }, "response.rawStatus is not an object"],
    ["no health", "InterpretHealth", {}, "webhook returned nil response.healthy"],
    ["health as text", "InterpretHealth", { healthy: "yes" }, "response.healthy is not true or false"],
    ["a patch without a type", "Retain", { patch: base64([]) }, "webhook returned nil response.patchType"],
    ["a type without a patch", "Retain", { patchType: "JSONPatch" }, "webhook returned empty response.patch"],
    [
      "a merge patch",
      "Retain",
      { patch: base64({}), patchType: "MergePatch" },
      'webhook returned invalid response.patchType of "MergePatch"',
    ],
    ["a patch in clear", "Retain", { patch: "[{}]", patchType: "JSONPatch" }, "response.patch is not base64"],
    ["a patch cut short", "Retain", { patch: base64("[{"), patchType: "JSONPatch" }, "is not base64 of JSON"],
    [
      "a patch that is an object",
      "Retain",
      { patch: base64({ op: "add" }), patchType: "JSONPatch" },
      "is not base64 of a list of JSON patch operations",
    ],
    [
      "an operation without a path",
      "Retain",
      { patch: base64([{ op: "add" }]), patchType: "JSONPatch" },
      "is not base64 of a list of JSON patch operations",
    ],
    [
      "a failure without a status",
      "Retain",
      { successful: false },
      "webhook require response.status when response.successful is false",
    ],
    [
      "a failure",
      "Retain",
      { successful: false, status: { code: 500, message: "no idea" } },
      "webhook call failed, get status code: 500, msg: no idea",
    ],
    ["success as text", "InterpretHealth", { successful: "true" }, "response.successful is not true or false"],
  ])("refuses %s", (_what, operation, response, message) => {
    expect(() => read(operation, response)).toThrow(message);
  });

  it.each<[string, unknown, string]>([
    ["text", "hello", "the answer is not a JSON object"],
    ["no response", {}, "webhook response was absent"],
    ["a response that is a list", { response: [] }, "response is not an object"],
    [
      "another kind of answer",
      { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: UID } },
      "expected a ResourceInterpreterContext",
    ],
  ])("refuses %s", (_what, json, message) => {
    expect(() => readResponse(json, UID, "InterpretHealth")).toThrow(message);
  });
});
