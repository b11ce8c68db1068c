import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIRM_PRUNE_ANNOTATION, type Sync, type SyncStatus } from "../../../api/gitops.ts";
import type { PlanApproval, Reporter } from "../../../api/reporter.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { FakeGitHub } from "../../../test/forges/fake-github.ts";
import { TOKEN } from "../../../test/forges/fake-server.ts";
import { openQuietPlane, type QuietPlane } from "../../../test/quiet-plane.ts";
import { APPROVAL_LASTS_MS } from "../../pull-requests/commands/approvals.ts";
import { createContext } from "../context.ts";
import { GITOPS_API } from "../sync/git-repository.ts";
import { planPrune } from "../sync/sync-decisions.ts";
import { approvedHold } from "./approved-hold.ts";
import { startConfirmApproved } from "./confirm-approved.ts";
import { ReporterForges } from "./open-reporter-forge.ts";
import { ReporterStatuses } from "./reporter-statuses.ts";

const COMMIT = "3f9c2ab41d0e7b5c8a6f9e2d1c0b7a6958473625";
const REVISION = `main@sha1:${COMMIT}`;
const WORD = COMMIT.slice(0, 12);
const GIVEN = "2026-01-01T00:00:00Z";

function approval(more: Partial<PlanApproval> = {}): PlanApproval {
  return {
    at: GIVEN,
    by: "ada",
    comment: "31",
    head: "1".repeat(40),
    pullRequest: 7,
    renderHash: `sha256:9c1f7e02b4d8${"0".repeat(52)}`,
    syncs: [{ namespace: "shop", name: "apps", before: "before", digest: "after" }],
    ...more,
  };
}

function reporter(approvals: readonly PlanApproval[], more: { spec?: object; namespace?: string } = {}): Reporter {
  return {
    apiVersion: GITOPS_API,
    kind: "Reporter",
    metadata: { name: "shop", namespace: more.namespace ?? "shop" },
    spec: {
      sourceRef: { kind: "GitRepository", name: "shop" },
      secretRef: { name: "forge" },
      provider: "github",
      commands: {},
      ...more.spec,
    },
    status: { approvals: [...approvals] },
  };
}

/** A Sync as the loop of Syncs leaves it when it holds deletions, in the words of that. */
function heldSync(status: SyncStatus = {}, metadata: Partial<KubeObject["metadata"]> = {}): Sync {
  const sync: Sync = {
    apiVersion: GITOPS_API,
    kind: "Sync",
    metadata: { name: "apps", namespace: "shop", generation: 1, ...metadata },
    spec: { path: "apps", sourceRef: { kind: "GitRepository", name: "shop" } },
    status: {
      inventory: {
        entries: Array.from({ length: 60 }, (_, index) => ({ id: `shop_cm-${index}__ConfigMap`, v: "v1" })),
      },
      lastAppliedDigest: "before",
      lastAppliedRevision: "main@sha1:81d0e44",
      lastAttemptedRevision: REVISION,
      operation: {
        attempt: 1,
        digest: "after",
        generation: 1,
        hooks: [],
        id: "after-1",
        message: "",
        phase: "Sync",
        request: "",
        revision: REVISION,
        startedAt: GIVEN,
        wave: 0,
      },
      ...status,
    },
  };
  const wanted = sync.status?.inventory?.entries?.slice(0, 19) ?? [];
  const { held = "" } = planPrune({ ...sync, metadata: { ...sync.metadata, annotations: {} } }, wanted, REVISION);
  const condition = { type: "Ready", status: "False", reason: "PruneHeld", message: held, lastTransitionTime: GIVEN };
  return { ...sync, status: { ...sync.status, conditions: status.conditions ?? [condition as never] } };
}

const now = Date.parse(GIVEN) + 60_000;
const found = (sync: Sync, ...all: readonly Reporter[]) => approvedHold(sync, all, now)?.word;

describe("held deletions", () => {
  it("are approved by an approval of exactly this transition", () => {
    expect(found(heldSync(), reporter([approval()]))).toBe(WORD);
  });

  it.each<[string, Partial<PlanApproval>]>([
    ["of another end", { syncs: [{ namespace: "shop", name: "apps", before: "before", digest: "other" }] }],
    ["of another beginning", { syncs: [{ namespace: "shop", name: "apps", before: "other", digest: "after" }] }],
    ["of an unknown beginning", { syncs: [{ namespace: "shop", name: "apps", digest: "after" }] }],
    ["of another Sync", { syncs: [{ namespace: "shop", name: "db", before: "before", digest: "after" }] }],
    ["in another namespace", { syncs: [{ namespace: "other", name: "apps", before: "before", digest: "after" }] }],
    ["that was used", { spent: ["shop/apps"] }],
    ["that is too old", { at: new Date(now - APPROVAL_LASTS_MS).toISOString() }],
    ["of no Sync", { syncs: [] }],
  ])("are not approved by one %s", (_, more) => {
    expect(found(heldSync(), reporter([approval(more)]))).toBeUndefined();
  });

  it.each<[string, Sync]>([
    ["nothing is held", heldSync({ conditions: [] })],
    ["the operation is of another revision", heldSync({ lastAttemptedRevision: "main@sha1:77aa" })],
    ["the Sync changed since", heldSync({}, { generation: 2 })],
    ["nothing was applied whole yet", heldSync({ lastAppliedDigest: undefined } as never)],
    ["the word was given", heldSync({}, { annotations: { [CONFIRM_PRUNE_ANNOTATION]: WORD } })],
  ])("are left alone when %s", (_, sync) => {
    expect(found(sync, reporter([approval()]))).toBeUndefined();
  });

  it("are not approved by Reporters that have no say there", () => {
    const all = [approval()];

    expect(found(heldSync(), reporter(all, { spec: { commands: undefined } }))).toBeUndefined();
    expect(found(heldSync(), reporter(all, { spec: { suspend: true } }))).toBeUndefined();
    expect(found(heldSync(), reporter(all, { spec: { sourceRef: { kind: "GitRepository", name: "other" } } }))).toBe(
      undefined,
    );
    // Anybody may name a source elsewhere, and a host of their own.
    const sourceRef = { kind: "GitRepository", name: "shop", namespace: "shop" };
    expect(found(heldSync(), reporter(all, { namespace: "evil", spec: { sourceRef } }))).toBeUndefined();
  });
});

