import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResourceInterpreterCustomization } from "../../api/config.ts";
import type { PropagationPolicy } from "../../api/policy.ts";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { QuotaEnforcement } from "../controllers/quota/quota-enforcement.ts";
import { QuotaLedger } from "../controllers/quota/quota-ledger.ts";
import { PolicyIndex } from "../policies/policy-index.ts";
import { admissionRules, karmadaAdmission } from "./admission.ts";
import { installDefinitions } from "./install.ts";

let server: ApiServer;
let client: KubeClient;
const clock = new FakeClock();
const policies = new PolicyIndex();

beforeAll(async () => {
  const quotas = new QuotaEnforcement(() => client, new QuotaLedger(clock));
  const admission = [
    karmadaAdmission({
      clock,
      newUuid: () => "11111111-2222-3333-4444-555555555555",
      featureGates: { FederatedQuotaEnforcement: true, MultiplePodTemplatesScheduling: true },
      quotas,
      policies: () => policies,
    }),
  ];
  server = await createApiServer({ name: "store", clock, logger: silentLogger, admission });
  client = new KubeClient(server.handle);
  await installDefinitions(client, clock);
});
afterAll(() => server.close());

const POLICY: KubeObject = {
  apiVersion: "policy.karmada.io/v1alpha1",
  kind: "PropagationPolicy",
  metadata: { name: "web", namespace: "default" },
  spec: { resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }] },
};

describe("installDefinitions", () => {
  it("serves our kinds and makes our namespaces, and may be repeated", async () => {
    await installDefinitions(client, clock);

    expect(client.mapper.known("gitops.flaghoist.io/v1alpha1", "Sync")).toBeDefined();
    expect(client.mapper.known("cluster.karmada.io/v1alpha1", "Cluster")).toBeDefined();
    const { items } = await client.list("v1", "Namespace", { labelSelector: "karmada.io/system=true" });
    expect(items.map((namespace) => namespace.metadata.name)).toEqual(["karmada-cluster", "karmada-system"]);
  });
});

describe("karmadaAdmission", () => {
  it("completes a policy", async () => {
    const created = await client.create(POLICY);

    expect(created.metadata.labels).toEqual({
      "propagationpolicy.karmada.io/permanent-id": "11111111-2222-3333-4444-555555555555",
    });
  });

  it("refuses a policy that cannot be meant, and names the field", async () => {
    const spec = { resourceSelectors: [], placement: { spreadConstraints: [{ minGroups: 3, maxGroups: 1 }] } };

    await expect(client.create({ ...POLICY, metadata: { name: "bad", namespace: "default" }, spec })).rejects.toThrow(
      /spec\./,
    );
  });

  it("protects what is marked from deletion, of any kind", async () => {
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "kept" };
    await client.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: "kept",
        namespace: "default",
        labels: { "resourcetemplate.karmada.io/deletion-protected": "Always" },
      },
    });

    await expect(client.delete(ref)).rejects.toMatchObject({ status: { code: 403 } });
    await client.patch(
      ref,
      { metadata: { labels: { "resourcetemplate.karmada.io/deletion-protected": null } } },
      "merge",
    );
    expect(await client.delete(ref)).toBe(true);
  });

  it("refuses a binding that takes more than its namespace may, with the reason that Karmada's scheduler looks for", async () => {
    await client.create({
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "FederatedResourceQuota",
      metadata: { name: "team", namespace: "default" },
      spec: { overall: { cpu: "3" } },
    });
    const created = await client.create(binding("web", []));

    const few = { ...created, spec: { ...binding("web", [2]).spec } };
    const stored = await client.update(few);
    const many = { ...stored, spec: { ...binding("web", [2, 2]).spec } };

    await expect(client.update(many)).rejects.toMatchObject({
      status: {
        code: 403,
        reason: "QuotaExceeded",
        message: expect.stringContaining(
          "FederatedResourceQuota(default/team) exceeded for resource cpu: requested sum 4, limit 3.",
        ),
      },
    });
    expect(await client.get({ ...few, name: "web", namespace: "default" })).toEqual(stored);
  });

  it("reads the gates", async () => {
    const parts = binding("parts", []);

    await expect(
      client.create({ ...parts, spec: { ...parts.spec, components: [{ name: "", replicas: 1 }] } }),
    ).rejects.toThrow(/spec\.components\[0\]\.name/);
  });
});

describe("admissionRules", () => {
  it("lets taint policies drive workloads out only where the operator does", () => {
    const object: KubeObject = {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "ClusterTaintPolicy",
      metadata: { name: "drain" },
      spec: { taints: [{ key: "a", effect: "NoExecute" }] },
    };
    const answer = (allowNoExecuteTaintPolicy: boolean): unknown =>
      admissionRules({ clock, newUuid: () => "", allowNoExecuteTaintPolicy }).validate({
        operation: "CREATE",
        subresource: undefined,
        namespace: undefined,
        object,
        oldObject: undefined,
        dryRun: false,
        user: { name: "alice" },
        warn: () => undefined,
      });

    expect(answer(false)).toHaveLength(1);
    expect(answer(true)).toEqual([]);
  });
});

