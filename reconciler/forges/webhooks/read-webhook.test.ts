import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { testSeed } from "../../../test/seed.ts";
import type { ForgeKind } from "../forge.ts";
import { readWebhook, WEBHOOK_MAX_BYTES } from "./read-webhook.ts";

const SECRET = "correct horse";
const NOW = Date.UTC(2026, 0, 1);
const SHA = "1111111111111111111111111111111111111111";
const OTHER = "2222222222222222222222222222222222222222";
const NONE = "0000000000000000000000000000000000000000";

const hex = (body: string, secret = SECRET) => createHmac("sha256", secret).update(body).digest("hex");

/** Headers by which a provider proves that it knows the secret. */
function proof(kind: ForgeKind, body: string, secret = SECRET): Record<string, string> {
  switch (kind) {
    case "github":
      return { "x-hub-signature-256": `sha256=${hex(body, secret)}` };
    case "gitlab":
      return { "x-gitlab-token": secret };
    case "gitea":
      return { "x-gitea-signature": hex(body, secret) };
    case "bitbucket-cloud":
    case "bitbucket-data-center":
      return { "x-hub-signature": `sha256=${hex(body, secret)}` };
    case "azure-devops":
      return { authorization: `Basic ${Buffer.from(`hook:${secret}`).toString("base64")}` };
  }
}

function deliver(kind: ForgeKind, headers: Record<string, string>, payload: unknown) {
  const body = JSON.stringify(payload);
  return readWebhook(
    { kind, headers: { ...proof(kind, body), ...headers }, body: Buffer.from(body), secrets: [SECRET] },
    NOW,
  );
}

const REPO = {
  full_name: "octo/shop",
  clone_url: "https://git.example.com/octo/shop.git",
  html_url: "https://git.example.com/octo/shop",
};
const USER = { id: 5, login: "ada" };

const github = (event: string, payload: object) =>
  deliver(
    "github",
    { "x-github-event": event, "x-github-delivery": "d-1" },
    { repository: REPO, sender: USER, ...payload },
  );
const gitea = (event: string, payload: object) =>
  deliver(
    "gitea",
    { "x-gitea-event": event, "x-gitea-delivery": "d-2" },
    { repository: REPO, sender: USER, ...payload },
  );
const PROJECT = {
  path_with_namespace: "group/sub/shop",
  git_http_url: "https://gitlab.example.com/group/sub/shop.git",
};
const gitlab = (payload: object) =>
  deliver(
    "gitlab",
    { "idempotency-key": "d-3", "x-gitlab-event-uuid": "other" },
    { project: PROJECT, user: { id: 5, username: "ada" }, ...payload },
  );
const CLOUD_USER = { uuid: "{u-1}", nickname: "ada" };
const cloud = (event: string, payload: object) =>
  deliver(
    "bitbucket-cloud",
    { "x-event-key": event, "x-request-uuid": "d-4" },
    {
      repository: { full_name: "acme/shop", links: { html: { href: "https://bitbucket.org/acme/shop" } } },
      actor: CLOUD_USER,
      ...payload,
    },
  );
const DC_REPO = { slug: "shop", project: { key: "PRJ" } };
const dataCenter = (event: string, payload: object) =>
  deliver(
    "bitbucket-data-center",
    { "x-event-key": event, "x-request-id": "d-5" },
    { actor: { id: 5, name: "ada" }, ...payload },
  );
const AZURE_REPO = { remoteUrl: "https://acme@dev.azure.com/acme/proj/_git/shop" };
const azure = (eventType: string, resource: object) => deliver("azure-devops", {}, { id: "d-6", eventType, resource });
const azureComment = (comment: object) =>
  azure("ms.vss-code.git-pullrequest-comment-event", {
    comment: {
      id: 2,
      content: "/flaghoist plan",
      commentType: "text",
      publishedDate: "2026-01-01T00:00:00Z",
      author: { id: "a-1", uniqueName: "ada@example.com" },
      _links: { threads: { href: "https://dev.azure.com/x/_apis/git/repositories/r/pullRequests/7/threads/31" } },
      ...comment,
    },
    pullRequest: { pullRequestId: 7, repository: AZURE_REPO },
  });

