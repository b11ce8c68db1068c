// Drift as it is told at the repository's host: one issue that follows what the clusters have.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Reporter } from "../../api/reporter.ts";
import { type ApiServer, createApiServer } from "../../fleets/apiserver/server.ts";
import { InformerSet } from "../../kube/client/informer-set.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { findCondition } from "../../kube/conditions.ts";
import { installDefinitions } from "../../reconciler/cli/install.ts";
import type { Controller } from "../../reconciler/controllers/context.ts";
import {
  type DriftReportsOptions,
  startDriftReports,
} from "../../reconciler/controllers/pull-requests/drift-reports.ts";
import { ReporterForges } from "../../reconciler/controllers/pull-requests/open-reporter-forge.ts";
import { FakeClock, systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { FakeBitbucketDataCenter } from "../forges/fake-bitbucket-data-center.ts";
import { FakeGitea } from "../forges/fake-gitea.ts";
import { type FakeServer, TOKEN } from "../forges/fake-server.ts";
import { eventually } from "./support/eventually.ts";
import { HOSTED_PATHS, reporter, serveHostedRepository } from "./support/hosted-repository.ts";
import {
  configMap,
  deployment,
  EVEN_WEIGHTS,
  gitRepository,
  namespaceObject,
  policy,
  sync,
  yamlOf,
} from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import type { ServedRepository } from "./support/repository.ts";

const NS = "shop";
const WEB = ref("apps/v1 Deployment", NS, "web");
const HOUR_MS = 3_600_000;
const REPORTER = ref("gitops.flaghoist.io/v1alpha1 Reporter", NS, "shop");
const PASSWORD = "aHVudGVyMg==";

let plane: Plane;
/** Holds the Reporter, so that the control plane, whose clock nobody moves, does not report as well. */
let store: ApiServer;
let client: KubeClient;
let informers: InformerSet;
let repository: ServedRepository;
let host: FakeServer;
let clock: FakeClock;
let reports: Controller;
let forges: ReporterForges;

beforeAll(async () => {
  repository = await serveHostedRepository();
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "db", namespace: NS },
    data: { password: "b2xk" },
  };
  const selectors = [
    { apiVersion: "apps/v1", kind: "Deployment" },
    { apiVersion: "v1", kind: "Secret" },
    { apiVersion: "v1", kind: "ConfigMap" },
  ];
  repository.push("shop", {
    "apps/web.yaml": yamlOf(deployment({ namespace: NS }), secret, configMap(NS, "texts", { greeting: "hello" })),
    "apps/policy.yaml": yamlOf(policy({ namespace: NS, weights: EVEN_WEIGHTS, selectors })),
  });
  plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS });
  store = await createApiServer({ name: "store", clock: systemClock, logger: silentLogger });
  client = new KubeClient(store.handle);
  await installDefinitions(client, systemClock);
  await client.create(namespaceObject(NS));
  await applyAll(
    plane.client,
    namespaceObject(NS),
    gitRepository(NS, "shop", repository.url),
    sync(NS, "shop", { path: "apps", drift: "report" }),
    { apiVersion: "v1", kind: "Secret", metadata: { name: "bot", namespace: NS }, stringData: { token: TOKEN } },
  );
  await eventually(async () => {
    for (const cluster of Object.keys(THREE_CLUSTERS)) expect(await replicasIn(cluster)).toBe(2);
  });
}, 120_000);

afterAll(async () => {
  await store?.close();
  await plane?.close();
  await repository?.close();
});

beforeEach(async () => {
  host = await new FakeGitea().start();
});

afterEach(async () => {
  await reports?.stop();
  forges?.close();
  await informers?.stop();
  await client.delete(REPORTER).catch(() => undefined);
  for (const cluster of Object.keys(THREE_CLUSTERS)) await scale(cluster, 2);
  await eventually(() => expect(JSON.stringify(works())).not.toContain("drift-findings"));
  await host.stop();
});

/** As the control plane knows them. */
function works() {
  return [...plane.control.context.informers.of("work.karmada.io/v1alpha1", "Work").all()];
}

async function replicasIn(cluster: string): Promise<unknown> {
  return ((await plane.member(cluster).client.find(WEB))?.["spec"] as { replicas?: number } | undefined)?.replicas;
}

/** Somebody changes a copy; resolves when the control plane knows. */
async function scale(cluster: string, replicas: number): Promise<void> {
  await plane.member(cluster).client.patch(WEB, { spec: { replicas } }, "merge", { fieldManager: "kubectl-scale" });
  if (replicas !== 2)
    await eventually(() => {
      const here = works().filter(({ metadata }) => metadata.namespace === `karmada-es-${cluster}`);
      expect(JSON.stringify(here)).toContain(`\\"found\\":\\"${replicas}\\"`);
    });
}

/** Starts the reports over what there is, with a clock of their own that begins now. */
async function start(spec: Record<string, unknown>): Promise<void> {
  await client.create(reporter(NS, "shop", { provider: "gitea", providerUrl: host.url, ...spec }));
  await run(Date.now());
}

