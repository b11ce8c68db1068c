// From a comment that approves the plan of a pull request to the deletions that its merge holds.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sync } from "../../api/gitops.ts";
import type { Reporter } from "../../api/reporter.ts";
import { findCondition } from "../../kube/conditions.ts";
import type { KubeObject } from "../../kube/object.ts";
import { startConfirmApproved } from "../../reconciler/controllers/pull-requests/confirm-approved.ts";
import { ReporterForges } from "../../reconciler/controllers/pull-requests/open-reporter-forge.ts";
import { ReporterStatuses } from "../../reconciler/controllers/pull-requests/reporter-statuses.ts";
import { withApproval } from "../../reconciler/pull-requests/commands/approvals.ts";
import { carryOutCommands } from "../../reconciler/pull-requests/commands/carry-out-commands.ts";
import { approveWords } from "../../reconciler/pull-requests/commands/decide-command.ts";
import { planInSandbox } from "../../reconciler/pull-requests/sandbox/plan-in-sandbox.ts";
import type { SandboxedPlan } from "../../reconciler/pull-requests/sandbox/plan-job.ts";
import { rfc3339, systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { FakeGitea } from "../forges/fake-gitea.ts";
import { type FakePull, TOKEN } from "../forges/fake-server.ts";
import { eventually } from "./support/eventually.ts";
import { reporter, serveHostedRepository } from "./support/hosted-repository.ts";
import { configMap, gitRepository, namespaceObject, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import type { ServedRepository } from "./support/repository.ts";

const NS = "shop";
const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
const REPORTER = ref("gitops.flaghoist.io/v1alpha1 Reporter", NS, "shop");
const SYNC = ref("gitops.flaghoist.io/v1alpha1 Sync", NS, "shop");
const call = { signal: new AbortController().signal };

let plane: Plane;
let repository: ServedRepository;
let host: FakeGitea;
let forges: ReporterForges;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  repository = await serveHostedRepository();
  repository.push("six", { "apps/all.yaml": manifests(NAMES) });
  host = await new FakeGitea().start();
  host.permissions.set("ada", "admin");
  plane = await startPlane({ engine: "embedded", members: {} });
  await applyAll(
    plane.client,
    namespaceObject(NS),
    gitRepository(NS, "shop", repository.url),
    sync(NS, "shop", { path: "apps" }),
    { apiVersion: "v1", kind: "Secret", metadata: { name: "bot", namespace: NS }, stringData: { token: TOKEN } },
    reporter(NS, "shop", { provider: "gitea", providerUrl: host.url, commands: {} }),
  );
  await eventually(async () => expect(await present()).toEqual([...NAMES]));
  const { context } = plane.control;
  for (const kind of ["Reporter", "Sync", "GitRepository"]) context.informers.of("gitops.flaghoist.io/v1alpha1", kind);
  await context.informers.synced();
  forges = new ReporterForges({ context, clock: systemClock, random: () => 0.5 });
  const controller = startConfirmApproved({ context, forges, statuses: new ReporterStatuses(context) });
  closers.push(() => controller.stop());
}, 120_000);

afterAll(async () => {
  for (const close of closers) await close();
  forges?.close();
  await plane?.close();
  await host?.stop();
  await repository?.close();
});

function manifests(names: readonly string[]): string {
  return yamlOf(...names.map((name) => configMap(NS, name)));
}

async function present(): Promise<string[]> {
  const { items } = await plane.client.list("v1", "ConfigMap", { namespace: NS });
  return items.map(({ metadata }) => metadata.name ?? "").filter((name) => name.length === 1);
}

async function readyMessage(): Promise<string> {
  return findCondition((await plane.client.get<Sync>(SYNC)).status?.conditions, "Ready")?.message ?? "";
}

