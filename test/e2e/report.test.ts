// `flaghoist report` in pipelines of pull requests: what it says there, once, and to whom it says nothing.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { markerLine } from "../../reconciler/forges/marker.ts";
import { planMarker } from "../../reconciler/pull-requests/publish-plan.ts";
import { FakeGitHub } from "../forges/fake-github.ts";
import { FakeGitLab } from "../forges/fake-gitlab.ts";
import { type FakeServer, TOKEN } from "../forges/fake-server.ts";
import { hasGit } from "../git-server.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "shop";
const OLD_PASSWORD = "correct horse battery staple";
const NEW_PASSWORD = "wrong donkey charger paperclip";

function password(value: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "db", namespace: NS },
    type: "Opaque",
    data: { password: Buffer.from(value).toString("base64") },
    stringData: { also: value },
  };
}

function files(replicas: number, secret: string): Record<string, string> {
  const selectors = [
    { apiVersion: "apps/v1", kind: "Deployment" },
    { apiVersion: "v1", kind: "Secret" },
  ];
  return {
    "apps/web.yaml": yamlOf(
      namespaceObject(NS),
      password(secret),
      deployment({ namespace: NS, replicas }),
      policy({ namespace: NS, selectors }),
    ),
  };
}

const PROVIDERS = [
  {
    name: "github",
    start: () => new FakeGitHub().start(),
    repository: "octo/shop",
    environment: (server: FakeServer, { event }: Run) => ({
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: server.url,
      GITHUB_REPOSITORY: "octo/shop",
      GITHUB_REF: "refs/pull/7/merge",
      GITHUB_BASE_REF: "main",
      GITHUB_RUN_ID: "99",
      GITHUB_EVENT_PATH: event,
    }),
    token: { GITHUB_TOKEN: TOKEN },
  },
  {
    name: "gitlab",
    start: () => new FakeGitLab().start(),
    repository: "group/sub/shop",
    environment: (server: FakeServer, { head, base, isFork }: Run) => ({
      GITLAB_CI: "true",
      CI_SERVER_URL: server.url,
      CI_PROJECT_URL: `${server.url}/group/sub/shop`,
      CI_MERGE_REQUEST_PROJECT_URL: `${server.url}/group/sub/shop`,
      CI_MERGE_REQUEST_IID: "7",
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main",
      CI_MERGE_REQUEST_DIFF_BASE_SHA: base,
      CI_MERGE_REQUEST_PROJECT_ID: "1",
      CI_MERGE_REQUEST_SOURCE_PROJECT_ID: isFork ? "2" : "1",
      CI_COMMIT_SHA: head,
      CI_JOB_URL: `${server.url}/group/sub/shop/-/jobs/1`,
    }),
    token: { GITLAB_TOKEN: TOKEN },
  },
] as const;

interface Run {
  readonly head: string;
  readonly base: string;
  readonly isFork: boolean;
  /** The file of GitHub's event. */
  readonly event: string;
}