describe("readWebhook", () => {
  const pullRequest = (action: string, sha: string | undefined = SHA) =>
    expect.objectContaining({ type: "pull request", action, number: 7, sha });
  const ghPull = (action: string) => ({ action, number: 7, pull_request: { head: { sha: SHA } } });
  const merge = (attributes: object, changes: object = {}) =>
    gitlab({
      object_kind: "merge_request",
      object_attributes: { iid: 7, last_commit: { id: SHA }, ...attributes },
      changes,
    });
  const dcPull = { pullRequest: { id: 7, fromRef: { latestCommit: SHA }, toRef: { repository: DC_REPO } } };
  const azPull = {
    pullRequestId: 7,
    status: "active",
    lastMergeSourceCommit: { commitId: SHA },
    repository: AZURE_REPO,
  };

  it.each([
    ["GitHub opened", () => github("pull_request", ghPull("opened")), "opened"],
    ["GitHub pushed", () => github("pull_request", ghPull("synchronize")), "synchronised"],
    ["GitHub reopened", () => github("pull_request", ghPull("reopened")), "reopened"],
    ["GitHub closed", () => github("pull_request", ghPull("closed")), "closed"],
    ["GitHub labelled", () => github("pull_request", ghPull("labeled")), "labelled"],
    ["GitHub ready", () => github("pull_request", ghPull("ready_for_review")), "edited"],
    ["Gitea pushed", () => gitea("pull_request", ghPull("synchronized")), "synchronised"],
    ["Gitea labelled", () => gitea("pull_request", ghPull("label_updated")), "labelled"],
    ["GitLab opened", () => merge({ action: "open" }), "opened"],
    ["GitLab pushed", () => merge({ action: "update", oldrev: OTHER }), "synchronised"],
    ["GitLab reopened", () => merge({ action: "reopen" }), "reopened"],
    ["GitLab merged", () => merge({ action: "merge" }), "closed"],
    ["GitLab labelled", () => merge({ action: "update" }, { labels: { previous: [], current: [] } }), "labelled"],
    ["GitLab edited", () => merge({ action: "update" }, { draft: { previous: true, current: false } }), "edited"],
    [
      "Bitbucket Cloud opened",
      () => cloud("pullrequest:created", { pullrequest: { id: 7, source: { commit: { hash: SHA } } } }),
      "opened",
    ],
    [
      "Bitbucket Cloud updated",
      () => cloud("pullrequest:updated", { pullrequest: { id: 7, source: { commit: { hash: SHA } } } }),
      "synchronised",
    ],
    [
      "Bitbucket Cloud declined",
      () => cloud("pullrequest:rejected", { pullrequest: { id: 7, source: { commit: { hash: SHA } } } }),
      "closed",
    ],
    ["Data Center opened", () => dataCenter("pr:opened", dcPull), "opened"],
    ["Data Center pushed", () => dataCenter("pr:from_ref_updated", dcPull), "synchronised"],
    ["Data Center merged", () => dataCenter("pr:merged", dcPull), "closed"],
    ["Azure opened", () => azure("git.pullrequest.created", azPull), "opened"],
    ["Azure updated", () => azure("git.pullrequest.updated", azPull), "synchronised"],
    ["Azure abandoned", () => azure("git.pullrequest.updated", { ...azPull, status: "abandoned" }), "closed"],
  ])("reads a pull request: %s", (_name, read, action) => {
    expect(read()).toEqual(pullRequest(action));
  });

  const note = (attributes: object = {}) =>
    gitlab({
      object_kind: "note",
      object_attributes: {
        id: 31,
        note: "/flaghoist plan",
        noteable_type: "MergeRequest",
        action: "create",
        ...attributes,
      },
      merge_request: { iid: 7 },
    });
  const ghComment = {
    action: "created",
    issue: { number: 7, pull_request: {} },
    comment: { id: 31, body: "/flaghoist plan", user: USER },
  };
  const dcComment = { comment: { id: 31, text: "/flaghoist plan", author: { id: 5, name: "ada" } }, ...dcPull };
  const cloudComment = {
    comment: { id: 31, content: { raw: "/flaghoist plan" }, user: CLOUD_USER },
    pullrequest: { id: 7 },
  };

  it.each([
    ["GitHub", () => github("issue_comment", ghComment), "31", "5", "octo/shop", "d-1"],
    [
      "Gitea",
      () => gitea("issue_comment", { ...ghComment, is_pull: true, issue: { number: 7 } }),
      "31",
      "5",
      "octo/shop",
      "d-2",
    ],
    ["GitLab", () => note(), "31", "5", "group/sub/shop", "d-3"],
    ["Bitbucket Cloud", () => cloud("pullrequest:comment_created", cloudComment), "31", "{u-1}", "acme/shop", "d-4"],
    ["Data Center", () => dataCenter("pr:comment:added", dcComment), "31", "5", "PRJ/shop", "d-5"],
    [
      "Azure",
      () => azureComment({ lastContentUpdatedDate: "2026-01-01T00:00:00Z" }),
      "31/2",
      "a-1",
      "acme/proj/shop",
      "d-6",
    ],
  ])("reads a comment of %s", (_name, read, id, author, path, deliveryId) => {
    expect(read()).toMatchObject({
      type: "comment",
      number: 7,
      comment: { id, body: "/flaghoist plan", author: { id: author } },
      repository: { path },
      deliveryId,
    });
  });

  it.each([
    ["edited, GitHub", () => github("issue_comment", { ...ghComment, action: "edited" })],
    ["edited, GitLab", () => note({ action: "update" })],
    ["edited, Bitbucket Cloud", () => cloud("pullrequest:comment_updated", cloudComment)],
    ["edited, Data Center", () => dataCenter("pr:comment:edited", dcComment)],
    ["edited, Azure", () => azureComment({ lastContentUpdatedDate: "2026-01-01T00:05:00Z" })],
    ["deleted, Azure", () => azureComment({ isDeleted: true })],
    ["on an issue, GitHub", () => github("issue_comment", { ...ghComment, issue: { number: 7 } })],
    ["on an issue, GitLab", () => note({ noteable_type: "Issue" })],
    ["of the system, GitLab", () => note({ system: true })],
    ["of the system, Azure", () => azureComment({ commentType: "system" })],
  ])("takes no command from a comment that is %s", (_name, read) => {
    expect(read()).toEqual({ type: "ignored", reason: expect.stringMatching(/\w/) });
  });

  const main = (before: string | undefined, after: string | undefined) => ({
    type: "push",
    branches: [{ name: "main", before, after }],
  });

  it.each([
    ["GitHub", () => github("push", { ref: "refs/heads/main", before: OTHER, after: SHA }), main(OTHER, SHA)],
    [
      "GitHub, a branch that goes",
      () => github("push", { ref: "refs/heads/main", before: OTHER, after: NONE }),
      main(OTHER, undefined),
    ],
    [
      "GitLab, a new branch",
      () => gitlab({ object_kind: "push", ref: "refs/heads/main", before: NONE, after: SHA }),
      main(undefined, SHA),
    ],
    [
      "Bitbucket Cloud",
      () =>
        cloud("repo:push", {
          push: {
            changes: [
              {
                old: { type: "branch", name: "main", target: { hash: OTHER } },
                new: { type: "branch", name: "main", target: { hash: SHA } },
              },
              { old: null, new: { type: "tag", name: "v1" } },
            ],
          },
        }),
      main(OTHER, SHA),
    ],
    [
      "Data Center",
      () =>
        dataCenter("repo:refs_changed", {
          repository: DC_REPO,
          changes: [{ ref: { type: "BRANCH", displayId: "main" }, fromHash: OTHER, toHash: SHA }],
        }),
      main(OTHER, SHA),
    ],
    [
      "Azure",
      () =>
        azure("git.push", {
          repository: AZURE_REPO,
          refUpdates: [{ name: "refs/heads/main", oldObjectId: OTHER, newObjectId: SHA }],
        }),
      main(OTHER, SHA),
    ],
  ])("reads a push of %s", (_name, read, expected) => {
    expect(read()).toMatchObject(expected);
  });

  it.each([
    ["GitHub", () => github("push", { ref: "refs/tags/v1", before: NONE, after: SHA })],
    ["Gitea", () => gitea("push", { ref: "refs/tags/v1", before: NONE, after: SHA })],
    ["GitLab", () => gitlab({ object_kind: "tag_push", ref: "refs/tags/v1", before: NONE, after: SHA })],
    [
      "Bitbucket Cloud",
      () => cloud("repo:push", { push: { changes: [{ old: null, new: { type: "tag", name: "v1" } }] } }),
    ],
    [
      "Data Center",
      () =>
        dataCenter("repo:refs_changed", {
          repository: DC_REPO,
          changes: [{ ref: { type: "TAG", displayId: "v1" }, fromHash: NONE, toHash: SHA }],
        }),
    ],
    [
      "Azure",
      () =>
        azure("git.push", {
          repository: AZURE_REPO,
          refUpdates: [{ name: "refs/tags/v1", oldObjectId: NONE, newObjectId: SHA }],
        }),
    ],
  ])("reads a tag of %s", (_name, read) => {
    expect(read()).toMatchObject({ type: "push", branches: [], tags: ["v1"] });
  });

  it("ignores what is not known, and says why", () => {
    expect(github("push", { ref: "refs/notes/commits", before: NONE, after: SHA })).toEqual({
      type: "ignored",
      reason: "no branch and no tag was pushed",
    });
    expect(cloud("repo:push", { push: { changes: [{ old: null, new: { type: "bookmark", name: "x" } }] } })).toEqual({
      type: "ignored",
      reason: "no branch and no tag was pushed",
    });
    expect(github("star", {})).toEqual({ type: "ignored", reason: 'nothing follows from the event "star"' });
    expect(github("pull_request", ghPull("assigned"))).toMatchObject({ type: "ignored" });
    expect(github("pull_request", ghPull("constructor"))).toMatchObject({ type: "ignored" });
  });

  it("answers pings", () => {
    expect(github("ping", { zen: "x" })).toEqual({ type: "ping", deliveryId: "d-1" });
    expect(dataCenter("diagnostics:ping", { test: true })).toEqual({ type: "ping", deliveryId: "d-5" });
  });

  it("refuses what is not as documented", () => {
    expect(github("pull_request", { action: "opened" })).toMatchObject({
      type: "refused",
      status: 400,
      reason: "the body has no number at number",
    });
  });
});