async function run(fromMs: number): Promise<void> {
  clock = new FakeClock(fromMs);
  const { context: shared } = plane.control;
  informers = new InformerSet(client, systemClock, silentLogger);
  // The loop asks for nothing else of it.
  const both = {
    of: (apiVersion: string, kind: string) => (kind === "Reporter" ? informers : shared.informers).of(apiVersion, kind),
  } as unknown as InformerSet;
  const context = { ...shared, clock, informers: both };
  informers.of("gitops.flaghoist.io/v1alpha1", "Reporter");
  await informers.synced();
  forges = new ReporterForges({ context, clock, random: () => 0.5 });
  reports = startDriftReports({ context, forges, statuses, version: "1.2.3" });
}

/** Writes what reports say into the status. */
const statuses: DriftReportsOptions["statuses"] = {
  change: async (_, change) => {
    const changes = change(await client.get<Reporter>(REPORTER));
    await client.patch(REPORTER, { status: changes }, "merge", { subresource: "status" });
  },
};

/** Lets time pass until the next report has been made. */
async function nextReport(): Promise<void> {
  const before = (await status())?.drift?.lastReportedAt;
  await eventually(async () => {
    await clock.advance(60_000);
    const now = (await status())?.drift?.lastReportedAt;
    expect(now).toBeDefined();
    expect(now).not.toBe(before);
  });
}

async function status(): Promise<Reporter["status"]> {
  return (await client.get<Reporter>(REPORTER)).status;
}

async function failure(): Promise<string | undefined> {
  const condition = findCondition((await status())?.conditions, "DriftReported");
  return condition?.status === "False" ? condition.message : undefined;
}

/** Has the source follow the same repository at another address. */
async function moveTo(path: string): Promise<void> {
  const url = `${repository.server.url}/${path}`;
  await plane.client.patch(ref("gitops.flaghoist.io/v1alpha1 GitRepository", NS, "shop"), { spec: { url } }, "merge");
}

const sent = () => host.received.length;