/** A pull request that keeps these; its branch is not merged yet. */
async function propose(number: number, names: readonly string[]): Promise<{ pull: FakePull; plan: SandboxedPlan }> {
  const { fixture } = repository;
  const base = fixture.git("rev-parse", "main");
  fixture.git("checkout", "-q", "-b", `change-${number}`);
  const head = fixture.commit(`keep ${names.join(" ")}`, { "apps/all.yaml": manifests(names) });
  fixture.push(`change-${number}`);
  fixture.git("checkout", "-q", "main");
  const plan = await planInSandbox(
    {
      directory: `${fixture.work}/.git`,
      head,
      base,
      path: "",
      repository: repository.url,
      branch: "main",
      subject: { base: { name: "main", commit: base }, head: { name: `change-${number}`, commit: head } },
      compatibility: "flaghoist",
      drift: false,
      hideLive: false,
    },
    {
      transport: plane.client.transport,
      limits: { timeoutMs: 60_000, memoryBytes: 2 ** 31, outputBytes: 2 ** 24 },
      logger: silentLogger,
      ...call,
    },
  );
  const pull = host.addPull({ number, author: host.user("eve"), sha: head, branch: `change-${number}` });
  return { pull, plan };
}

/** Ada writes what the plan's comment says. */
async function approve({ number, sha }: FakePull, { report, syncs }: SandboxedPlan): Promise<void> {
  const { renderHash = "" } = report;
  host.addComment(number, "ada", approveWords(renderHash), { createdAt: new Date().toISOString() });
  const found = await plane.client.get<Reporter>(REPORTER);
  const { forge } = await forges.open(found);
  const approvals = found.status?.approvals ?? [];
  await carryOutCommands(
    forge,
    {
      reporter: `${NS}/shop`,
      commands: {},
      plans: true,
      path: "",
      pull: await forge.pullRequest(number, call),
      remembered: {
        number,
        head: sha,
        state: "Planned",
        renderHash,
        syncs: [...syncs],
        plannedAt: rfc3339(Date.now()),
      },
      approvals,
      createdMs: 0,
      nowMs: Date.now(),
    },
    {
      recordApproval: async (approval) => {
        const status = { approvals: withApproval(approvals, approval, Date.now()) };
        await plane.client.patch(REPORTER, { status }, "merge", { subresource: "status" });
      },
      openDrift: () => Promise.reject(new Error("nobody asked")),
    },
    call,
  );
}

function merge(pull: FakePull): string {
  const { fixture } = repository;
  fixture.git("merge", "-q", "--no-ff", "-m", `merge ${pull.number}`, pull.branch);
  fixture.push();
  pull.state = "merged";
  return fixture.git("rev-parse", "HEAD");
}

describe("deletions that a merge holds", () => {
  it("go on when the plan of the pull request was approved, and only then", async () => {
    const kept = ["a", "b"];
    const { pull, plan } = await propose(7, kept);
    expect(plan.report.state).toBe("held");
    await approve(pull, plan);
    expect(host.statuses.map(({ context, state }) => [context, state])).toContainEqual([
      "flaghoist/approval",
      "success",
    ]);

    const commit = merge(pull);

    await eventually(async () => expect(await present()).toEqual(kept));
    await eventually(async () => expect(await readyMessage()).toContain(commit));
    const { items } = await plane.client.list<KubeObject>("v1", "Event", { namespace: NS });
    expect(items.filter(({ reason }) => reason === "PruneApproved").map(({ message }) => message)).toEqual([
      expect.stringMatching(/ada approved them in pull request 7 of octo\/shop/),
    ]);
  });

  it("wait for a word when the branch was another in between", async () => {
    repository.push("six again", { "apps/all.yaml": manifests(NAMES) });
    await eventually(async () => expect(await present()).toEqual([...NAMES]));
    const { pull, plan } = await propose(8, ["a"]);
    await approve(pull, plan);
    // Two more come, which the plan of the pull request knew nothing of.
    repository.push("eight", { "apps/more.yaml": manifests(["g", "h"]) });
    await eventually(async () => expect(await present()).toEqual([...NAMES, "g", "h"]));
    repository.push("none of those again", { "apps/more.yaml": undefined, "apps/all.yaml": manifests(["a"]) });
    pull.state = "merged";

    await eventually(async () => expect(await readyMessage()).toMatch(/would delete 7 of 8 objects/));

    const annotations = (await plane.client.get(SYNC)).metadata.annotations;
    const reporterNow = await plane.client.get<Reporter>(REPORTER);
    expect(reporterNow.status?.approvals?.find(({ pullRequest }) => pullRequest === 8)?.spent).toBeUndefined();
    expect(JSON.stringify(annotations)).not.toContain(repository.fixture.git("rev-parse", "HEAD").slice(0, 12));
    expect(await present()).toEqual([...NAMES, "g", "h"]);
  });
});
