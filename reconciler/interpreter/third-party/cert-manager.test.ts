import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { standardInterpreter } from "../standard-interpreter.ts";
import { progressOf } from "./rules/kstatus.ts";

const NOW = "2026-01-01T00:00:00Z";
const interpreter = standardInterpreter("flaghoist");

function object(kind: string, fields: Record<string, unknown> = {}): KubeObject {
  const group = kind === "Order" || kind === "Challenge" ? "acme.cert-manager.io" : "cert-manager.io";
  return { apiVersion: `${group}/v1`, kind, metadata: { name: "web", namespace: "shop", generation: 1 }, ...fields };
}

function condition(type: string, status: string, observedGeneration = 1): Record<string, unknown> {
  return { type, status, reason: "Said", message: "said", lastTransitionTime: NOW, observedGeneration };
}

function health(kind: string, status: Record<string, unknown>): boolean {
  return interpreter.interpretHealth(object(kind, { status }));
}

function needs(kind: string, spec: Record<string, unknown>): string[] {
  return interpreter.getDependencies(object(kind, { spec })).map(({ kind: needed, name }) => `${needed} ${name}`);
}

describe("health of cert-manager's objects", () => {
  it("is that of the certificate at hand, also while the next one is issued", () => {
    expect(health("Certificate", { conditions: [condition("Ready", "True"), condition("Issuing", "True")] })).toBe(
      true,
    );
    expect(health("Certificate", { conditions: [condition("Ready", "False")] })).toBe(false);
    expect(health("Certificate", { conditions: [condition("Ready", "True", 0)] })).toBe(false);
    expect(health("Certificate", {})).toBe(false);
  });

  it("is Ready for issuers, and for requests that were not denied", () => {
    expect(health("Issuer", { conditions: [condition("Ready", "True")] })).toBe(true);
    expect(health("ClusterIssuer", { conditions: [condition("Ready", "False")] })).toBe(false);
    expect(health("CertificateRequest", { conditions: [condition("Ready", "True")] })).toBe(true);
    expect(
      health("CertificateRequest", { conditions: [condition("Ready", "True"), condition("Denied", "True")] }),
    ).toBe(false);
  });

  it("is the state of Orders and Challenges", () => {
    expect(health("Order", { state: "valid" })).toBe(true);
    expect(health("Challenge", { state: "pending" })).toBe(false);
    expect(health("Challenge", {})).toBe(false);
  });
});

describe("what cert-manager's objects need", () => {
  it("is the issuer of a certificate and the passwords of its key stores, not the Secret that is made of it", () => {
    const spec = {
      secretName: "web-tls",
      issuerRef: { name: "ca" },
      keystores: { pkcs12: { create: true, passwordSecretRef: { name: "store", key: "password" } } },
    };

    expect(needs("Certificate", spec)).toEqual(["Issuer ca", "Secret store"]);
    expect(needs("Certificate", { issuerRef: { name: "ca", kind: "ClusterIssuer" } })).toEqual([]);
    expect(
      needs("Certificate", { issuerRef: { name: "aws", kind: "Issuer", group: "awspca.cert-manager.io" } }),
    ).toEqual([]);
  });

  it("is every Secret that an issuer reads, wherever it is named, not the account key that it makes", () => {
    const acme = {
      privateKeySecretRef: { name: "account" },
      externalAccountBinding: { keySecretRef: { name: "eab" } },
      solvers: [
        { dns01: { cloudflare: { apiTokenSecretRef: { name: "cloudflare", key: "token" } } } },
        { http01: { ingress: {} } },
      ],
    };

    expect(needs("Issuer", { acme })).toEqual(["Secret cloudflare", "Secret eab"]);
    expect(needs("Issuer", { ca: { secretName: "key-pair" } })).toEqual(["Secret key-pair"]);
    expect(needs("Issuer", { vault: { auth: { appRole: { secretRef: { name: "role" } } } } })).toEqual(["Secret role"]);
    expect(needs("Issuer", { selfSigned: {} })).toEqual([]);
  });
});

describe("the status of a certificate in several clusters", () => {
  const member = (clusterName: string, notAfter: string, status = "True") => ({
    clusterName,
    status: { conditions: [condition("Ready", status)], notAfter, generation: 1, resourceTemplateGeneration: 1 },
  });

  it("ends with the first of them, and is Ready when all are", () => {
    const of = (...items: ReturnType<typeof member>[]): KubeObject =>
      interpreter.aggregateStatus(object("Certificate"), items, NOW);

    expect(of(member("a", "2026-05-01T00:00:00Z"), member("b", "2026-04-01T00:00:00Z"))["status"]).toEqual({
      notAfter: "2026-04-01T00:00:00Z",
      conditions: [condition("Ready", "True")],
    });
    expect(progressOf(of(member("a", NOW), member("b", NOW)))).toBe("Current");
    expect(progressOf(of(member("a", NOW), member("b", NOW, "False")))).toBe("InProgress");
  });
});