describe("a report of drift", () => {
  it("is an issue with field, values, clusters, who, and since when; updated, closed and opened again", async () => {
    await scale("paris-1", 5);
    await scale("paris-2", 5);
    await start({ drift: { interval: "1h", minimumAge: "10m" }, commands: {} });
    await eventually(async () => expect((await status())?.drift).toMatchObject({ fields: 0, objects: 0 }));
    // All that there is was seen too lately.
    expect(sent()).toBe(0);

    await nextReport();

    const [issue] = host.issues;
    expect(issue).toMatchObject({ title: "Drift from Git: shop/shop", state: "open" });
    expect(issue?.body).toContain(
      "### 1 field in 1 object differs from what is wanted, in 2 of 3 clusters. Correcting is off for Sync shop/shop (drift: report).",
    );
    expect(issue?.body).toMatch(
      /`spec\.replicas` in `paris-1`, `paris-2`: wanted `2`, found `5`, by `kubectl-scale`, first seen \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
    );
    expect(issue?.body).toContain("in a comment in a pull request: `/flaghoist drift adopt KIND/NAME -n NAMESPACE`");
    expect((await status())?.drift).toMatchObject({ fields: 1, objects: 1, number: issue?.number });

    const before = sent();
    await nextReport();
    expect(sent()).toBe(before);

    await scale("tokyo-1", 7);
    await nextReport();
    expect(host.issues).toHaveLength(1);
    expect(host.issues[0]?.body).toContain("`spec.replicas` in `tokyo-1`: wanted `2`, found `7`");

    for (const cluster of Object.keys(THREE_CLUSTERS)) await scale(cluster, 2);
    await eventually(async () => {
      await nextReport();
      expect(host.issues[0]).toMatchObject({ state: "closed", body: expect.stringContaining("No drift: ") });
    });
    expect((await status())?.drift).toMatchObject({ fields: 0, objects: 0 });

    await scale("paris-1", 4);
    await nextReport();
    expect(host.issues).toHaveLength(1);
    expect(host.issues[0]).toMatchObject({ state: "open", body: expect.stringContaining("found `4`") });
  });

  it("goes on after a restart as if there had been none", async () => {
    await scale("paris-1", 5);
    await start({ drift: { minimumAge: "0s" } });
    await nextReport();
    const body = host.issues[0]?.body;
    const before = sent();
    await reports.stop();
    forges.close();
    await informers.stop();

    await plane.restart();
    await run(clock.now() + 60_000);
    await clock.advance(HOUR_MS / 4);
    expect(sent()).toBe(before);
    await nextReport();

    expect(host.issues[0]?.body).toBe(body);
    expect(sent()).toBe(before);
  });

  it("is never clean, and says so, while a cluster does not answer", async () => {
    await scale("paris-1", 5);
    await start({ drift: { minimumAge: "0s" } });
    await nextReport();
    await scale("paris-1", 2);
    plane.member("paris-2").setFault("down");
    try {
      await eventually(async () => {
        const cluster = await plane.client.get({
          apiVersion: "cluster.karmada.io/v1alpha1",
          kind: "Cluster",
          name: "paris-2",
        });
        expect(JSON.stringify(cluster["status"])).not.toMatch(/"type":"Ready","status":"True"/);
      });

      await eventually(async () => {
        await nextReport();
        expect(host.issues[0]?.body).toContain("of the rest it is not known");
      });

      expect(host.issues[0]).toMatchObject({ state: "open" });
      expect(host.issues[0]?.body).toMatch(/`paris-2` could not be asked: it is not ready/);
    } finally {
      plane.member("paris-2").setFault("none");
    }
    await eventually(async () => {
      await nextReport();
      expect(host.issues[0]?.state).toBe("closed");
    });
  });

  it("never holds a value of a Secret", async () => {
    const { client: tokyo } = plane.member("tokyo-1");
    await tokyo.patch(ref("v1 Secret", NS, "db"), { data: { password: PASSWORD } }, "merge", { fieldManager: "eve" });
    await start({ drift: { minimumAge: "0s" } });
    await eventually(async () => {
      await nextReport();
      expect(host.issues[0]?.body).toMatch(
        /`data\.password` in `tokyo-1`: wanted `.*hidden.*`, found `.*hidden.*`, by `eve`/,
      );
    });

    expect(host.received.join("\n")).not.toMatch(/aHVudGVyMg|hunter2|b2xk/);
    await tokyo.patch(ref("v1 Secret", NS, "db"), { data: { password: "b2xk" } }, "merge");
  });

  it.each([
    { drift: { minimumAge: "0s", liveValues: "hide" } },
    { drift: { minimumAge: "0s" }, pullRequests: { liveValues: "hide" } },
  ])("tells neither what clusters have nor who did it, where live values are hidden: %j", async (spec) => {
    await scale("paris-1", 41);
    await start(spec);
    await nextReport();

    expect(host.issues[0]?.body).toContain("`spec.replicas` in `paris-1`: wanted `2`, found `");
    expect(host.received.join("\n")).not.toMatch(/41|kubectl-scale/);
  });

  it("is made at the times of a schedule in its time zone, and not before the first", async () => {
    await scale("paris-1", 5);
    await start({ drift: { schedule: "30 9 * * *", timeZone: "Asia/Kolkata", minimumAge: "0s" } });
    // 04:00 UTC.
    const due = new Date(clock.now());
    due.setUTCHours(4, 0, 0, 0);
    if (due.getTime() <= clock.now()) due.setUTCDate(due.getUTCDate() + 1);

    await clock.advance(due.getTime() - clock.now() - 1_000);
    expect(sent()).toBe(0);
    await clock.advance(2_000);

    await eventually(() => expect(host.issues).toHaveLength(1));
    await eventually(async () => expect((await status())?.drift).toBeDefined());
    expect(Date.parse((await status())?.drift?.lastReportedAt ?? "") - due.getTime()).toBeOneOf([0, 1_000]);
  });

  it("is a comment where the host has no issues, and without a pull request says what to do", async () => {
    await host.stop();
    host = await new FakeBitbucketDataCenter().start();
    host.addPull({ number: 7 });
    await moveTo(HOSTED_PATHS.bitbucket);
    await scale("paris-1", 5);
    const own = { provider: "bitbucket-data-center", providerUrl: host.url };
    await start({ ...own, drift: { minimumAge: "0s" } });

    await eventually(async () =>
      expect(await failure()).toBe(
        "Bitbucket Data Center has no issues: name a pull request to comment in, in spec.drift.pullRequest",
      ),
    );

    await client.patch(REPORTER, { spec: { drift: { pullRequest: 7 } } }, "merge");
    await nextReport();
    expect(host.pulls.get(7)?.comments.map(({ body }) => body)).toEqual([expect.stringContaining("found `5`")]);
    expect(await failure()).toBeUndefined();
    await scale("paris-1", 2);
    await eventually(async () => {
      await nextReport();
      expect(host.pulls.get(7)?.comments.map(({ body }) => body)).toEqual([expect.stringContaining("No drift")]);
    });
    await moveTo(HOSTED_PATHS.octo);
  });

  it("says why it cannot be made, and is made when it can", async () => {
    host.forbidden = /^POST .*issues/;
    await scale("paris-1", 5);
    await start({ drift: { minimumAge: "0s" } });

    await eventually(async () => expect(await failure()).toContain("the credentials may not do this"));
    host.forbidden = undefined;
    await nextReport();

    expect(host.issues).toHaveLength(1);
    expect(await failure()).toBeUndefined();
  });

  it("is made at once when somebody asks for it", async () => {
    await start({ drift: { interval: "24h", minimumAge: "0s" } });
    await eventually(async () => expect((await status())?.drift).toBeDefined());
    await scale("paris-1", 5);

    await client.patch(REPORTER, { metadata: { annotations: { "gitops.flaghoist.io/requestedAt": "now" } } }, "merge");

    await eventually(() => expect(host.issues).toHaveLength(1));
  });
});
