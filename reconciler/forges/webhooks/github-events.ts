// https://docs.github.com/webhooks/webhook-events-and-payloads; Gitea, Forgejo and Gogs send nearly the same.
import type { ForgeUser } from "../forge.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { type PullRequestAction, readPush, type ToldRepository, type WebhookOutcome } from "./webhook-event.ts";

const ACTIONS: Readonly<Record<string, PullRequestAction>> = {
  opened: "opened",
  synchronize: "synchronised",
  synchronized: "synchronised",
  reopened: "reopened",
  closed: "closed",
  labeled: "labelled",
  unlabeled: "labelled",
  label_updated: "labelled",
  label_cleared: "labelled",
  edited: "edited",
  ready_for_review: "edited",
  converted_to_draft: "edited",
};

export function readGitHubEvent(event: string, deliveryId: string, json: JsonReader): WebhookOutcome {
  const action = json.at("action").textOr("");
  switch (event) {
    case "ping":
      return { type: "ping", deliveryId };
    case "pull_request":
    // Gitea's names where the kind of an event is in its type.
    case "pull_request_sync":
    case "pull_request_label": {
      const known = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
      if (known === undefined)
        return { type: "ignored", reason: `nothing follows from a pull request that was ${action}` };
      return {
        type: "pull request",
        action: known,
        number: json.at("number").number(),
        sha: json.at("pull_request", "head", "sha").textOr(undefined),
        repository: readRepository(json.at("repository")),
        sender: json.at("sender").exists ? readUser(json.at("sender")) : undefined,
        deliveryId,
      };
    }
    case "issue_comment": {
      if (action !== "created") return { type: "ignored", reason: `a comment that was ${action} is no command` };
      const isPull = json.at("is_pull").isTrue() || json.at("issue", "pull_request").exists;
      if (!isPull) return { type: "ignored", reason: "the comment is on an issue" };
      const comment = json.at("comment");
      return {
        type: "comment",
        number: json.at("issue", "number").number(),
        comment: {
          id: comment.at("id").id(),
          body: comment.at("body").textOr(""),
          author: readUser(comment.at("user")),
        },
        repository: readRepository(json.at("repository")),
        deliveryId,
      };
    }
    case "push": {
      const [before, after] = [json.at("before").textOr(""), json.at("after").textOr("")];
      const repository = readRepository(json.at("repository"));
      return readPush([{ ref: json.at("ref").text(), before, after }], { repository, deliveryId });
    }
    default:
      return { type: "ignored", reason: `nothing follows from the event ${JSON.stringify(event.slice(0, 60))}` };
  }
}

function readUser(json: JsonReader): ForgeUser {
  return { id: json.at("id").id(), name: json.at("login").textOr(json.at("username").textOr("ghost")) };
}

function readRepository(json: JsonReader): ToldRepository {
  const urls = [json.at("clone_url"), json.at("ssh_url"), json.at("html_url")].map((url) => url.textOr(""));
  return { path: json.at("full_name").text(), urls: urls.filter((url) => url !== "") };
}
