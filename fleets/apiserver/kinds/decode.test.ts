import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../kube/object.ts";
import { StatusError } from "../registry/status-error.ts";
import { decodeKind } from "./builtin-kind.ts";
import { decodeTyped } from "./decode.ts";

function refusalOf(apiVersion: string, kind: string, body: JsonObject): string {
  try {
    decodeKind(apiVersion, kind, body);
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "accepted";
}

function podWith(container: JsonObject): JsonObject {
  return { metadata: { name: "p" }, spec: { containers: [{ name: "c", ...container }] } };
}

describe("the canonical form of a built-in object", () => {
  it("has what the server always prints, and drops zero values", () => {
    const { object } = decodeKind("apps/v1", "Deployment", {
      metadata: { name: "d", labels: {}, generation: 0 },
      spec: { paused: false, minReadySeconds: 0, replicas: 0, template: { spec: { containers: [] } } },
    });

    expect(object).toEqual({
      kind: "Deployment",
      apiVersion: "apps/v1",
      metadata: { name: "d" },
      spec: {
        replicas: 0,
        selector: null,
        strategy: {},
        template: { metadata: {}, spec: { containers: [] } },
      },
      status: {},
    });
  });

  it("prints an absent time of an event as null and drops an absent creation time", () => {
    const { object } = decodeKind("v1", "Event", { metadata: { name: "e", creationTimestamp: null } });

    expect(object["firstTimestamp"]).toBeNull();
    expect(object.metadata).toEqual({ name: "e" });
  });

  it("turns nulls into zero values where there is no null", () => {
    const { object } = decodeKind("v1", "ConfigMap", { metadata: { name: null }, data: { a: null }, binaryData: null });

    expect(object).toEqual({ kind: "ConfigMap", apiVersion: "v1", metadata: {}, data: { a: "" } });
  });

  it.each([
    ["1000m", "1"],
    ["1024Mi", "1Gi"],
    [2, "2"],
    [0.5, "500m"],
  ])("writes the quantity %s as %s", (given, canonical) => {
    const { value } = decodeTyped("core/v1.ResourceRequirements", { limits: { cpu: given } });

    expect(value).toEqual({ limits: { cpu: canonical } });
  });

  it("writes times in UTC, whole seconds for most and microseconds for leases", () => {
    const time = "2024-05-01T12:00:00.1234567+02:00";

    expect(decodeTyped("core/v1.Taint", { key: "k", effect: "e", timeAdded: time }).value["timeAdded"]).toBe(
      "2024-05-01T10:00:00Z",
    );
    expect(decodeTyped("coordination/v1.LeaseSpec", { renewTime: time }).value["renewTime"]).toBe(
      "2024-05-01T10:00:00.123456Z",
    );
  });

  it("keeps numbers and texts of int-or-string fields apart", () => {
    const ports = [
      { port: 80, targetPort: "web" },
      { port: 81, targetPort: 8081 },
    ];
    const { value } = decodeTyped("core/v1.ServiceSpec", { ports });

    expect(value["ports"]).toEqual(ports);
  });

  it("is stable: decoding it again changes nothing", () => {
    const body = podWith({ image: "i", resources: { limits: { memory: "1024Ki" } }, livenessProbe: { exec: {} } });
    const { object } = decodeKind("v1", "Pod", body);

    expect(decodeKind("v1", "Pod", structuredClone(object) as unknown as JsonObject)).toEqual({
      object,
      strictErrors: [],
    });
  });
});

describe("strict decoding", () => {
  it("reports unknown fields depth first, in document order, and drops them", () => {
    const body = { metadata: { bogus: 1 }, datum: {}, data: { a: "b" } };
    const { object, strictErrors } = decodeKind("v1", "ConfigMap", body, ['duplicate field "data"']);

    expect(strictErrors).toEqual(['duplicate field "data"', 'unknown field "metadata.bogus"', 'unknown field "datum"']);
    expect(object).not.toHaveProperty("datum");
  });

  it("names list items by index and map entries by key", () => {
    const { strictErrors } = decodeKind("v1", "Pod", podWith({ env: [{ name: "n" }, { name: "m", nam: 1 }] }));

    expect(strictErrors).toEqual(['unknown field "spec.containers[0].env[1].nam"']);
  });

  it("tells upper and lower case apart", () => {
    expect(decodeKind("v1", "ConfigMap", { Data: {} }).strictErrors).toEqual(['unknown field "Data"']);
  });

  it("knows the fields of inlined structs", () => {
    const probe = { httpGet: { port: 80 }, periodSeconds: 3 };

    expect(decodeKind("v1", "Pod", podWith({ livenessProbe: probe })).strictErrors).toEqual([]);
  });
});

describe("a value of the wrong type", () => {
  it.each<[string, string, string, JsonObject, string]>([
    [
      "a list for a map",
      "v1",
      "ConfigMap",
      { data: [] },
      "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string",
    ],
    [
      "a number in a map of texts",
      "v1",
      "ConfigMap",
      { data: { a: 1 } },
      "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
    ],
    [
      "a number for a name",
      "v1",
      "ConfigMap",
      { metadata: { name: 7 } },
      "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string",
    ],
    [
      "a text for a count",
      "apps/v1",
      "Deployment",
      { spec: { replicas: "x" } },
      "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
    ],
    [
      "a fraction for a count",
      "apps/v1",
      "Deployment",
      { spec: { replicas: 1.5 } },
      "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
    ],
    [
      "a count beyond 32 bits",
      "apps/v1",
      "Deployment",
      { spec: { replicas: 3e9 } },
      "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
    ],
    [
      "a text for a struct",
      "v1",
      "Pod",
      { spec: "x" },
      "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec",
    ],
    [
      "an object for a list of structs",
      "v1",
      "Pod",
      { spec: { containers: {} } },
      "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
    ],
    [
      "a flag for int-or-string",
      "v1",
      "Service",
      { spec: { ports: [{ port: 1, targetPort: true }] } },
      "json: cannot unmarshal bool into Go value of type int32",
    ],
    [
      "a text that is no quantity",
      "v1",
      "ResourceQuota",
      { spec: { hard: { cpu: "bad" } } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      "a text that is not base64",
      "v1",
      "Secret",
      { data: { a: "not base64!" } },
      "illegal base64 data at input byte 3",
    ],
  ])("refuses %s in Go's words", (_what, apiVersion, kind, body, text) => {
    expect(refusalOf(apiVersion, kind, body)).toBe(
      `400 ${kind} in version "v1" cannot be handled as a ${kind}: ${text}`,
    );
  });

  it("accepts 64-bit counts where the type has them", () => {
    const { object } = decodeKind("v1", "Pod", { spec: { containers: [], terminationGracePeriodSeconds: 3e9 } });

    expect(object["spec"]).toMatchObject({ terminationGracePeriodSeconds: 3e9 });
  });
});