describe("readWebhook of anything", () => {
  const KINDS = ["github", "gitlab", "gitea", "bitbucket-cloud", "bitbucket-data-center", "azure-devops"] as const;
  const EVENTS = [
    "pull_request",
    "issue_comment",
    "push",
    "pullrequest:created",
    "pullrequest:comment_created",
    "repo:push",
    "pr:opened",
    "pr:comment:added",
    "repo:refs_changed",
  ];
  const WORDS = [
    "object_attributes",
    "object_kind",
    "merge_request",
    "note",
    "push",
    "changes",
    "resource",
    "comment",
    "repository",
    "pullrequest",
    "pullRequest",
    "eventType",
    "git.push",
    "git.pullrequest.created",
    "id",
    "number",
    "__proto__",
    "constructor",
    "action",
    "opened",
    "created",
  ];

  it("answers, and never throws", () => {
    const seed = testSeed();
    const random = new Random(seed);
    const value = (depth: number): unknown => {
      if (depth > 3 || random.chance(0.3))
        return random.pick<unknown>([null, true, 7, -1, 1e300, "", "x", random.pick(WORDS), [], {}]);
      if (random.chance(0.3)) return random.list(3, () => value(depth + 1));
      return Object.fromEntries(random.list(8, () => [random.pick(WORDS), value(depth + 1)]));
    };
    for (let round = 0; round < 3000; round++) {
      const event = random.pick(EVENTS);
      const headers = { "x-github-event": event, "x-gitea-event": event, "x-event-key": event };
      const payload = {
        ...(value(0) as object),
        object_kind: random.pick(["merge_request", "note", "push"]),
        eventType: random.pick(WORDS),
      };

      expect(deliver(random.pick(KINDS), headers, payload), `seed ${seed}`).toHaveProperty("type");
    }
  });
});

