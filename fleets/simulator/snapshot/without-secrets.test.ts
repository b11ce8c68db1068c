import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { WITHHELD, withoutSecrets } from "./without-secrets.ts";

const PASSWORD = "aHVudGVyMg==";

function secret(extra: object = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "db",
      namespace: "shop",
      annotations: {
        "kubectl.kubernetes.io/last-applied-configuration": `{"data":{"password":"${PASSWORD}"}}`,
        team: "a",
      },
    },
    type: "Opaque",
    data: { password: PASSWORD },
    ...extra,
  };
}

describe("what of an object leaves its cluster in a snapshot", () => {
  it("is all but the values of a Secret, whose keys stay", () => {
    const taken = withoutSecrets(secret({ stringData: { user: "admin" } }));

    expect(taken).toMatchObject({ data: { password: WITHHELD }, stringData: { user: "withheld" }, type: "Opaque" });
    expect(taken.metadata.annotations).toEqual({ team: "a" });
    expect(JSON.stringify(taken)).not.toContain(PASSWORD);
  });

  it("leaves the original alone", () => {
    const original = secret();
    withoutSecrets(original);
    expect(original["data"]).toEqual({ password: PASSWORD });
  });

  it.each<[string, KubeObject]>([
    [
      "a Work",
      {
        apiVersion: "work.karmada.io/v1alpha1",
        kind: "Work",
        metadata: { name: "w" },
        spec: { workload: { manifests: [secret()] } },
      },
    ],
    ["a List", { apiVersion: "v1", kind: "List", metadata: {}, items: [secret()] }],
  ])("looks for Secrets inside of %s", (_what, holder) => {
    const text = JSON.stringify(withoutSecrets(holder));
    expect(text).not.toContain(PASSWORD);
    expect(text).toContain(WITHHELD);
  });

  it("has no credentials of addresses, and no headers to a cluster's proxy", () => {
    const repository = {
      apiVersion: "gitops.flaghoist.io/v1alpha1",
      kind: "GitRepository",
      metadata: { name: "shop" },
      spec: { url: "https://bot:hunter2@git.example.com/shop.git" },
    };
    const cluster = {
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      metadata: { name: "paris" },
      spec: { proxyURL: "http://me:hunter2@proxy:3128", proxyHeader: { Authorization: "Basic hunter2" } },
    };

    expect(withoutSecrets(repository)["spec"]).toEqual({ url: "https://git.example.com/shop.git" });
    expect(withoutSecrets(cluster)["spec"]).toEqual({ proxyURL: "http://proxy:3128" });
  });

  it("is the object itself when it has nothing to hide", () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { mail: "a@b" } };
    expect(withoutSecrets(object)).toBe(object);
  });
});