describe("admissionRules for customizations", () => {
  function written(name: string, retention: string): ResourceInterpreterCustomization & KubeObject {
    return {
      apiVersion: "config.karmada.io/v1alpha1",
      kind: "ResourceInterpreterCustomization",
      metadata: { name },
      spec: {
        target: { apiVersion: "acme.dev/v1", kind: "Machine" },
        customizations: { retention: { luaScript: retention } },
      },
    };
  }

  function answerTo(object: KubeObject): { readonly refusals: unknown; readonly warnings: readonly string[] } {
    const warnings: string[] = [];
    const customizations = (): ResourceInterpreterCustomization[] => [written("known", "function Retain(a) end")];
    const refusals = admissionRules({ clock, newUuid: () => "", customizations }).validate({
      operation: "CREATE",
      subresource: undefined,
      namespace: undefined,
      object,
      oldObject: undefined,
      dryRun: false,
      user: { name: "alice" },
      warn: (text) => warnings.push(text),
    });
    return { refusals, warnings };
  }

  it("refuse a script that does not load, with line and column, and what another one has", () => {
    const { refusals } = answerTo(written("new", "function Retain(a)\n  return a a\nend"));

    expect(refusals).toMatchObject([
      {
        field: "spec.customizations.retention.luaScript",
        message: expect.stringMatching(/^Invalid value: <string> line:2\(column:12\) near 'a'/),
      },
      {
        field: "spec.customizations.retention",
        message: "Forbidden: acme.dev/v1 Machine has it already, by known",
      },
    ]);
  });

  it("warn of a script without the function that is called", () => {
    const replaced = written("known", "function Retained(a) return a end");

    expect(answerTo(replaced)).toEqual({
      refusals: [],
      warnings: ["spec.customizations.retention.luaScript: defines no function Retain, which is called for it"],
    });
    expect(answerTo(written("known", "Retain = function(a) while true do end end")).warnings).toEqual([]);
  });
});

describe("the warnings of admissionRules", () => {
  const rival: PropagationPolicy = {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name: "other", namespace: "default" },
    spec: { resourceSelectors: [{ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "settings" }] },
  };
  const written: KubeObject = {
    ...POLICY,
    metadata: { name: "web", namespace: "default", labels: { "propagationpolicy.karmada.io/permanent-id": "a" } },
    spec: { ...rival.spec, placement: { spreadConstraints: [{ spreadByField: "cluster", minGroups: 1 }] } },
  };

  function warned(compatibility: "karmada" | "flaghoist", object: KubeObject, oldObject?: KubeObject): string[] {
    const warnings: string[] = [];
    const index = new PolicyIndex([rival]);
    const rules = admissionRules({ clock, newUuid: () => "", compatibility, policies: () => index });
    const answer = rules.validate({
      operation: oldObject === undefined ? "CREATE" : "UPDATE",
      subresource: undefined,
      namespace: "default",
      object,
      oldObject,
      dryRun: false,
      user: { name: "alice" },
      warn: (text) => warnings.push(text),
    });
    expect(answer).toEqual([]);
    return warnings;
  }

  it("are said of what surely is not meant, and of rivals", () => {
    expect(warned("flaghoist", written)).toEqual([
      expect.stringContaining("spec.placement.spreadConstraints[0]: without maxGroups"),
      expect.stringContaining("spec.resourceSelectors[0]: PropagationPolicy other also names ConfigMap settings"),
    ]);
  });

  it("are said of overriders that have no effect, or would make another object", () => {
    const overriders = {
      imageOverrider: [{ component: "Tag", operator: "replace", value: "not a tag" }],
      plaintext: [{ path: "/metadata/name", operator: "replace", value: "${cluster.name}" }],
    };
    const odd = {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "OverridePolicy",
      metadata: { name: "odd", namespace: "default" },
      spec: { overrideRules: [{ overriders }] },
    };

    expect(warned("flaghoist", odd)).toEqual([
      expect.stringContaining("plaintext[0].path: makes another object of a copy (/metadata/name)"),
      expect.stringContaining("imageOverrider[0].value: has no effect"),
      expect.stringContaining("plaintext[0]: holds ${cluster.… as plain text"),
    ]);
    expect(warned("karmada", odd)).toEqual([]);
  });

  it("are not said where nothing but Karmada is wanted", () => {
    expect(warned("karmada", written)).toEqual([]);
  });

  it("are not said again when the spec stays, nor of what goes", () => {
    const labelled = { ...written, metadata: { ...written.metadata, finalizers: [] } };
    const going = { ...written, metadata: { ...written.metadata, deletionTimestamp: "2025-01-01T00:00:00Z" } };

    expect(warned("flaghoist", labelled, written)).toEqual([]);
    expect(warned("flaghoist", going)).toEqual([]);
  });
});

function binding(name: string, replicas: readonly number[]): KubeObject & { readonly spec: object } {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name, namespace: "default" },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name },
      replicaRequirements: { resourceRequest: { cpu: "1" } },
      clusters: replicas.map((count, index) => ({ name: `m${index}`, replicas: count })),
    },
  };
}
