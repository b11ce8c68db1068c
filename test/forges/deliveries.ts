// Deliveries of webhooks as each provider sends them: the fields that we read, under the names that they have there.
import { createHmac } from "node:crypto";
import type { ForgeKind } from "../../reconciler/forges/forge.ts";

export interface DeliveryOptions {
  readonly kind: ForgeKind;
  readonly what: "pull request" | "comment" | "push";
  readonly secret: string;
  /** `owner/name`. */
  readonly repository: string;
  /** By which it is cloned. */
  readonly cloneUrl: string;
  readonly id?: string;
  readonly number?: number;
  /** Of the head, or what was pushed. */
  readonly sha?: string;
  readonly branch?: string;
  /** Pushed in place of a branch. */
  readonly tag?: string;
  readonly comment?: string;
}

export interface SentDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const BEFORE = "2".repeat(40);

/** With headers that prove to come from who knows the secret. */
export function deliveryOf(options: DeliveryOptions): SentDelivery {
  const { kind, secret } = options;
  const { event, payload } = contentOf(options);
  const id = options.id ?? "delivery-1";
  const body = JSON.stringify(kind === "azure-devops" ? { id, ...payload } : payload);
  return { headers: { "content-type": "application/json", ...headersOf(kind, event, id, secret, body) }, body };
}

function headersOf(
  kind: ForgeKind,
  event: string,
  id: string,
  secret: string,
  body: string,
): Readonly<Record<string, string>> {
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  switch (kind) {
    case "github":
      return { "x-github-event": event, "x-github-delivery": id, "x-hub-signature-256": `sha256=${signature}` };
    case "gitlab":
      return {
        "x-gitlab-event": event,
        "x-gitlab-event-uuid": `${id}-once`,
        "idempotency-key": id,
        "x-gitlab-token": secret,
      };
    case "gitea":
      return { "x-gitea-event": event, "x-gitea-delivery": id, "x-gitea-signature": signature };
    case "bitbucket-cloud":
      return { "x-event-key": event, "x-request-uuid": id, "x-hub-signature": `sha256=${signature}` };
    case "bitbucket-data-center":
      return { "x-event-key": event, "x-request-id": id, "x-hub-signature": `sha256=${signature}` };
    case "azure-devops":
      return { authorization: `Basic ${Buffer.from(`flaghoist:${secret}`).toString("base64")}` };
  }
}

function contentOf(options: DeliveryOptions): { readonly event: string; readonly payload: object } {
  switch (options.kind) {
    case "github":
    case "gitea":
      return githubContent(options);
    case "gitlab":
      return gitlabContent(options);
    case "bitbucket-cloud":
      return cloudContent(options);
    case "bitbucket-data-center":
      return dataCenterContent(options);
    case "azure-devops":
      return azureContent(options);
  }
}

function detailsOf(options: DeliveryOptions) {
  const { number = 7, sha = "1".repeat(40), branch = "main", tag, comment = "/flaghoist plan" } = options;
  const isTag = tag !== undefined;
  return { number, sha, comment, isTag, name: tag ?? branch, ref: isTag ? `refs/tags/${tag}` : `refs/heads/${branch}` };
}

function githubContent(options: DeliveryOptions) {
  const { number, sha, comment, ref } = detailsOf(options);
  const shared = {
    repository: { full_name: options.repository, clone_url: options.cloneUrl },
    sender: { id: 5, login: "ada" },
  };
  switch (options.what) {
    case "pull request":
      return {
        event: "pull_request",
        payload: {
          ...shared,
          action: options.kind === "gitea" ? "synchronized" : "synchronize",
          number,
          pull_request: { head: { sha } },
        },
      };
    case "comment":
      return {
        event: "issue_comment",
        payload: {
          ...shared,
          action: "created",
          is_pull: true,
          issue: { number, pull_request: {} },
          comment: { id: 31, body: comment, user: { id: 5, login: "ada" } },
        },
      };
    case "push":
      return { event: "push", payload: { ...shared, ref, before: BEFORE, after: sha } };
  }
}

