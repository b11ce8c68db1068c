// Azure DevOps as https://learn.microsoft.com/rest/api/azure/devops/ describes it, as far as our client asks.
import type { IncomingMessage } from "node:http";
import {
  type FakeAnswer,
  type FakeComment,
  type FakePermission,
  type FakePull,
  type FakeRequest,
  FakeServer,
  type FakeUser,
  TOKEN,
} from "./fake-server.ts";

const STATES = { open: "active", closed: "abandoned", merged: "completed" } as const;
const BITS: Readonly<Record<FakePermission, number>> = {
  none: 0,
  read: 2,
  write: 2 | 4,
  maintain: 2 | 4 | 2048,
  admin: 2 | 4 | 2048 | 8192,
};

export class FakeAzure extends FakeServer {
  protected readonly root = "/Coll";
  /** Basic by default, as personal tokens are; bearer for tokens of pipelines. */
  scheme: "basic" | "bearer" = "basic";

  get cloneUrl(): string {
    return `${this.url}/Coll/proj/_git/shop`;
  }

  override idOf(name: string): string {
    return guid(this.user(name).id);
  }

  errorBody(_status: number, message: string): unknown {
    return { $id: "1", message, typeKey: "AnyException" };
  }

  protected whoAsks(headers: IncomingMessage["headers"]): FakeUser | undefined {
    const wanted = this.scheme === "basic" ? `Basic ${Buffer.from(`:${TOKEN}`).toString("base64")}` : `Bearer ${TOKEN}`;
    return headers.authorization === wanted ? this.me : undefined;
  }

  protected answer(request: FakeRequest): FakeAnswer | undefined {
    const { method, parts, query } = request;
    if (parts.join("/") === "_apis/connectionData") {
      return {
        status: 200,
        body: {
          authenticatedUser: {
            id: guid(this.me.id),
            providerDisplayName: "Bot",
            properties: { Account: { $type: "System.String", $value: this.me.name } },
          },
        },
      };
    }
    if (!/api-version=[0-9.]+/.test(String(request.headers.accept)))
      return this.error(400, "No api-version was supplied for the request.");
    if (parts.join("/") === "_apis/identities") {
      const user = [...this.users.values()].find((one) => guid(one.id) === query.get("identityIds"));
      return {
        status: 200,
        body: {
          count: 1,
          value: [
            user === undefined ? null : { id: guid(user.id), descriptor: `Claims;x\\${user.name}`, isActive: true },
          ],
        },
      };
    }
    if (parts[0] === "_apis" && parts[1] === "accesscontrollists") {
      const descriptor = query.get("descriptors") ?? "";
      const has = this.permissions.get(descriptor.split("\\")[1] ?? "") ?? "none";
      const entry = { descriptor, allow: 0, deny: 0, extendedInfo: { effectiveAllow: BITS[has] } };
      return {
        status: 200,
        body: {
          count: 1,
          value: query.get("token") === "repoV2/p-1/r-1" ? [{ acesDictionary: { [descriptor]: entry } }] : [],
        },
      };
    }
    const [project, apis, git, repositories, name, ...below] = parts;
    if (project !== "proj" || apis !== "_apis" || git !== "git" || repositories !== "repositories" || name !== "shop")
      return undefined;
    const key = `${method} ${below.map((part) => (/^[0-9]+$/.test(part) && part.length < 40 ? "*" : part)).join("/")}`;
    const pull = this.pulls.get(Number(below[1]));
    switch (key) {
      case "GET ":
        return { status: 200, body: { id: "r-1", name, project: { id: "p-1", name: project } } };
      case "GET pullrequests": {
        const size = Math.min(Number(query.get("$top") ?? 100), this.pageSize);
        const skip = Number(query.get("$skip") ?? 0);
        const all = this.#pulls(request);
        return { status: 200, body: { value: all.slice(skip, skip + size).map((one) => this.#pull(one)) } };
      }
      case "POST pullrequests":
        return this.#createPull(request);
      case "GET pullrequests/*":
        return pull === undefined
          ? this.error(404, "TF401180: The requested pull request was not found.")
          : { status: 200, body: this.#pull(pull) };
      case "GET pullrequests/*/labels":
        return { status: 200, body: { value: pull?.labels.map((label) => ({ name: label, active: true })) ?? [] } };
      case "GET pullrequests/*/threads":
        return pull === undefined ? undefined : { status: 200, body: { value: threadsOf(pull) } };
      case "POST pullrequests/*/threads":
        return pull === undefined ? undefined : this.#createThread(request, pull);
      case "POST pullrequests/*/statuses":
        return this.#status(request, pull?.sha ?? "");
    }
    if (below[0] === "pullrequests" && below[2] === "threads" && below[4] === "comments")
      return this.#oneComment(request, below[3], below[6]);
    if (method === "POST" && below[0] === "commits" && below[2] === "statuses")
      return this.#status(request, below[1] ?? "");
    return undefined;
  }

  #pulls({ query }: FakeRequest): readonly FakePull[] {
    const source = query.get("searchCriteria.sourceRefName");
    return [...this.pulls.values()]
      .filter((one) => STATES[one.state] === (query.get("searchCriteria.status") ?? "active"))
      .filter((one) => source === null || `refs/heads/${one.branch}` === source)
      .toReversed();
  }

  #createPull({ json, user }: FakeRequest): FakeAnswer {
    const branch = String(json["sourceRefName"]).replace("refs/heads/", "");
    if (String(json["description"]).length > 4000) return this.error(400, "The description is too long");
    const open = [...this.pulls.values()].find((one) => one.branch === branch && one.state === "open" && !one.fork);
    if (open !== undefined)
      return this.error(409, "TF401179: An active pull request for the source and target branch already exists.");
    const base = String(json["targetRefName"]).replace("refs/heads/", "");
    const pull = this.addPull({
      number: this.nextId(),
      title: String(json["title"]),
      branch,
      base,
      draft: json["isDraft"] === true,
      author: user,
    });
    return { status: 201, body: this.#pull(pull) };
  }

  #pull(pull: FakePull): unknown {
    return {
      pullRequestId: pull.number,
      title: pull.title,
      status: STATES[pull.state],
      isDraft: pull.draft,
      createdBy: userOf(pull.author),
      sourceRefName: `refs/heads/${pull.branch}`,
      targetRefName: `refs/heads/${pull.base}`,
      lastMergeSourceCommit: { commitId: pull.sha },
      lastMergeTargetCommit: { commitId: pull.baseSha },
      repository: { id: "r-1", remoteUrl: "https://acme@dev.azure.com/acme/proj/_git/shop" },
      ...(pull.fork
        ? { forkSource: { repository: { id: "r-2", remoteUrl: "https://dev.azure.com/acme/eve/_git/shop" } } }
        : {}),
    };
  }

  #createThread({ json, user }: FakeRequest, pull: FakePull): FakeAnswer {
    const content = String((json["comments"] as { content: string }[])[0]?.content);
    if (content.length > 150_000) return this.error(400, "The comment is longer than 150000 characters");
    const comment = this.addComment(pull.number, user.name, content);
    return { status: 200, body: { id: comment.id, comments: [commentOf(comment)] } };
  }

  #oneComment(
    { method, json, user }: FakeRequest,
    thread: string | undefined,
    below: string | undefined,
  ): FakeAnswer | undefined {
    const found = this.comment(thread);
    if (found === undefined) return this.error(404, "The comment was not found");
    if (method === "POST" && below === "likes") {
      this.reactions.push({ comment: found.comment.id, content: "like" });
      return { status: 200 };
    }
    if (found.comment.author.id !== user.id)
      return this.error(403, "TF401027: You need the Git 'PullRequestContribute' permission");
    if (method === "DELETE") {
      this.removeComment(thread);
      return { status: 200 };
    }
    this.editComment(thread, String(json["content"]));
    return { status: 200, body: commentOf(found.comment) };
  }