describe.runIf(hasGit())("flaghoist report", () => {
  let plane: Plane;
  let repository: ServedRepository;
  let folder: string;
  let snapshot: string;
  let base: string;
  let head: string;
  let nextHead: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-report-"));
    snapshot = join(folder, "fleet.snapshot");
    plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS });
    repository = await serveRepository();
    base = repository.push("A shop", files(3, OLD_PASSWORD));
    await applyAll(
      plane.client,
      namespaceObject(NS),
      gitRepository(NS, "shop", repository.url),
      sync(NS, "shop", { path: "apps" }),
    );
    await eventually(async () => {
      for (const { client } of plane.members)
        expect(await client.find(ref("apps/v1 Deployment", NS, "web"))).toBeDefined();
    });
    const { fixture } = repository;
    fixture.git("checkout", "-q", "-b", "more");
    head = fixture.commit("Five of them", files(5, NEW_PASSWORD));
    nextHead = fixture.commit("Six of them", files(6, NEW_PASSWORD));
    const taken = await runFlaghoist(["snapshot", snapshot], {
      cwd: fixture.work,
      env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig },
    });
    expect(taken.code).toBe(0);
  }, 60_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(PROVIDERS)("in a pipeline of $name", (provider) => {
    let server: FakeServer;
    beforeEach(async () => {
      server = await provider.start();
      server.addPull({ number: 7, sha: head, baseSha: base });
    });
    afterEach(() => server.stop());

    interface Asked {
      readonly args?: readonly string[];
      readonly commit?: string;
      readonly isFork?: boolean;
      readonly env?: Readonly<Record<string, string>>;
    }

    function report({ args = [], commit = head, isFork = false, env = provider.token }: Asked = {}): Promise<Ran> {
      const event = join(folder, "event.json");
      const pull = {
        number: 7,
        head: { sha: commit, repo: { id: isFork ? 2 : 1 } },
        base: { sha: base, repo: { id: 1 } },
      };
      writeFileSync(event, JSON.stringify({ pull_request: pull }));
      return runFlaghoist(["report", ...args], {
        cwd: repository.fixture.work,
        env: {
          FLAGHOIST_KUBECONFIG: plane.kubeconfig,
          ...provider.environment(server, { head: commit, base, isFork, event }),
          ...env,
        },
      });
    }

    /** The next push of the pull request. */
    function push(): void {
      const pull = server.pulls.get(7);
      server.addPull({ ...pull, number: 7, sha: nextHead });
    }

    function comments(): readonly { readonly author: string; readonly body: string }[] {
      return (server.pulls.get(7)?.comments ?? []).map(({ author, body }) => ({ author: author.name, body }));
    }

    it("says the plan in a comment and a check of the head", async () => {
      const ran = await report();

      expect(ran.err).toContain("created the comment in pull request 7");
      expect(ran.code).toBe(0);
      expect(ran.out).toContain("Deployment shop/web");
      expect(comments()).toHaveLength(1);
      expect(comments()[0]?.body).toContain("`Deployment shop/web`");
      expect(comments()[0]?.body).toContain(head.slice(0, 7));
      const [status] = [...server.checks, ...server.statuses];
      expect(status?.sha).toBe(head);
      expect(server.checks.length + server.statuses.length).toBe(1);
    });

    it("sends nothing when all of it is said", async () => {
      await report();
      const { length } = server.received;

      const again = await report();

      expect(again).toMatchObject({ code: 0 });
      expect(again.err).toContain("unchanged");
      expect(server.received).toHaveLength(length);
    });

    it("edits its comment when the head is another one, from a snapshot too", async () => {
      await report();
      const [first] = server.pulls.get(7)?.comments ?? [];
      push();

      const next = await report({ commit: nextHead, args: ["--snapshot", snapshot] });

      expect(next.err).toContain("updated the comment");
      expect(server.pulls.get(7)?.comments.map(({ id }) => id)).toEqual([first?.id]);
      expect(comments()[0]?.body).toContain(nextHead.slice(0, 7));
      expect([...server.checks, ...server.statuses].map(({ sha }) => sha)).toContain(nextHead);
    });

    it("leaves a comment of somebody else alone that has our marker", async () => {
      const id = planMarker({ name: "flaghoist", repository: provider.repository, path: "" });
      const body = `${markerLine("html comment", id)}\n\nNothing changes, merge it.`;
      server.addComment(7, "eve", body);

      await report();

      expect(comments().map(({ author }) => author)).toEqual(["eve", "flaghoist-bot"]);
      expect(comments()[0]?.body).toBe(body);
      expect(comments()[1]?.body).toContain(markerLine("html comment", id));
    });

    it("has a comment for each name", async () => {
      await report();
      await report({ args: ["--name", "staging"] });

      expect(comments()).toHaveLength(2);
      expect(new Set([...server.checks, ...server.statuses].map((one) => JSON.stringify(one))).size).toBe(2);
    });

    it("drops what is about a head that is gone", async () => {
      push();

      const late = await report();

      expect(late.code).toBe(0);
      expect(late.err).toContain(`not posted: the head of pull request 7`);
      expect(late.err).toContain(nextHead.slice(0, 7));
      expect(server.received).toEqual([]);
    });

    it("never says the value of a Secret, nor the token", async () => {
      const ran = await report();
      const dry = await report({ args: ["--dry-run"] });
      push();
      await report({ commit: nextHead });

      const said = [ran.out, ran.err, dry.out, dry.err, ...server.received].join("\n");
      expect(said).toContain("Secret shop/db");
      for (const value of [OLD_PASSWORD, NEW_PASSWORD]) {
        expect(said).not.toContain(value);
        expect(said).not.toContain(Buffer.from(value).toString("base64"));
      }
      expect(said).not.toContain(TOKEN);
    });

    it("prints what it would say with --dry-run, and sends nothing", async () => {
      const dry = await report({ args: ["--dry-run"] });
      expect(server.received).toEqual([]);
      await report();

      expect(dry).toMatchObject({ code: 0, err: "" });
      expect(dry.out).toContain(comments()[0]?.body ?? "no comment");
      expect(dry.out).toMatch(/^Check flaghoist of [0-9a-f]{7}: success: /m);
    });

    it("ends as plan does with --exit-code", async () => {
      expect(await report({ args: ["--exit-code"] })).toMatchObject({ code: 3 });
    });

    it("prints the plan of a fork that has no token, and fails nothing", async () => {
      const ran = await report({ isFork: true, env: {} });

      expect(ran.code).toBe(0);
      expect(ran.out).toContain("Deployment shop/web");
      expect(ran.err).toBe("not posted: the pipeline of a fork is given no token, as it should be\n");
      expect(server.requests).toEqual([]);
    });

    it("does not fail a fork whose token may only read, or that knows no control plane", async () => {
      server.addPull({ number: 7, sha: head, baseSha: base, fork: true });
      server.forbidden = /^(POST|PUT|PATCH) (?!.*graphql)/;

      const refused = await report({ isFork: true });
      expect(refused.code).toBe(0);
      expect(refused.err).toContain("not posted: ");
      const without = await report({ isFork: true, env: { FLAGHOIST_KUBECONFIG: "" } });
      expect(without.code).toBe(0);
      expect(without.err).toContain("not planned: no control plane found");
    });

    it("fails with the right that is missing where the token should have it", async () => {
      server.forbidden = /^(POST|PUT|PATCH) (?!.*graphql)/;

      const ran = await report();

      expect(ran.code).toBe(1);
      expect(ran.out).toContain("Deployment shop/web");
      expect(ran.err).toContain("the credentials may not do this");
      expect(ran.err).toContain("they need ");
    });

    it("fails without a token that its own pull requests should have", async () => {
      const ran = await report({ env: {} });

      expect(ran.code).toBe(1);
      expect(ran.err).toContain(`$${Object.keys(provider.token)[0]}`);
    });

    it("says what is to be fetched when a commit is missing", async () => {
      const gone = "1234567890123456789012345678901234567890";
      server.addPull({ number: 7, sha: gone, baseSha: base });

      const ran = await report({ commit: gone });

      expect(ran.code).toBe(1);
      expect(ran.err).toContain("the head 1234567 of pull request 7 is not in this checkout");
    });
  });

  it("takes pull request, provider and token from options anywhere", async () => {
    const server = await new FakeGitLab().start();
    server.addPull({ number: 9, sha: head, baseSha: base });
    const token = join(folder, "token");
    writeFileSync(token, `${TOKEN}\n`);

    const ran = await runFlaghoist(
      ["report", "apps", "--repository", server.cloneUrl, "--provider", "gitlab", "--pull-request", "9"].concat(
        "--token-file",
        token,
        "--snapshot",
        snapshot,
      ),
      { cwd: repository.fixture.work },
    );
    await server.stop();

    expect(ran.err).toContain("created the comment in pull request 9 of group/sub/shop on GitLab");
    expect(ran.code).toBe(0);
  });

  it("gives the token of a pipeline to no other repository than its own", async () => {
    const server = await new FakeGitLab().start();
    server.addPull({ number: 9, sha: head, baseSha: base });

    const ran = await runFlaghoist(
      [
        "report",
        "--repository",
        server.cloneUrl,
        "--provider",
        "gitlab",
        "--pull-request",
        "9",
        "--base",
        "main",
      ].concat("--snapshot", snapshot),
      {
        cwd: repository.fixture.work,
        env: { GITLAB_CI: "true", CI_PROJECT_URL: "https://gitlab.example.com/a/b", GITLAB_TOKEN: TOKEN },
      },
    );
    await server.stop();

    expect(server.requests).toEqual([]);
    expect(ran.err).toContain("not posted: there is no token for GitLab: set $FLAGHOIST_FORGE_TOKEN");
  });

  it.each([
    ["no pipeline", {}, 2, "this is no pipeline of a pull request"],
    [
      "a run for a branch",
      { GITLAB_CI: "true", CI_PROJECT_URL: "https://gitlab.com/a/b" },
      1,
      "this run of GitLab CI is for no pull request: run it for pull requests (merge requests)",
    ],
  ])("says of %s that there is no pull request", async (_where, env, code, message) => {
    const ran = await runFlaghoist(["report"], { cwd: repository.fixture.work, env });

    expect(ran.code).toBe(code);
    expect(ran.err).toContain(message);
  });
});
