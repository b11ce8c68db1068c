// What is done with a host of Git repositories, whichever it is: pull requests, comments, statuses, issues.

export type ForgeKind = "github" | "gitlab" | "gitea" | "bitbucket-cloud" | "bitbucket-data-center" | "azure-devops";

/** Options of every call. */
export interface Call {
  readonly signal: AbortSignal;
}

export interface ForgeUser {
  /** Never changes; absent where only the name is known. */
  readonly id?: string | undefined;
  /** As it is mentioned: the login, nickname or unique name. */
  readonly name: string;
  /** A program's own account, where the provider tells: an app, or one that belongs to a token. */
  readonly isBot?: boolean | undefined;
}

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  /** For a browser. */
  readonly url: string;
  readonly author: ForgeUser;
  readonly state: "open" | "closed" | "merged";
  readonly draft: boolean;
  /** Empty where the provider has none. */
  readonly labels: readonly string[];
  readonly head: {
    /** All 40 digits. */
    readonly sha: string;
    /** Without `refs/heads/`. */
    readonly branch: string;
    /** Where the branch is; absent when its repository is gone or hidden. */
    readonly cloneUrl?: string | undefined;
    /** By which the head can be fetched from the repository of the base, so that nobody has to ask a fork. */
    readonly ref?: string | undefined;
  };
  readonly base: {
    /** What the provider compares with: the tip of the branch, or where the head left it. Absent in GitLab's lists. */
    readonly sha: string | undefined;
    readonly branch: string;
  };
  /** Whether the head is in another repository than the base. True when nobody knows. */
  readonly isFork: boolean;
}

export interface ForgeComment {
  /** Opaque: to be given back. */
  readonly id: string;
  readonly author: ForgeUser;
  readonly body: string;
  /** Which state of the comment this is, where changes have to name it. */
  readonly revision?: string | undefined;
  readonly url?: string | undefined;
  /** Milliseconds since the epoch, by the provider's clock. */
  readonly createdAt: number;
  /**
   * Whether its words may be others than at first: providers let people with rights change what others wrote. Some tell
   * of any change of the comment, and most not of one within the same second.
   */
  readonly isEdited: boolean;
}

export type KeepComment = (comment: ForgeComment) => boolean;

export type StatusState = "pending" | "success" | "failure" | "error";

export interface CommitStatus {
  /** Which status of the commit it is: a later one of the same context takes its place. */
  readonly context: string;
  readonly state: StatusState;
  /** Cut to what the provider keeps. */
  readonly description: string;
  readonly url?: string | undefined;
  /** For providers that show a status in a pull request only when it is said in which one. */
  readonly pullRequest?: PullRequest | undefined;
}

export interface CheckAnnotation {
  /** In the repository. */
  readonly path: string;
  /** From 1. */
  readonly startLine: number;
  readonly endLine?: number | undefined;
  readonly level: "notice" | "warning" | "failure";
  readonly title?: string | undefined;
  /** Plain text. */
  readonly message: string;
}

export type CheckConclusion = "pending" | "success" | "failure" | "neutral";

export interface Check {
  /** Which check of the commit it is: a later one of the same name takes its place. */
  readonly name: string;
  /** `pending`: it is being worked on. */
  readonly conclusion: CheckConclusion;
  /** One line. */
  readonly title: string;
  /** Markdown where the provider shows it so (`limits.check`). */
  readonly summary: string;
  readonly text?: string | undefined;
  readonly annotations: readonly CheckAnnotation[];
  readonly url?: string | undefined;
  readonly pullRequest?: PullRequest | undefined;
}

export interface PublishedCheck {
  readonly as: "check run" | "report" | "status";
  /** How many of the annotations stand on their lines, the first ones; a comment may list the others. */
  readonly annotations: number;
  readonly url?: string | undefined;
}

/** In order: each may do what those before it may. */
export const PERMISSIONS = ["none", "read", "write", "maintain", "admin"] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Whether `has` is at least `needed`. */
export function isPermitted(has: Permission, needed: Permission): boolean {
  return PERMISSIONS.indexOf(has) >= PERMISSIONS.indexOf(needed);
}

export interface ForgeIssue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: "open" | "closed";
  readonly author: ForgeUser;
  readonly url: string;
}

export interface NewIssue {
  readonly title: string;
  readonly body: string;
}

export interface IssueChange {
  readonly title?: string;
  readonly body?: string;
  /** `closed` closes, `open` opens again. */
  readonly state?: "open" | "closed";
}

export interface NewPullRequest {
  readonly title: string;
  readonly body: string;
  /** A branch of the same repository, already pushed. */
  readonly head: string;
  readonly base: string;
  readonly draft?: boolean;
}