describe("after the merge", () => {
  let plane: QuietPlane;
  let server: FakeGitHub;
  let clock: FakeClock;
  let stop: (() => Promise<void>) | undefined;

  beforeEach(async () => {
    server = await new FakeGitHub().start();
    plane = await openQuietPlane();
    clock = new FakeClock(now);
    await plane.create([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      {
        apiVersion: GITOPS_API,
        kind: "GitRepository",
        metadata: { name: "shop", namespace: "shop" },
        spec: { url: server.cloneUrl },
      },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "forge", namespace: "shop" },
        data: { token: Buffer.from(TOKEN).toString("base64") },
      },
      heldSync(),
    ]);
  });

  afterEach(async () => {
    await stop?.();
    stop = undefined;
    await server.stop();
    await plane.close();
  });

  async function start(): Promise<void> {
    const { client } = plane;
    const context = createContext({ client, clock, logger: silentLogger, newUuid: () => crypto.randomUUID() });
    for (const kind of ["Sync", "Reporter", "GitRepository"]) context.informers.of(GITOPS_API, kind);
    await context.informers.synced();
    const forges = new ReporterForges({ context, clock, random: () => 0.5 });
    const controller = startConfirmApproved({ context, forges, statuses: new ReporterStatuses(context) });
    stop = async () => {
      await controller.stop();
      forges.close();
      await context.events.flush();
      await context.informers.stop();
    };
  }

  const REPORTER = { apiVersion: GITOPS_API, kind: "Reporter", namespace: "shop", name: "shop" };
  const SYNC = { apiVersion: GITOPS_API, kind: "Sync", namespace: "shop", name: "apps" };
  const wordGiven = async () => (await plane.client.get(SYNC)).metadata.annotations?.[CONFIRM_PRUNE_ANNOTATION];
  const spent = async () => (await plane.client.get<Reporter>(REPORTER)).status?.approvals?.[0]?.spent;
  const asked = () => server.requests.filter((line) => line.startsWith("GET /api/v3/repos/octo/shop/pulls/7")).length;
  const events = async () =>
    (await plane.client.list("v1", "Event", { namespace: "shop" })).items.map(({ message }) => message);
  const both = ["apps", "db"].map((name) => ({ namespace: "shop", name, before: "before", digest: "after" }));
  const approve = () => plane.create([reporter([approval()], { spec: { providerUrl: server.url } })]);

  it("what was approved is confirmed, with who approved it", async () => {
    server.addPull({ number: 7, state: "merged" });
    await approve();
    await start();

    await eventually(async () => expect(await spent()).toEqual(["shop/apps"]));

    expect(await wordGiven()).toBe(WORD);
    await eventually(async () =>
      expect(await events()).toEqual([
        `deletions of revision ${REVISION} are confirmed: ada approved them in pull request 7 of octo/shop (render hash 9c1f7e02b4d8)`,
      ]),
    );
  });

  it("the word is given once: whoever takes it back is not overruled", async () => {
    server.addPull({ number: 7, state: "merged" });
    await approve();
    await start();
    await eventually(async () => expect(await spent()).toEqual(["shop/apps"]));

    await plane.client.patch(SYNC, { metadata: { annotations: { [CONFIRM_PRUNE_ANNOTATION]: null } } }, "merge");
    await stop?.();
    await start();
    // Another one, whose turn comes after it.
    await plane.create([heldSync({}, { name: "db" })]);
    await plane.client.patch(
      REPORTER,
      { status: { approvals: [approval({ spent: ["shop/apps"], syncs: [...both] })] } },
      "merge",
      { subresource: "status" },
    );
    await eventually(async () => expect(await spent()).toEqual(["shop/apps", "shop/db"]));

    expect(await wordGiven()).toBeUndefined();
    expect(asked()).toBe(2);
  });

  it("and not before it: what was approved may have got there otherwise", async () => {
    const pull = server.addPull({ number: 7, state: "open" });
    await approve();
    await start();
    await eventually(() => expect(asked()).toBe(1));
    await eventually(async () => {
      await clock.advance(30_000);
      expect(asked()).toBeGreaterThan(1);
    });
    expect(await wordGiven()).toBeUndefined();

    pull.state = "merged";

    await eventually(async () => {
      await clock.advance(30_000);
      expect(await wordGiven()).toBe(WORD);
    });
  });

  it("of a pull request that was closed, nothing is", async () => {
    server.addPull({ number: 7, state: "closed" });
    await approve();
    await start();
    await eventually(() => expect(asked()).toBe(1));
    await clock.advance(600_000);

    expect(await wordGiven()).toBeUndefined();
    expect(asked()).toBe(1);
  });

  it("an approval that nothing was held for is used up", async () => {
    server.addPull({ number: 7, state: "merged" });
    await plane.client.patch(SYNC, { status: { lastAppliedDigest: "after", conditions: [] } }, "merge", {
      subresource: "status",
    });
    await approve();
    await start();

    await eventually(async () => expect(await spent()).toEqual(["shop/apps"]));

    expect(await wordGiven()).toBeUndefined();
    expect(asked()).toBe(0);
  });
});
