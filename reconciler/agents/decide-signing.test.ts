import { describe, expect, it } from "vitest";
import { agentRequest, CLAIM_MS, type SigningFacts, signingRefusal } from "./decide-signing.ts";

const NOW = Date.UTC(2026, 0, 1);
const NEW = { exists: false, claim: undefined };

function facts(more: Partial<SigningFacts> = {}): SigningFacts {
  return {
    name: "edge-x7k2p",
    signerName: "kubernetes.io/kube-apiserver-client",
    usages: ["digital signature", "key encipherment", "client auth"],
    username: "system:bootstrap:abcdef",
    groups: ["system:bootstrappers", "system:bootstrappers:karmada:default-cluster-token"],
    subject: { name: "system:karmada:agent:edge", groups: ["system:karmada:agents"], hasAlternativeNames: false },
    ...more,
  };
}

function subject(name: string, groups = ["system:karmada:agents"], hasAlternativeNames = false) {
  return { name, groups, hasAlternativeNames };
}

describe("agentRequest", () => {
  it("is one for a new agent, or one of an agent for itself", () => {
    expect(agentRequest(facts())).toEqual({ cluster: "edge", subresource: "clusteragent", isGenerator: false });
    expect(agentRequest(facts({ username: "system:karmada:agent:edge" }))).toEqual({
      cluster: "edge",
      subresource: "selfclusteragent",
      isGenerator: false,
    });
    expect(agentRequest(facts({ usages: ["client auth", "digital signature"] }))).toBeDefined();
  });

  it.each<[string, Partial<SigningFacts>]>([
    ["another signer", { signerName: "kubernetes.io/kubelet-serving" }],
    ["more usages", { usages: ["digital signature", "client auth", "server auth"] }],
    ["fewer usages", { usages: ["client auth"] }],
    ["what cannot be read", { subject: undefined }],
    ["another group", { subject: subject("system:karmada:agent:edge", ["system:masters"]) }],
    ["a further group", { subject: subject("system:karmada:agent:edge", ["system:karmada:agents", "ops"]) }],
    ["another name", { subject: subject("system:node:edge") }],
    ["alternative names", { subject: subject("system:karmada:agent:edge", ["system:karmada:agents"], true) }],
  ])("is left to others with %s", (_what, more) => {
    expect(agentRequest(facts(more))).toBeUndefined();
  });
});

describe("signingRefusal", () => {
  /** As `karmadactl register` asks. */
  function generator(more: Partial<SigningFacts> = {}): SigningFacts {
    return facts({
      name: "agent-rbac-generator-edge-7bq4zx",
      subject: subject("system:karmada:agent:rbac-generator"),
      ...more,
    });
  }

  function refusal(
    given: SigningFacts,
    known: Omit<Parameters<typeof signingRefusal>[2], "keepsGenerators"> = NEW,
    now = NOW,
    keepsGenerators = false,
  ): string | undefined {
    const request = agentRequest(given);
    if (request === undefined) throw new Error("no agent's request");
    return signingRefusal(given, request, { ...known, keepsGenerators }, now);
  }

  it("lets a new cluster in", () => {
    expect(refusal(facts())).toBeUndefined();
  });

  it("gives nobody the certificate of an agent that is there", () => {
    expect(refusal(facts(), { exists: true, claim: undefined })).toMatch(
      /cluster edge exists already: .*flaghoist unregister edge.*flaghoist token create --cluster edge/,
    );
  });

  it("lets an agent renew its own, and a token of that cluster replace it", () => {
    const groups = [...facts().groups, "system:bootstrappers:karmada:cluster:edge"];

    expect(
      refusal(facts({ username: "system:karmada:agent:edge" }), { exists: true, claim: undefined }),
    ).toBeUndefined();
    expect(refusal(facts({ groups }), { exists: true, claim: undefined })).toBeUndefined();
  });

  it("keeps a token of one cluster to that cluster", () => {
    const groups = [...facts().groups, "system:bootstrappers:karmada:cluster:other"];

    expect(refusal(facts({ groups }))).toBe("this token is for cluster other, not for edge");
  });

  it("gives a name to whoever asked first, for an hour", () => {
    const claim = { by: "system:bootstrap:fedcba", at: NOW };

    expect(refusal(facts(), { exists: false, claim }, NOW + CLAIM_MS - 1)).toMatch(
      /^system:bootstrap:fedcba is regist/,
    );
    expect(refusal(facts(), { exists: false, claim }, NOW + CLAIM_MS)).toBeUndefined();
    expect(refusal(facts(), { exists: false, claim: { by: "system:bootstrap:abcdef", at: NOW } })).toBeUndefined();
  });

  it.each(["rbac-generator", "", "a.b", "-a", "A", "a".repeat(49), "a/../b"])("refuses the name %j", (name) => {
    expect(refusal(facts({ subject: subject(`system:karmada:agent:${name}`) }))).toBeDefined();
  });

  it("lets the roles of a new agent be made where admission keeps whoever makes them to that", () => {
    expect(agentRequest(generator())).toMatchObject({ cluster: "edge-7", isGenerator: true });
    expect(refusal(generator(), NEW, NOW, true)).toBeUndefined();
    expect(refusal(generator())).toMatch(/nobody gets the right to write roles there: register with 'flaghoist reg/);
  });

  it("leaves it to karmadactl to say that the cluster exists", () => {
    expect(refusal(generator(), { exists: true, claim: undefined }, NOW, true)).toBeUndefined();
  });

  it("lets no roles be made for a name that another one claims, nor for none, nor without a token", () => {
    const claim = { by: "system:bootstrap:fedcba", at: NOW };
    const own = "system:karmada:agent:rbac-generator";

    expect(refusal(generator(), { exists: false, claim }, NOW, true)).toMatch(/is registering cluster edge-7 just now/);
    expect(refusal(generator({ name: "agent-rbac-generator-x7k2p" }), NEW, NOW, true)).toMatch(/cannot be the name/);
    expect(refusal(generator({ username: own }), NEW, NOW, true)).toMatch(/by a bootstrap token only/);
  });
});