/** seen: being worked on; done; refused: not permitted, or not understood. */
export type Reaction = "seen" | "done" | "refused";

export interface ForgeLimits {
  readonly comment: {
    readonly size: number;
    /** Characters are counted as JavaScript does (`length`), which is never fewer than the provider counts. */
    readonly unit: "characters" | "bytes";
  };
  /** In characters. */
  readonly statusDescription: number;
  readonly check: {
    readonly as: PublishedCheck["as"];
    /** In characters. */
    readonly summary: number;
    /** In characters; 0 where there is none. */
    readonly text: number;
    /** Whether summary and text are shown as Markdown. */
    readonly markdown: boolean;
    readonly annotationsPerCall: number;
    /** The others are left out. */
    readonly annotations: number;
    /** In characters. */
    readonly annotationMessage: number;
  };
  readonly markdown: {
    /** Whether tags are shown as what they mean; otherwise they are shown as text. */
    readonly html: boolean;
    /** `<details>` and `<summary>`. */
    readonly collapsible: boolean;
    readonly tables: boolean;
    /** `- [ ]` becomes a box. */
    readonly taskLists: boolean;
    /** What nobody sees: `<!-- x -->`, or `[//]: # (x)` where the former is shown. */
    readonly hidden: "html comment" | "link definition";
    /** Whether a line of ours that begins with `/` is done as a command, with our rights. */
    readonly quickActions: boolean;
  };
  /** Whether `findIssues` and what is beside it work; otherwise they throw `forge-unsupported`. */
  readonly issues: boolean;
  /** Whether `react` leaves a sign; otherwise it does nothing. */
  readonly reactions: boolean;
}

/**
 * One repository at its provider. Every method may throw the errors of `errors.ts`, and what its signal aborts with.
 * Lists are whole: all pages, or an error.
 */
export interface Forge {
  readonly kind: ForgeKind;
  /** `GitHub`, `GitLab` and so on, for messages. */
  readonly provider: string;
  /** Of the repository: `owner/name`. */
  readonly repository: string;
  /** For a browser, without a slash at the end. */
  readonly url: string;
  readonly limits: ForgeLimits;

  /** Whose credentials these are; asked once. */
  whoAmI(call: Call): Promise<ForgeUser>;
  /** What a user may do here. `none` also for those who may only read what everybody may, where the provider does not tell. */
  permissionOf(user: ForgeUser, call: Call): Promise<Permission>;

  pullRequest(number: number, call: Call): Promise<PullRequest>;
  openPullRequests(call: Call): Promise<readonly PullRequest[]>;
  /** The open one whose head is a branch of this repository. */
  findPullRequest(headBranch: string, call: Call): Promise<PullRequest | undefined>;
  /** The open one of the same head when there is one, unchanged. Title and body are cut to what the provider keeps. */
  createPullRequest(pullRequest: NewPullRequest, call: Call): Promise<PullRequest>;

  /**
   * Those that stand in the conversation, oldest first, without what the system wrote. Those that are not to be kept are
   * left out as they are read: anybody may have written many long ones.
   */
  comments(pullRequest: number, call: Call, keep?: KeepComment): Promise<readonly ForgeComment[]>;
  /** Once, also when the answer got lost on its way. */
  createComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment>;
  /** Throws `forge-not-found` when somebody deleted it. */
  updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment>;
  /** Nothing to do counts as done. */
  deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void>;
  /** A sign on a comment, for who wrote it. Without effect where there are no such signs. */
  react(pullRequest: number, commentId: string, reaction: Reaction, call: Call): Promise<void>;

  setStatus(sha: string, status: CommitStatus, call: Call): Promise<void>;
  /**
   * Publishes a check in the best form that the provider and the credentials allow: at the least, a status.
   * The same check twice is one.
   */
  publishCheck(sha: string, check: Check, call: Call): Promise<PublishedCheck>;

  /** Issues of our own whose body has the marker (`marker.ts`), open ones first, then the oldest. */
  findIssues(marker: string, call: Call): Promise<readonly ForgeIssue[]>;
  createIssue(issue: NewIssue, call: Call): Promise<ForgeIssue>;
  updateIssue(number: number, change: IssueChange, call: Call): Promise<ForgeIssue>;

  /** Ends connections. */
  close(): void;
}

/** Of a `ForgeUser`, where it is a program's account. */
export function botIf(isBot: boolean): Pick<ForgeUser, "isBot"> {
  return isBot ? { isBot } : {};
}

/** Whether two are the same person or program. */
export function isSameUser(a: ForgeUser, b: ForgeUser): boolean {
  if (a.id !== undefined && b.id !== undefined) return a.id === b.id;
  return a.name.toLowerCase() === b.name.toLowerCase();
}