function gitlabContent(options: DeliveryOptions) {
  const { number, sha, comment, ref, isTag } = detailsOf(options);
  const shared = {
    project: { path_with_namespace: options.repository, git_http_url: options.cloneUrl },
    user: { id: 5, username: "ada" },
  };
  switch (options.what) {
    case "pull request":
      return {
        event: "Merge Request Hook",
        payload: {
          ...shared,
          object_kind: "merge_request",
          object_attributes: { iid: number, action: "update", oldrev: BEFORE, last_commit: { id: sha } },
        },
      };
    case "comment":
      return {
        event: "Note Hook",
        payload: {
          ...shared,
          object_kind: "note",
          object_attributes: { id: 31, note: comment, noteable_type: "MergeRequest", action: "create" },
          merge_request: { iid: number },
        },
      };
    case "push":
      return {
        event: isTag ? "Tag Push Hook" : "Push Hook",
        payload: { ...shared, object_kind: isTag ? "tag_push" : "push", ref, before: BEFORE, after: sha },
      };
  }
}

function cloudContent(options: DeliveryOptions) {
  const { number, sha, comment, name, isTag } = detailsOf(options);
  const actor = { uuid: "{u-1}", nickname: "ada" };
  const shared = {
    repository: { full_name: options.repository, links: { html: { href: options.cloneUrl } } },
    actor,
  };
  switch (options.what) {
    case "pull request":
      return {
        event: "pullrequest:updated",
        payload: { ...shared, pullrequest: { id: number, source: { commit: { hash: sha } } } },
      };
    case "comment":
      return {
        event: "pullrequest:comment_created",
        payload: {
          ...shared,
          comment: { id: 31, content: { raw: comment }, user: actor },
          pullrequest: { id: number },
        },
      };
    case "push": {
      const side = (hash: string) => ({ type: isTag ? "tag" : "branch", name, target: { hash } });
      return { event: "repo:push", payload: { ...shared, push: { changes: [{ old: side(BEFORE), new: side(sha) }] } } };
    }
  }
}

function dataCenterContent(options: DeliveryOptions) {
  const { number, sha, comment, name, isTag } = detailsOf(options);
  const [key = "", slug = ""] = options.repository.split("/");
  const repository = { slug, project: { key }, links: { clone: [{ href: options.cloneUrl }] } };
  const actor = { id: 5, name: "ada" };
  const pullRequest = { id: number, fromRef: { latestCommit: sha }, toRef: { repository } };
  switch (options.what) {
    case "pull request":
      return { event: "pr:from_ref_updated", payload: { actor, pullRequest } };
    case "comment":
      return {
        event: "pr:comment:added",
        payload: { actor, pullRequest, comment: { id: 31, text: comment, author: actor } },
      };
    case "push":
      return {
        event: "repo:refs_changed",
        payload: {
          actor,
          repository,
          changes: [{ ref: { type: isTag ? "TAG" : "BRANCH", displayId: name }, fromHash: BEFORE, toHash: sha }],
        },
      };
  }
}

function azureContent(options: DeliveryOptions) {
  const { number, sha, comment, ref } = detailsOf(options);
  const repository = { remoteUrl: options.cloneUrl };
  const author = { id: "a-1", uniqueName: "ada@example.com" };
  const thread = `${options.cloneUrl}/pullRequests/${number}/threads/31`;
  switch (options.what) {
    case "pull request": {
      const resource = {
        pullRequestId: number,
        status: "active",
        lastMergeSourceCommit: { commitId: sha },
        createdBy: author,
        repository,
      };
      return { event: "", payload: { eventType: "git.pullrequest.updated", resource } };
    }
    case "comment": {
      const resource = {
        comment: {
          id: 2,
          content: comment,
          commentType: "text",
          publishedDate: "2026-01-01T00:00:00Z",
          author,
          _links: { threads: { href: thread } },
        },
        pullRequest: { pullRequestId: number, repository },
      };
      return { event: "", payload: { eventType: "ms.vss-code.git-pullrequest-comment-event", resource } };
    }
    case "push": {
      const refUpdates = [{ name: ref, oldObjectId: BEFORE, newObjectId: sha }];
      return { event: "", payload: { eventType: "git.push", resource: { repository, refUpdates } } };
    }
  }
}
