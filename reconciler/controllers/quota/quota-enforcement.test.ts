import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FederatedResourceQuota } from "../../../api/quota.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import { type ApiServer, createApiServer } from "../../../fleets/apiserver/server.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { installDefinitions } from "../../cli/install.ts";
import { concernsQuota, QuotaEnforcement } from "./quota-enforcement.ts";
import { QuotaLedger } from "./quota-ledger.ts";

const QUOTA = { apiVersion: "policy.karmada.io/v1alpha1", kind: "FederatedResourceQuota" };

let server: ApiServer;
let client: KubeClient;
let clock: FakeClock;
let ledger: QuotaLedger;
let enforcement: QuotaEnforcement;

beforeEach(async () => {
  clock = new FakeClock();
  server = await createApiServer({ name: "store", clock, logger: silentLogger });
  client = new KubeClient(server.handle);
  await installDefinitions(client, clock);
  ledger = new QuotaLedger(clock);
  enforcement = new QuotaEnforcement(() => client, ledger);
});
afterEach(() => server.close());

function binding(name: string, replicas: number, resourceVersion?: string): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name, namespace: "default", ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name },
      replicaRequirements: { resourceRequest: { cpu: "1" } },
      clusters: replicas === 0 ? [] : [{ name: "m1", replicas }],
    },
  };
}

async function limit(name: string, overall: Record<string, string>): Promise<void> {
  await client.create({ ...QUOTA, metadata: { name, namespace: "default" }, spec: { overall } });
}

async function used(name = "team"): Promise<unknown> {
  const quota = await client.get<FederatedResourceQuota>({ ...QUOTA, namespace: "default", name });
  return quota.status?.overallUsed;
}

function create(name: string, replicas: number, isDryRun = false): Promise<string | undefined> {
  return enforcement.charge({ binding: binding(name, replicas), old: undefined, isDryRun });
}

describe("concernsQuota", () => {
  it("is about bindings that are scheduled, and changes of what they take", () => {
    const isDryRun = false;

    expect(concernsQuota({ binding: binding("a", 0), old: undefined, isDryRun })).toBe(false);
    expect(concernsQuota({ binding: binding("a", 1), old: undefined, isDryRun })).toBe(true);
    expect(concernsQuota({ binding: binding("a", 1), old: binding("a", 1), isDryRun })).toBe(false);
    expect(concernsQuota({ binding: binding("a", 1), old: binding("a", 2), isDryRun })).toBe(true);
  });
});

describe("QuotaEnforcement", () => {
  it("charges what is written, and says what is too much", async () => {
    await limit("team", { cpu: "4" });

    expect(await create("a", 3)).toBeUndefined();
    expect(await used()).toEqual({ cpu: "3" });
    expect(await create("b", 2)).toBe(
      "FederatedResourceQuota(default/team) exceeded for resource cpu: requested sum 5, limit 4.",
    );
    expect(await used()).toEqual({ cpu: "3" });
  });

  it("lets everything through without a quota", async () => {
    expect(await create("a", 1_000)).toBeUndefined();
  });

  it("charges no quota when one of them has not enough left", async () => {
    await limit("large", { cpu: "10" });
    await limit("small", { cpu: "1" });

    expect(await create("a", 3)).toContain("default/small");
    expect(await used("large")).toBeUndefined();
  });

  it("charges nothing for a dry run, but refuses what would be refused", async () => {
    await limit("team", { cpu: "4" });

    expect(await create("a", 3, true)).toBeUndefined();
    expect(await used()).toBeUndefined();
    expect(await create("a", 5, true)).toContain("requested sum 5, limit 4");
  });

  it("charges many writes at once exactly, and none beyond the limit", async () => {
    await limit("team", { cpu: "10" });

    const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => create(`b${index}`, 1)));

    expect(answers.filter((answer) => answer === undefined)).toHaveLength(10);
    expect(await used()).toEqual({ cpu: "10" });
  });

  it("charges a write that is tried again once", async () => {
    await limit("team", { cpu: "10" });
    const old = binding("a", 1, "7");
    const change = { binding: binding("a", 4, "7"), old, isDryRun: false };

    await enforcement.charge(change);
    await enforcement.charge(change);

    // Three more than before; the first was charged with an earlier write.
    expect(await used()).toEqual({ cpu: "3" });
  });

  it("charges from what is stored once the write is", async () => {
    await limit("team", { cpu: "10" });
    await enforcement.charge({ binding: binding("a", 4, "7"), old: binding("a", 1, "7"), isDryRun: false });

    await enforcement.charge({ binding: binding("a", 2, "8"), old: binding("a", 4, "8"), isDryRun: false });

    expect(await used()).toEqual({ cpu: "1" });
  });

  it("goes on when somebody else writes the quota in between", async () => {
    await limit("team", { cpu: "10" });
    // The list is answered, then somebody writes, then the update comes.
    const list = client.list.bind(client);
    let isFirst = true;
    const slow: KubeClient = Object.create(client, {
      list: {
        value: async (...args: Parameters<KubeClient["list"]>) => {
          const answer = await list(...args);
          if (isFirst) {
            isFirst = false;
            const ref = { ...QUOTA, namespace: "default", name: "team" };
            const quota = await client.get<FederatedResourceQuota>(ref);
            await client.update({ ...quota, status: { overallUsed: { cpu: "5" } } }, { subresource: "status" });
          }
          return answer;
        },
      },
    });
    // Private fields belong to the object itself.
    slow.update = client.update.bind(client);

    const answer = await new QuotaEnforcement(() => slow, ledger).charge({
      binding: binding("a", 2),
      old: undefined,
      isDryRun: false,
    });

    expect(answer).toBeUndefined();
    expect(await used()).toEqual({ cpu: "7" });
  });
});

describe("QuotaLedger", () => {
  const usageOf = (stored: ResourceBinding): string[] =>
    [...ledger.usageOf(stored).values()].map((one) => String(one.mantissa));

  it("counts a write on its way as it was charged, and as it is stored afterwards", () => {
    ledger.record(
      binding("a", 4),
      binding("a", 1, "7"),
      new Map([["cpu", { mantissa: 4, scale: 0, format: "DecimalSI" }]]),
    );

    expect(usageOf(binding("a", 1, "6"))).toEqual(["4"]);
    expect(usageOf(binding("a", 1, "7"))).toEqual(["4"]);
    expect(usageOf(binding("a", 2, "10"))).toEqual(["2"]);
    expect(usageOf(binding("a", 1, "7"))).toEqual(["1"]);
  });

  it("forgets a write that was lost", async () => {
    ledger.record(
      binding("a", 4),
      binding("a", 1, "7"),
      new Map([["cpu", { mantissa: 4, scale: 0, format: "DecimalSI" }]]),
    );
    await clock.advance(60_000);

    expect(usageOf(binding("a", 1, "7"))).toEqual(["1"]);
  });

  it("knows new bindings that are not stored yet", async () => {
    ledger.record(binding("a", 4), undefined, new Map([["cpu", { mantissa: 4, scale: 0, format: "DecimalSI" }]]));

    expect(ledger.newUsages("default", () => true)).toHaveLength(0);
    expect(ledger.newUsages("default", () => false)).toHaveLength(1);
    await clock.advance(60_000);
    expect(ledger.newUsages("default", () => false)).toHaveLength(0);
  });
});