  #status({ json }: FakeRequest, sha: string): FakeAnswer {
    const { name, genre } = json["context"] as { name: string; genre: string };
    if (genre !== "flaghoist") return this.error(400, "no genre");
    if (!["notSet", "pending", "succeeded", "failed", "error", "notApplicable"].includes(String(json["state"])))
      return this.error(400, "no such state");
    this.setStatus({
      sha,
      context: name,
      state: String(json["state"]),
      description: String(json["description"]),
      url: json["targetUrl"] as string | undefined,
    });
    return { status: 201, body: { id: 1 } };
  }
}

function guid(id: number): string {
  return `00000000-0000-0000-0000-${String(id).padStart(12, "0")}`;
}

function userOf({ id, name, bot }: FakeUser): object {
  const descriptor = `${bot === true ? "svc" : "aad"}.${Buffer.from(name).toString("base64url")}`;
  return { id: guid(id), uniqueName: name, displayName: name, descriptor };
}

/** Each comment has a thread of its own here, with what the system says about votes between. */
function threadsOf(pull: FakePull): readonly unknown[] {
  const comments = pull.comments.map((one) => ({ id: one.id, isDeleted: false, comments: [commentOf(one)] }));
  const system = {
    id: 1,
    comments: [
      {
        id: 1,
        commentType: "system",
        content: "Ada voted 10",
        author: userOf(pull.author),
        publishedDate: "2026-01-01T00:00:00Z",
      },
    ],
  };
  return [system, ...comments];
}

function commentOf({ author, body, createdAt, editedAt }: FakeComment): unknown {
  return {
    id: 1,
    parentCommentId: 0,
    content: body,
    commentType: "text",
    author: userOf(author),
    publishedDate: createdAt,
    lastContentUpdatedDate: editedAt ?? createdAt,
    // A like changes this one, too.
    lastUpdatedDate: "2026-12-31T00:00:00Z",
  };
}
