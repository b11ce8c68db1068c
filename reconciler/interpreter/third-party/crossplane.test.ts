import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { standardInterpreter } from "../standard-interpreter.ts";

const NOW = "2026-01-01T00:00:00Z";
const interpreter = standardInterpreter("flaghoist");

function object(apiVersion: string, kind: string, types: readonly string[], spec: unknown = {}): KubeObject {
  const conditions = types.map((type) => ({ type, status: "True", reason: "Said", lastTransitionTime: NOW }));
  return { apiVersion, kind, metadata: { name: "web" }, spec, status: { conditions } };
}

function provider(...types: string[]): KubeObject {
  return object("pkg.crossplane.io/v1", "Provider", types);
}

describe("Crossplane", () => {
  it("takes a package for healthy that is installed and healthy", () => {
    expect(interpreter.interpretHealth(provider("Installed", "Healthy"))).toBe(true);
    expect(interpreter.interpretHealth(provider("Installed"))).toBe(false);
  });

  it("takes a type for healthy that is established, and offered where it can be claimed", () => {
    const definition = (spec: unknown, ...types: string[]): boolean =>
      interpreter.interpretHealth(object("apiextensions.crossplane.io/v1", "CompositeResourceDefinition", types, spec));

    expect(definition({}, "Established")).toBe(true);
    expect(definition({ claimNames: { kind: "Database" } }, "Established")).toBe(false);
    expect(definition({ claimNames: { kind: "Database" } }, "Established", "Offered")).toBe(true);
  });

  it("calls a package installed and healthy when it is so in every cluster, and says nothing before that is known", () => {
    const member = (clusterName: string, copy: KubeObject) => ({
      clusterName,
      status: { ...interpreter.reflectStatus(copy), currentRevision: `web-${clusterName}` },
    });
    const statuses = (...items: ReturnType<typeof member>[]): unknown => {
      const { conditions = [] } = interpreter.aggregateStatus(provider(), items, NOW)["status"] as {
        conditions?: Record<string, unknown>[];
      };
      return conditions.map(({ type, status }) => `${type} ${status}`);
    };
    const good = member("a", provider("Installed", "Healthy"));

    expect(statuses(good, member("b", provider("Installed", "Healthy")))).toEqual(["Installed True", "Healthy True"]);
    expect(statuses(good, member("b", provider("Installed")))).toEqual([]);
  });
});
