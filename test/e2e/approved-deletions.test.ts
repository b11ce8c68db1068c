// What an approval of a pull request's plan lets be deleted after the merge, and what it does not; over restarts.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Sync } from "../../api/gitops.ts";
import type { ReportedPullRequest, Reporter } from "../../api/reporter.ts";
import { findCondition } from "../../kube/conditions.ts";
import { approveWords } from "../../reconciler/pull-requests/commands/decide-command.ts";
import { FakeGitea } from "../forges/fake-gitea.ts";
import { type FakePull, TOKEN } from "../forges/fake-server.ts";
import { hasGit } from "../git-server.ts";
import { eventually } from "./support/eventually.ts";
import { reporter, serveHostedRepository } from "./support/hosted-repository.ts";
import { configMap, gitRepository, namespaceObject, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import { eventReasons } from "./support/reading.ts";
import type { ServedRepository } from "./support/repository.ts";

const NS = "shop";
const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
const REPORTER = ref("gitops.flaghoist.io/v1alpha1 Reporter", NS, "shop");
const SYNC = ref("gitops.flaghoist.io/v1alpha1 Sync", NS, "shop");
const PATIENTLY = { withinMs: 30_000 };

describe.runIf(hasGit())("deletions that a merge holds", () => {
  let plane: Plane;
  let repository: ServedRepository;
  let host: FakeGitea;

  beforeAll(async () => {
    repository = await serveHostedRepository();
    host = await new FakeGitea().start();
    host.permissions.set("ada", "admin");
    plane = await startPlane({ engine: "embedded", members: {} });
    repository.push("six", { "apps/all.yaml": manifests(NAMES) });
    await applyAll(
      plane.client,
      namespaceObject(NS),
      gitRepository(NS, "shop", repository.url),
      sync(NS, "shop", { path: "apps" }),
      { apiVersion: "v1", kind: "Secret", metadata: { name: "bot", namespace: NS }, stringData: { token: TOKEN } },
      reporter(NS, "shop", {
        provider: "gitea",
        providerUrl: host.url,
        interval: "500ms",
        commands: {},
        pullRequests: { drift: false },
      }),
    );
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    await host?.stop();
    await repository?.close();
  });

  beforeEach(async () => {
    repository.push("six", { "apps/all.yaml": manifests(NAMES) });
    await eventually(async () => expect(await present()).toEqual([...NAMES]), PATIENTLY);
  });

  function manifests(names: readonly string[]): string {
    return names.length === 0 ? "# nothing\n" : yamlOf(...names.map((name) => configMap(NS, name)));
  }

  async function present(): Promise<string[]> {
    const { items } = await plane.client.list("v1", "ConfigMap", { namespace: NS });
    return items.map(({ metadata }) => metadata.name ?? "").filter((name) => name.length === 1);
  }

  async function readyMessage(): Promise<string> {
    return findCondition((await plane.client.get<Sync>(SYNC)).status?.conditions, "Ready")?.message ?? "";
  }

  async function status(): Promise<NonNullable<Reporter["status"]>> {
    return (await plane.client.get<Reporter>(REPORTER)).status ?? {};
  }

  /** A pull request that keeps these, once its plan stands below it. */
  async function propose(number: number, names: readonly string[]): Promise<ReportedPullRequest> {
    const { fixture } = repository;
    const isNew = host.pulls.get(number) === undefined;
    const baseSha = fixture.git("rev-parse", "main");
    fixture.git("checkout", "-q", ...(isNew ? ["-b", `change-${number}`] : [`change-${number}`]));
    const sha = fixture.commit(`keep ${names.join(" ")}`, { "apps/all.yaml": manifests(names) });
    fixture.push("HEAD", `HEAD:refs/pull/${number}/head`);
    fixture.git("checkout", "-q", "main");
    const { comments = [] } = host.pulls.get(number) ?? {};
    host.addPull({ number, author: host.user("eve"), sha, baseSha, branch: `change-${number}`, comments });
    let entry: ReportedPullRequest | undefined;
    await eventually(async () => {
      entry = (await status()).pullRequests?.find((one) => one.number === number);
      expect(entry).toMatchObject({ state: "Planned", head: sha });
    }, PATIENTLY);
    // It was matched just now.
    return entry as ReportedPullRequest;
  }

  function say(number: number, body: string): void {
    host.addComment(number, "ada", body, { createdAt: new Date().toISOString() });
  }

  async function approved(number: number): Promise<void> {
    await eventually(
      async () => expect((await status()).approvals?.map(({ pullRequest }) => pullRequest)).toContain(number),
      PATIENTLY,
    );
  }

  async function isSpent(number: number): Promise<void> {
    await eventually(async () => {
      const approval = (await status()).approvals?.find(({ pullRequest }) => pullRequest === number);
      expect(approval?.spent).toEqual(["shop/shop"]);
    });
  }

  function pullOf(number: number): FakePull {
    const pull = host.pulls.get(number);
    if (pull === undefined) throw new Error(`no pull request ${number}`);
    return pull;
  }

  function merge(number: number): string {
    const { fixture } = repository;
    const pull = pullOf(number);
    fixture.git("merge", "-q", "--no-ff", "-m", `merge ${number}`, pull.branch);
    fixture.push();
    pull.state = "merged";
    return fixture.git("rev-parse", "HEAD");
  }

  function replies(number: number): readonly string[] {
    return pullOf(number).comments.flatMap(({ author, body }) =>
      author.id === host.me.id && body.includes("Approved by") ? [body] : [],
    );
  }

  it("go on when their plan was approved while nobody listened, and are merged while nobody listens", async () => {
    const { renderHash = "" } = await propose(7, ["a", "b"]);
    expect(pullOf(7).comments.map(({ body }) => body)).toEqual([
      expect.stringMatching(/Held for a person:.*Or approve it before the merge, with a comment `\/flaghoist approve/),
    ]);
    await plane.restart(() => {
      say(7, `Fine with me.\n${approveWords(renderHash)}`);
      return Promise.resolve();
    });
    await approved(7);
    await eventually(() => expect(replies(7)).toHaveLength(1));
    let commit = "";

    await plane.restart(() => {
      commit = merge(7);
      return Promise.resolve();
    });

    await eventually(async () => expect(await present()).toEqual(["a", "b"]), PATIENTLY);
    await eventually(async () => expect(await readyMessage()).toContain(`Applied revision: main@sha1:${commit}`));
    expect(await eventReasons(plane, NS, "Sync", "shop")).toContain("PruneApproved");
    expect(replies(7)).toHaveLength(1);
    await isSpent(7);
  }, 120_000);

  it("go on when nothing at all is to be left, and that was approved", async () => {
    const { renderHash = "" } = await propose(10, []);
    say(10, approveWords(renderHash));
    await approved(10);

    merge(10);

    await eventually(async () => expect(await present()).toEqual([]), PATIENTLY);
    await isSpent(10);
  }, 120_000);

  it("wait for a word when more was pushed after the approval", async () => {
    const { renderHash = "" } = await propose(8, ["a", "b"]);
    say(8, approveWords(renderHash));
    await approved(8);
    const { head } = await propose(8, ["a"]);
    await eventually(() =>
      expect(host.statuses.find(({ context, sha }) => context === "flaghoist/approval" && sha === head)?.state).toBe(
        "pending",
      ),
    );

    merge(8);

    await eventually(async () => expect(await readyMessage()).toMatch(/would delete 5 of 6 objects/), PATIENTLY);
    expect(await present()).toEqual([...NAMES]);
  }, 120_000);

  it("wait for a word when there is more to delete than the approved plan knew of", async () => {
    const { renderHash = "" } = await propose(9, ["a"]);
    say(9, approveWords(renderHash));
    await approved(9);
    repository.push("two more", { "apps/more.yaml": manifests(["g", "h"]) });
    await eventually(async () => expect(await present()).toEqual([...NAMES, "g", "h"]), PATIENTLY);

    repository.push("as approved", { "apps/more.yaml": undefined, "apps/all.yaml": manifests(["a"]) });
    pullOf(9).state = "merged";

    await eventually(async () => expect(await readyMessage()).toMatch(/would delete 7 of 8 objects/), PATIENTLY);
    await eventually(async () => expect((await status()).pullRequests?.map(({ number }) => number)).not.toContain(9));
    expect(await present()).toEqual([...NAMES, "g", "h"]);
    expect((await status()).approvals?.find(({ pullRequest }) => pullRequest === 9)?.spent).toBeUndefined();
  }, 120_000);
});
