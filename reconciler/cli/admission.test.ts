import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { FakeClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { karmadaAdmission } from "./admission.ts";
import { installDefinitions } from "./install.ts";

let server: ApiServer;
let client: KubeClient;
const clock = new FakeClock();

beforeAll(async () => {
  const admission = [karmadaAdmission(clock, () => "11111111-2222-3333-4444-555555555555")];
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
});
