// https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/ and Data Center's "Event payload".
import type { ForgeUser } from "../forge.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { type PullRequestAction, readPush, type ToldRepository, type WebhookOutcome } from "./webhook-event.ts";

const CLOUD: Readonly<Record<string, PullRequestAction>> = {
  "pullrequest:created": "opened",
  // A push, or another title: it does not say.
  "pullrequest:updated": "synchronised",
  "pullrequest:fulfilled": "closed",
  "pullrequest:rejected": "closed",
};

const DATA_CENTER: Readonly<Record<string, PullRequestAction>> = {
  "pr:opened": "opened",
  "pr:from_ref_updated": "synchronised",
  "pr:to_ref_updated": "synchronised",
  "pr:modified": "edited",
  "pr:reopened": "reopened",
  "pr:merged": "closed",
  "pr:declined": "closed",
  "pr:deleted": "closed",
};

export function readBitbucketCloudEvent(event: string, deliveryId: string, json: JsonReader): WebhookOutcome {
  const pull = json.at("pullrequest");
  const action = Object.hasOwn(CLOUD, event) ? CLOUD[event] : undefined;
  if (action !== undefined) {
    return {
      type: "pull request",
      action,
      number: pull.at("id").number(),
      sha: pull.at("source", "commit", "hash").textOr(undefined),
      repository: readCloudRepository(json.at("repository")),
      sender: json.at("actor", "uuid").exists ? readCloudUser(json.at("actor")) : undefined,
      deliveryId,
    };
  }
  if (event === "pullrequest:comment_created") {
    const comment = json.at("comment");
    return {
      type: "comment",
      number: pull.at("id").number(),
      comment: {
        id: comment.at("id").id(),
        body: comment.at("content", "raw").textOr(""),
        author: readCloudUser(comment.at("user")),
      },
      repository: readCloudRepository(json.at("repository")),
      deliveryId,
    };
  }
  if (event === "repo:push") {
    const refs = json
      .at("push", "changes")
      .items()
      .map((change) => ({ before: change.at("old"), after: change.at("new") }))
      .map(({ before, after }) => {
        const told = after.exists ? after : before;
        return {
          ref: refOf(told.at("type"), told.at("name")),
          before: before.at("target", "hash").textOr(""),
          after: after.at("target", "hash").textOr(""),
        };
      });
    return readPush(refs, { repository: readCloudRepository(json.at("repository")), deliveryId });
  }
  return { type: "ignored", reason: `nothing follows from the event ${JSON.stringify(event.slice(0, 60))}` };
}

export function readDataCenterEvent(event: string, deliveryId: string, json: JsonReader): WebhookOutcome {
  if (event === "diagnostics:ping") return { type: "ping", deliveryId };
  const pull = json.at("pullRequest");
  const action = Object.hasOwn(DATA_CENTER, event) ? DATA_CENTER[event] : undefined;
  if (action !== undefined) {
    return {
      type: "pull request",
      action,
      number: pull.at("id").number(),
      sha: pull.at("fromRef", "latestCommit").textOr(undefined),
      repository: readDataCenterRepository(pull.at("toRef", "repository")),
      sender: json.at("actor", "name").exists ? readDataCenterUser(json.at("actor")) : undefined,
      deliveryId,
    };
  }
  if (event === "pr:comment:added") {
    const comment = json.at("comment");
    return {
      type: "comment",
      number: pull.at("id").number(),
      comment: {
        id: comment.at("id").id(),
        body: comment.at("text").textOr(""),
        author: readDataCenterUser(comment.at("author")),
      },
      repository: readDataCenterRepository(pull.at("toRef", "repository")),
      deliveryId,
    };
  }
  if (event === "repo:refs_changed") {
    const refs = json
      .at("changes")
      .items()
      .map((change) => ({
        ref: refOf(change.at("ref", "type"), change.at("ref", "displayId")),
        before: change.at("fromHash").textOr(""),
        after: change.at("toHash").textOr(""),
      }));
    return readPush(refs, { repository: readDataCenterRepository(json.at("repository")), deliveryId });
  }
  return { type: "ignored", reason: `nothing follows from the event ${JSON.stringify(event.slice(0, 60))}` };
}

/** The full name of what Bitbucket tells by type and short name; empty for what is neither branch nor tag. */
function refOf(type: JsonReader, name: JsonReader): string {
  switch (type.textOr("").toLowerCase()) {
    case "branch":
      return `refs/heads/${name.text()}`;
    case "tag":
      return `refs/tags/${name.text()}`;
    default:
      return "";
  }
}

/** Nicknames are not unique: the id is what counts. */
function readCloudUser(json: JsonReader): ForgeUser {
  return { id: json.at("uuid").text(), name: json.at("nickname").textOr(json.at("display_name").textOr("unknown")) };
}

function readCloudRepository(json: JsonReader): ToldRepository {
  const url = json.at("links", "html", "href").textOr("");
  return { path: json.at("full_name").text(), urls: url === "" ? [] : [url] };
}

function readDataCenterUser(json: JsonReader): ForgeUser {
  return { id: json.at("id").id(), name: json.at("name").text() };
}

function readDataCenterRepository(json: JsonReader): ToldRepository {
  const links = [...json.at("links", "clone").items(), ...json.at("links", "self").items()];
  const urls = links.map((link) => link.at("href").textOr("")).filter((url) => url !== "");
  return { path: `${json.at("project", "key").text()}/${json.at("slug").text()}`, urls };
}
