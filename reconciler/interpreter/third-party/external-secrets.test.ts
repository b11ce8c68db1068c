import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { standardInterpreter } from "../standard-interpreter.ts";
import { progressOf } from "./rules/kstatus.ts";

const NOW = "2026-01-01T00:00:00Z";
const interpreter = standardInterpreter("flaghoist");

function object(kind: string, fields: Record<string, unknown>, version = "v1"): KubeObject {
  return {
    apiVersion: `external-secrets.io/${version}`,
    kind,
    metadata: { name: "db", namespace: "shop", generation: 1 },
    ...fields,
  };
}

function needs(kind: string, spec: unknown, version?: string): string[] {
  return interpreter
    .getDependencies(object(kind, { spec }, version))
    .map(({ apiVersion, kind: needed, name }) => `${apiVersion} ${needed} ${name}`);
}

describe("External Secrets", () => {
  it("take along the stores of a Secret and what its template is made of, not the Secret itself", () => {
    const spec = {
      secretStoreRef: { name: "vault" },
      target: { name: "db", template: { templateFrom: [{ configMap: { name: "layout" } }] } },
      dataFrom: [{ sourceRef: { storeRef: { kind: "SecretStore", name: "aws" } } }],
    };

    expect(needs("ExternalSecret", spec)).toEqual([
      "external-secrets.io/v1 SecretStore aws",
      "external-secrets.io/v1 SecretStore vault",
      "v1 ConfigMap layout",
    ]);
    expect(needs("ExternalSecret", { secretStoreRef: { kind: "ClusterSecretStore", name: "vault" } })).toEqual([]);
    expect(needs("PushSecret", { selector: { secret: { name: "db" } } }, "v1alpha1")).toEqual(["v1 Secret db"]);
  });

  it("take along the credentials of a store, however deep its provider names them", () => {
    const aws = {
      auth: {
        secretRef: { accessKeyIDSecretRef: { name: "id" }, secretAccessKeySecretRef: { name: "key" } },
        jwt: { serviceAccountRef: { name: "reader" } },
      },
    };
    const vault = { caProvider: { type: "ConfigMap", name: "ca" }, auth: { tokenSecretRef: { name: "token" } } };

    expect(needs("SecretStore", { provider: { aws } })).toEqual([
      "v1 Secret id",
      "v1 Secret key",
      "v1 ServiceAccount reader",
    ]);
    expect(needs("SecretStore", { provider: { vault } })).toEqual(["v1 ConfigMap ca", "v1 Secret token"]);
    expect(needs("SecretStore", {})).toEqual([]);
  });

  it("are Ready when they are in every cluster, as of the cluster that looked longest ago", () => {
    const member = (clusterName: string, status: string, refreshTime: string) => ({
      clusterName,
      status: { conditions: [{ type: "Ready", status, reason: "SecretSynced" }], refreshTime, binding: { name: "db" } },
    });
    const of = (...items: ReturnType<typeof member>[]): KubeObject =>
      interpreter.aggregateStatus(object("ExternalSecret", {}), items, NOW);
    const good = of(member("a", "True", "2026-01-02T00:00:00Z"), member("b", "True", NOW));

    expect(good["status"]).toMatchObject({ refreshTime: NOW, binding: { name: "db" } });
    expect(interpreter.interpretHealth(good)).toBe(true);
    expect(progressOf(of(member("a", "True", NOW), member("b", "False", NOW)))).toBe("InProgress");
  });
});
