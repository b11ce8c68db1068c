// From changed files to an open pull request: a branch that is named for what it changes, so that the same change finds
// the same branch and the same pull request.
import { createHash } from "node:crypto";
import type { Clock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type EditedCommit, editCommit } from "../../../sources/git/edit-commit.ts";
import { ObjectStore } from "../../../sources/git/object-store.ts";
import type { Person } from "../../../sources/git/objects.ts";
import { pushCommit } from "../../../sources/git/push-commit.ts";
import type { FetchedRevision, GitRepository } from "../../../sources/git/revision.ts";
import type { Call, Forge, PullRequest } from "../../forges/forge.ts";
import type { GitAccess } from "../../forges/git-access.ts";

export interface ChangeToOpen {
  readonly files: ReadonlyMap<string, string>;
  /** What `files` change. */
  readonly base: FetchedRevision;
  readonly baseBranch: string;
  /** For the name of the branch: `adopt-web`. */
  readonly stem: string;
  readonly title: string;
  readonly body: string;
  readonly message: string;
}

export interface ChangeHost {
  readonly forge: Forge;
  /** The repository that `base` was fetched from. */
  readonly repository: GitRepository;
  readonly push: (call: Call) => Promise<GitAccess>;
  readonly clock: Clock;
}

/** created: the pull request is new; unchanged: it was open already. */
export interface OpenedChange {
  readonly outcome: "created" | "unchanged";
  readonly pullRequest: PullRequest;
}

/** Branches of one name that others have put something else on. */
const MOST_BRANCHES = 5;

/**
 * Pushes nothing where a pull request with this content is open. A branch that is there is never changed: where something
 * else is on it, or it began at another state of the base branch and nobody has opened it, a further name is taken.
 */
export async function openChange(host: ChangeHost, change: ChangeToOpen, call: Call): Promise<OpenedChange> {
  const { clock, forge, push, repository } = host;
  const { base, baseBranch, body, files, title } = change;
  const author = await authorOf(forge, clock, call);
  const commit = commitOf(change, author);
  const access = await push(call);
  for (let number = 1; number <= MOST_BRANCHES; number++) {
    const branch = branchName(change, number);
    try {
      await pushCommit({ ...access, branch, commit, signal: call.signal });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "git-branch-exists") throw error;
      const there = await repository.fetchRevision({ branch }, { signal: call.signal });
      if (!hasFiles(there, files)) continue;
      const open = await forge.findPullRequest(branch, call);
      if (open?.base.branch === baseBranch) return { outcome: "unchanged", pullRequest: open };
      // Whoever pushed it did not come to open it, or somebody closed it.
      if (!there.details.parents.includes(base.commit)) continue;
    }
    const pullRequest = await forge.createPullRequest({ title, body, head: branch, base: baseBranch }, call);
    return { outcome: "created", pullRequest };
  }
  throw new AppError(
    "drift-branches-taken",
    `the branches ${branchName(change, 1)} to ${branchName(change, MOST_BRANCHES)} of ${forge.repository} hold something else: delete those that nobody needs`,
    { recovery: "stall" },
  );
}

function commitOf({ base, files, message }: ChangeToOpen, author: Person): EditedCommit {
  const store = new ObjectStore(base.tree.location.objectsDirectory);
  try {
    return editCommit(store, { parent: base.commit, treeId: base.tree.treeId, files, message, author });
  } finally {
    store.close();
  }
}

/** Equal for equal contents on the same branch. */
function branchName({ baseBranch, files, stem }: ChangeToOpen, number: number): string {
  const content = JSON.stringify([baseBranch, [...files].sort(([a], [b]) => (a < b ? -1 : 1))]);
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const name = stem
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `flaghoist/drift-${name}-${digest}${number === 1 ? "" : `-${number}`}`;
}

function hasFiles(there: FetchedRevision, files: ReadonlyMap<string, string>): boolean {
  return [...files].every(([path, text]) => {
    const bytes = there.tree.read(path);
    return bytes !== undefined && new TextDecoder().decode(bytes) === text;
  });
}

/** Whose credentials push is who made the commit, by an address that nobody reads. */
async function authorOf(forge: Forge, clock: Clock, call: Call): Promise<Person> {
  const { id, name } = await forge.whoAmI(call);
  const host = new URL(forge.url).hostname;
  // GitHub knows its users by this form of it.
  const local = forge.kind === "github" && id !== undefined ? `${id}+${name}` : name;
  return { name, email: `${local.replace(/[^\w.+\-[\]]+/g, "-")}@users.noreply.${host}`, timeMs: clock.now() };
}
