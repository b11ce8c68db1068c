// Service hooks: https://learn.microsoft.com/azure/devops/service-hooks/events
import type { ForgeUser } from "../forge.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { repositoryAddress } from "../repository-address.ts";
import { readPush, type ToldRepository, type WebhookOutcome } from "./webhook-event.ts";

export function readAzureEvent(json: JsonReader): WebhookOutcome {
  const deliveryId = json.at("id").textOr("");
  const event = json.at("eventType").textOr("");
  const resource = json.at("resource");
  switch (event) {
    case "git.pullrequest.created":
    case "git.pullrequest.updated":
    case "git.pullrequest.merged": {
      const status = resource.at("status").textOr("active");
      const closed = status === "completed" || status === "abandoned";
      // "Merge attempted" also tells of attempts that failed, and of those made beforehand.
      if (event === "git.pullrequest.merged" && !closed) return { type: "ignored", reason: "it was not completed" };
      return {
        type: "pull request",
        // An update may be a push, a vote, a label or another title: it does not say.
        action: closed ? "closed" : event === "git.pullrequest.created" ? "opened" : "synchronised",
        number: resource.at("pullRequestId").number(),
        sha: resource.at("lastMergeSourceCommit", "commitId").textOr(undefined),
        repository: readRepository(resource.at("repository")),
        sender: resource.at("createdBy", "id").exists ? readUser(resource.at("createdBy")) : undefined,
        deliveryId,
      };
    }
    case "ms.vss-code.git-pullrequest-comment-event": {
      const comment = resource.at("comment");
      if (comment.at("isDeleted").isTrue()) return { type: "ignored", reason: "the comment was deleted" };
      if (comment.at("commentType").textOr("text") === "system")
        return { type: "ignored", reason: "the system wrote it" };
      const published = comment.at("publishedDate").textOr("");
      const changed = comment.at("lastContentUpdatedDate").textOr(published);
      if (changed !== published) return { type: "ignored", reason: "a comment that was changed is no command" };
      const thread = /\/threads\/([0-9]+)/.exec(
        comment.at("_links", "threads", "href").textOr(comment.at("_links", "self", "href").textOr("")),
      );
      if (thread?.[1] === undefined) return { type: "ignored", reason: "the comment's thread is not told" };
      return {
        type: "comment",
        number: resource.at("pullRequest", "pullRequestId").number(),
        comment: {
          id: `${thread[1]}/${comment.at("id").id()}`,
          body: comment.at("content").textOr(""),
          author: readUser(comment.at("author")),
        },
        repository: readRepository(resource.at("pullRequest", "repository")),
        deliveryId,
      };
    }
    case "git.push": {
      const refs = resource
        .at("refUpdates")
        .items()
        .map((update) => ({
          ref: update.at("name").text(),
          before: update.at("oldObjectId").textOr(""),
          after: update.at("newObjectId").textOr(""),
        }));
      return readPush(refs, { repository: readRepository(resource.at("repository")), deliveryId });
    }
    default:
      return { type: "ignored", reason: `nothing follows from the event ${JSON.stringify(event.slice(0, 60))}` };
  }
}

function readUser(json: JsonReader): ForgeUser {
  return { id: json.at("id").text(), name: json.at("uniqueName").textOr(json.at("displayName").textOr("unknown")) };
}

function readRepository(json: JsonReader): ToldRepository {
  const url = json.at("remoteUrl").text();
  return { path: repositoryAddress(url, { kind: "azure-devops" }).path.join("/"), urls: [url] };
}
