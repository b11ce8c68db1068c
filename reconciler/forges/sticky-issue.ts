import { titleOf } from "./cut-text.ts";
import type { Call, Forge, ForgeIssue, IssueChange } from "./forge.ts";
import { isSameBody, markedBody } from "./marker.ts";

export interface WantedIssue {
  readonly marker: string;
  readonly title: string;
  /** Without marker; at most `commentRoom` long, else `forge-comment-too-long` is thrown. */
  readonly body: string;
  /** A closed one that does not exist is not created. */
  readonly state: "open" | "closed";
}

export interface StickyIssue {
  readonly outcome: "created" | "updated" | "reopened" | "closed" | "unchanged";
  readonly issue: ForgeIssue | undefined;
}

type Issues = Pick<Forge, "limits" | "repository" | "findIssues" | "createIssue" | "updateIssue">;

/**
 * Makes sure that the repository has one open issue of ours with this marker that says this, or none that is open.
 * An open one is preferred to a closed one, which is opened again, and of several the oldest; other open ones are closed.
 */
export async function publishStickyIssue(forge: Issues, wanted: WantedIssue, call: Call): Promise<StickyIssue> {
  const { marker, state } = wanted;
  const title = titleOf(wanted.title);
  const body = markedBody(forge.limits, marker, wanted.body, `the issue of ${forge.repository}`);
  let created = false;
  let found = await forge.findIssues(marker, call);
  if (found.length === 0) {
    if (state === "closed") return { outcome: "unchanged", issue: undefined };
    const issue = await forge.createIssue({ title, body }, call);
    created = true;
    // Another instance may have done the same meanwhile. A list that lags behind is no reason to create another.
    found = await forge.findIssues(marker, call);
    if (found.length === 0) found = [issue];
  }
  const [kept, ...others] = found;
  if (kept === undefined) return { outcome: "unchanged", issue: undefined };
  for (const other of others) {
    if (other.state === "open") await forge.updateIssue(other.number, { state: "closed" }, call);
  }
  const change: IssueChange = {
    ...(kept.title === title ? {} : { title }),
    ...(isSameBody(kept.body, body) ? {} : { body }),
    ...(kept.state === state ? {} : { state }),
  };
  if (Object.keys(change).length === 0) return { outcome: created ? "created" : "unchanged", issue: kept };
  const issue = await forge.updateIssue(kept.number, change, call);
  if (created) return { outcome: "created", issue };
  return { outcome: change.state === undefined ? "updated" : state === "closed" ? "closed" : "reopened", issue };
}