describe("the proof of a delivery", () => {
  const KINDS = ["github", "gitlab", "gitea", "bitbucket-cloud", "bitbucket-data-center", "azure-devops"] as const;
  const body = "{}";
  const read = (kind: ForgeKind, headers: Record<string, string>, secrets: readonly string[] = [SECRET], text = body) =>
    readWebhook({ kind, headers, body: Buffer.from(text), secrets }, NOW);

  it.each(KINDS)("of %s is taken, also when it is by an earlier secret", (kind) => {
    expect(read(kind, proof(kind, body), ["new one", SECRET]).type).not.toBe("refused");
  });

  it.each(KINDS)("of %s is taken when the secret was written with a line end", (kind) => {
    expect(read(kind, proof(kind, body), [`${SECRET}\n`]).type).not.toBe("refused");
    expect(read(kind, proof(kind, body, ""), ["\n"])).toMatchObject({ status: 401 });
  });

  it.each(KINDS)("of %s by another secret, or none, is refused", (kind) => {
    expect(read(kind, proof(kind, body, "wrong"))).toMatchObject({ type: "refused", status: 401 });
    expect(read(kind, {})).toMatchObject({ type: "refused", status: 401 });
  });

  it.each(KINDS)("of %s by an empty secret is refused", (kind) => {
    expect(read(kind, proof(kind, body, ""), [""])).toMatchObject({ type: "refused", status: 401 });
    expect(read(kind, proof(kind, body, ""), [SECRET, ""])).toMatchObject({ type: "refused", status: 401 });
    expect(read(kind, proof(kind, body), [])).toMatchObject({ type: "refused", status: 401 });
  });

  it.each(["github", "gitea", "bitbucket-cloud", "bitbucket-data-center"] as const)(
    "of %s is over every byte",
    (kind) => {
      expect(read(kind, proof(kind, body), [SECRET], "{ }")).toMatchObject({ type: "refused", status: 401 });
    },
  );

  it("of GitHub by SHA-1 is not taken", () => {
    const sha1 = createHmac("sha1", SECRET).update(body).digest("hex");

    expect(read("github", { "x-hub-signature": `sha1=${sha1}` })).toMatchObject({ status: 401 });
  });

  it.each(["x-forgejo-signature", "x-gogs-signature"])("may be in %s", (name) => {
    expect(read("gitea", { [name]: hex(body) }).type).not.toBe("refused");
  });

  describe("by GitLab's signing token", () => {
    const key = Buffer.from("k".repeat(32));
    const secret = `whsec_${key.toString("base64")}`;
    const signed = (time: number) => {
      const signature = createHmac("sha256", key).update(`id-1.${time}.${body}`).digest("base64");
      return {
        "webhook-id": "id-1",
        "webhook-timestamp": String(time),
        "webhook-signature": `v1,AAAA v1,${signature}`,
      };
    };

    it("is taken", () => {
      expect(read("gitlab", signed(NOW / 1000 + 200), [secret]).type).not.toBe("refused");
    });

    it("is refused when it is old: somebody may have kept it", () => {
      expect(read("gitlab", signed(NOW / 1000 - 301), [secret])).toMatchObject({ status: 401 });
    });
  });

  it("of a body that is too large is not even looked at", () => {
    const large = {
      kind: "github",
      headers: {},
      body: Buffer.alloc(WEBHOOK_MAX_BYTES + 1),
      secrets: [SECRET],
    } as const;

    expect(readWebhook(large, NOW)).toMatchObject({ type: "refused", status: 413 });
  });

  it("of a form says what to set", () => {
    const headers = { ...proof("github", body), "content-type": "application/x-www-form-urlencoded" };

    expect(read("github", headers)).toMatchObject({ status: 400, reason: expect.stringContaining("application/json") });
  });

  it.each(["", "not json", "[]", "null", '"x"'])("of the body %j is followed by a refusal", (text) => {
    expect(read("github", proof("github", text), [SECRET], text)).toMatchObject({ type: "refused", status: 400 });
  });
});
