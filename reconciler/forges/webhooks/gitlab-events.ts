// https://docs.gitlab.com/user/project/integrations/webhook_events/
import type { ForgeUser } from "../forge.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { type PullRequestAction, readPush, type ToldRepository, type WebhookOutcome } from "./webhook-event.ts";

export function readGitLabEvent(deliveryId: string, json: JsonReader): WebhookOutcome {
  const attributes = json.at("object_attributes");
  const kind = json.at("object_kind").textOr("");
  switch (kind) {
    case "merge_request": {
      const action = mergeAction(json);
      if (action === undefined) {
        return {
          type: "ignored",
          reason: `nothing follows from a merge request's ${attributes.at("action").textOr("event")}`,
        };
      }
      return {
        type: "pull request",
        action,
        number: attributes.at("iid").number(),
        sha: attributes.at("last_commit", "id").textOr(undefined),
        repository: readProject(json.at("project")),
        sender: json.at("user", "username").exists ? readUser(json.at("user")) : undefined,
        deliveryId,
      };
    }
    case "note": {
      if (attributes.at("noteable_type").textOr("") !== "MergeRequest") {
        return { type: "ignored", reason: "the comment is not on a merge request" };
      }
      // Older versions do not say what was done, and tell of new notes only.
      const action = attributes.at("action").textOr("create");
      if (action !== "create") return { type: "ignored", reason: "a comment that was changed is no command" };
      if (attributes.at("system").isTrue() || attributes.at("internal").isTrue()) {
        return { type: "ignored", reason: "the comment is not of the conversation" };
      }
      return {
        type: "comment",
        number: json.at("merge_request", "iid").number(),
        comment: {
          id: attributes.at("id").id(),
          body: attributes.at("note").textOr(""),
          author: readUser(json.at("user")),
        },
        repository: readProject(json.at("project")),
        deliveryId,
      };
    }
    case "push":
    case "tag_push": {
      const [before, after] = [json.at("before").textOr(""), json.at("after").textOr("")];
      const repository = readProject(json.at("project"));
      return readPush([{ ref: json.at("ref").text(), before, after }], { repository, deliveryId });
    }
    default:
      return { type: "ignored", reason: `nothing follows from the event ${JSON.stringify(kind.slice(0, 60))}` };
  }
}

function mergeAction(json: JsonReader): PullRequestAction | undefined {
  const attributes = json.at("object_attributes");
  switch (attributes.at("action").textOr("")) {
    case "open":
      return "opened";
    case "reopen":
      return "reopened";
    case "close":
    case "merge":
      return "closed";
    case "update": {
      // Only a push has an earlier revision.
      if (attributes.at("oldrev").exists) return "synchronised";
      const changes = json.at("changes");
      if (changes.at("labels").exists) return "labelled";
      return ["title", "draft", "target_branch"].some((name) => changes.at(name).exists) ? "edited" : undefined;
    }
    default:
      return undefined;
  }
}

function readUser(json: JsonReader): ForgeUser {
  return { id: json.at("id").id(), name: json.at("username").text() };
}

function readProject(json: JsonReader): ToldRepository {
  const urls = [json.at("git_http_url"), json.at("git_ssh_url"), json.at("web_url")].map((url) => url.textOr(""));
  return { path: json.at("path_with_namespace").text(), urls: urls.filter((url) => url !== "") };
}
