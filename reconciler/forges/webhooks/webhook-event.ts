// What a provider tells, in the same words for all of them.
import type { ForgeUser } from "../forge.ts";

export interface ToldRepository {
  /** As `RepositoryAddress.path`, joined by slashes. */
  readonly path: string;
  /** By which it can be cloned or looked at, as far as they were told. */
  readonly urls: readonly string[];
}

export type PullRequestAction =
  | "opened"
  /** There are other commits now. Where a provider does not say what changed, this is what it may be. */
  | "synchronised"
  | "reopened"
  | "closed"
  | "labelled"
  /** Title, draft or base are others. */
  | "edited";

export interface PushedBranch {
  readonly name: string;
  /** Absent: it is new. */
  readonly before: string | undefined;
  /** Absent: it is gone. */
  readonly after: string | undefined;
}

interface Delivery {
  /** The same when it is delivered again; empty where the provider gives none. */
  readonly deliveryId: string;
}

/** Something to act upon. What it says of a pull request is a hint: its state is read again from the provider. */
export type WebhookEvent = Delivery &
  (
    | {
        readonly type: "pull request";
        readonly action: PullRequestAction;
        readonly number: number;
        /** Of the head; may be shortened. */
        readonly sha: string | undefined;
        readonly repository: ToldRepository;
        readonly sender: ForgeUser | undefined;
      }
    | {
        /** New, and on a pull request. Changed comments are no commands: anybody with rights could change another's words. */
        readonly type: "comment";
        readonly number: number;
        readonly comment: { readonly id: string; readonly body: string; readonly author: ForgeUser };
        readonly repository: ToldRepository;
      }
    | {
        readonly type: "push";
        readonly branches: readonly PushedBranch[];
        /** Names of those that came, moved or went. */
        readonly tags: readonly string[];
        readonly repository: ToldRepository;
      }
    | { readonly type: "ping" }
  );

export type WebhookOutcome =
  | WebhookEvent
  /** Genuine, and nothing to do: answer 200. */
  | { readonly type: "ignored"; readonly reason: string }
  /** Answer with this status, and do nothing. */
  | { readonly type: "refused"; readonly status: 400 | 401 | 413; readonly reason: string };

/** Whether a delivery is about this repository: providers do not tell capital letters apart. */
export function isAbout(told: ToldRepository, forge: { readonly repository: string }): boolean {
  return told.path.toLowerCase() === forge.repository.toLowerCase();
}

/** A commit's name, unless it is the one of no commit. */
function shaOf(text: string): string | undefined {
  return /^0*$/.test(text) ? undefined : text;
}

/** `main` of `refs/heads/main`; `undefined` for tags and others. */
function branchOf(ref: string): string | undefined {
  return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : undefined;
}

/** What a push is about, by the full names of what it changed. */
export function readPush(
  refs: readonly { readonly ref: string; readonly before: string; readonly after: string }[],
  told: { readonly repository: ToldRepository; readonly deliveryId: string },
): WebhookOutcome {
  const branches = refs.flatMap(({ ref, before, after }) => {
    const name = branchOf(ref);
    return name === undefined ? [] : [{ name, before: shaOf(before), after: shaOf(after) }];
  });
  const tags = refs.flatMap(({ ref }) => (ref.startsWith("refs/tags/") ? [ref.slice("refs/tags/".length)] : []));
  if (branches.length + tags.length === 0) return { type: "ignored", reason: "no branch and no tag was pushed" };
  return { type: "push", branches, tags, ...told };
}
