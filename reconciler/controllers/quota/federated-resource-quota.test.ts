import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FeatureGates, featureGates } from "../../../api/feature-gates.ts";
import type { FederatedResourceQuota } from "../../../api/quota.ts";
import { type ApiServer, createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { installDefinitions } from "../../cli/install.ts";
import { type Controller, type ControllerContext, createContext } from "../context.ts";
import { startQuotaStatusController } from "./federated-resource-quota.ts";
import { QuotaLedger } from "./quota-ledger.ts";
import { QuotaWorks } from "./quota-works.ts";

const QUOTA = { apiVersion: "policy.karmada.io/v1alpha1", kind: "FederatedResourceQuota" };

let clock: FakeClock;
let server: ApiServer;
let client: KubeClient;
let context: ControllerContext;
let ledger: QuotaLedger;
let controller: Controller;

async function start(gates: Partial<FeatureGates>): Promise<void> {
  context = createContext({
    client,
    clock,
    logger: silentLogger,
    newUuid: () => "id",
    profile: { featureGates: featureGates(gates) },
  });
  ledger = new QuotaLedger(clock);
  controller = startQuotaStatusController(context, new QuotaWorks(context), ledger);
  await context.informers.synced();
}

beforeEach(async () => {
  clock = new FakeClock();
  server = await createApiServer({ name: "store", clock, logger: silentLogger });
  client = new KubeClient(server.handle);
  await installDefinitions(client, clock);
  await client.create({ ...QUOTA, metadata: { name: "team", namespace: "default" }, spec: { overall: { cpu: "9" } } });
});

afterEach(async () => {
  await controller.stop();
  await context.events.flush();
  await context.informers.stop();
  await server.close();
});

function binding(name: string, replicas: number): KubeObject {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name, namespace: "default" },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name },
      replicaRequirements: { resourceRequest: { cpu: "1", memory: "1Gi" } },
      clusters: [{ name: "m1", replicas }],
    },
  };
}

async function status(): Promise<FederatedResourceQuota["status"]> {
  return (await client.get<FederatedResourceQuota>({ ...QUOTA, namespace: "default", name: "team" })).status;
}

describe("the status of a quota", () => {
  it("begins with what the bindings take of what is limited", async () => {
    await client.create(binding("a", 2));
    await client.create(binding("b", 3));
    await start({ FederatedQuotaEnforcement: true });

    await eventually(async () => expect(await status()).toEqual({ overall: { cpu: "9" }, overallUsed: { cpu: "5" } }));
  });

  it("is counted again when a binding goes, and otherwise after five minutes", async () => {
    await start({ FederatedQuotaEnforcement: true });
    await eventually(async () => expect((await status())?.overall).toEqual({ cpu: "9" }));
    const a = await client.create(binding("a", 2));
    await client.create(binding("b", 3));
    await eventually(() => [...context.informers.of(a.apiVersion, a.kind).all()].length === 2);
    // No admission charged them here.
    expect((await status())?.overallUsed ?? {}).toEqual({});

    await clock.advance(300_000);
    await eventually(async () => expect((await status())?.overallUsed).toEqual({ cpu: "5" }));

    await client.delete({ apiVersion: a.apiVersion, kind: a.kind, namespace: "default", name: "a" });
    await eventually(async () => expect((await status())?.overallUsed).toEqual({ cpu: "3" }));
  });

  it("counts what is on its way to be stored", async () => {
    await start({ FederatedQuotaEnforcement: true });
    await eventually(async () => expect((await status())?.overall).toEqual({ cpu: "9" }));
    // It fits the schema of its kind.
    const coming = binding("coming", 4) as unknown as Parameters<QuotaLedger["record"]>[0];
    ledger.record(coming, undefined, new Map([["cpu", { mantissa: 4, scale: 0, format: "DecimalSI" }]]));

    await client.patch({ ...QUOTA, namespace: "default", name: "team" }, { spec: { overall: { cpu: "8" } } }, "merge");

    await eventually(async () => expect(await status()).toEqual({ overall: { cpu: "8" }, overallUsed: { cpu: "4" } }));
  });

  it("is what the clusters report, where bindings are not limited", async () => {
    await client.create(binding("a", 2));
    await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "karmada-es-m1" } });
    const labels = {
      "federatedresourcequota.karmada.io/namespace": "default",
      "federatedresourcequota.karmada.io/name": "team",
    };
    const work = await client.create({
      apiVersion: "work.karmada.io/v1alpha1",
      kind: "Work",
      metadata: { name: "team", namespace: "karmada-es-m1", labels },
      spec: { workload: { manifests: [] } },
    });
    const applied = {
      type: "Applied",
      status: "True",
      reason: "Applied",
      message: "",
      lastTransitionTime: "2025-01-01T00:00:00Z",
    };
    const identifier = {
      ordinal: 0,
      version: "v1",
      kind: "ResourceQuota",
      resource: "resourcequotas",
      namespace: "default",
      name: "team",
    };
    const reported = { hard: { cpu: "3" }, used: { cpu: "1500m" } };
    await client.update(
      { ...work, status: { conditions: [applied], manifestStatuses: [{ identifier, status: reported }] } },
      { subresource: "status" },
    );
    await start({});

    await eventually(async () =>
      expect(await status()).toEqual({
        overall: { cpu: "9" },
        overallUsed: { cpu: "1500m" },
        aggregatedStatus: [{ clusterName: "m1", ...reported }],
      }),
    );
  });
});
