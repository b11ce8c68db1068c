import { describe, expect, it } from "vitest";
import type { ReportedPullRequest } from "../../../api/reporter.ts";
import type { ForgeComment, Permission, PullRequest } from "../../forges/forge.ts";
import { approveWords, type CommandSituation, decideCommand, READING_MS } from "./decide-command.ts";
import { type GivenCommand, parseCommands } from "./parse-commands.ts";

const HEAD = "1".repeat(40);
const DIGITS = `9c1f7e02b4d8${"a".repeat(52)}`;
const HASH = `sha256:${DIGITS}`;
const SHOWN = Date.UTC(2026, 10, 29, 9, 0);

const pull: PullRequest = {
  number: 7,
  title: "Two regions",
  url: "https://git.example/7",
  author: { id: "1", name: "eve" },
  state: "open",
  draft: false,
  labels: [],
  head: { sha: HEAD, branch: "two-regions" },
  base: { sha: "2".repeat(40), branch: "main" },
  isFork: false,
};

const planned: ReportedPullRequest = {
  number: 7,
  head: HEAD,
  state: "Planned",
  renderHash: HASH,
  plannedAt: "2026-11-29T09:00:00Z",
  shownSince: "2026-11-29T09:00:00Z",
  syncs: [{ namespace: "shop", name: "apps", digest: "d1" }],
};

const ada: ForgeComment = {
  id: "31",
  author: { id: "2", name: "ada" },
  body: "",
  createdAt: SHOWN + READING_MS,
  isEdited: false,
};

function situation(more: Partial<CommandSituation> = {}): CommandSituation {
  return {
    reporter: "shop/app",
    commands: {},
    plans: true,
    pull,
    remembered: planned,
    approvals: [],
    comment: ada,
    permission: "maintain",
    ...more,
  };
}

function decide(line: string, more: Partial<CommandSituation> = {}) {
  const [command] = parseCommands(line);
  return decideCommand(command as GivenCommand, situation(more));
}

const written = (atMs: number): Partial<CommandSituation> => ({ comment: { ...ada, createdAt: atMs } });

describe("an approval", () => {
  it("is of what was rendered, with who gave it where", () => {
    expect(decide("/flaghoist approve")).toEqual({
      do: "approve",
      approval: {
        at: "2026-11-29T09:00:10Z",
        by: "ada",
        comment: "31",
        head: HEAD,
        pullRequest: 7,
        renderHash: HASH,
        syncs: [{ namespace: "shop", name: "apps", digest: "d1" }],
      },
    });
  });

  it("may name the hash by its first digits, and is of the whole of it", () => {
    expect(decide(`/flaghoist approve ${DIGITS.slice(0, 12)}`)).toMatchObject({
      do: "approve",
      approval: { renderHash: HASH },
    });
  });

  it("of another hash than the present one is refused", () => {
    expect(decide(`/flaghoist approve ${"b".repeat(12)}`)).toEqual({
      refuse: expect.stringMatching(/render hash `9c1f7e02b4d8` by now, not `bbbbbbbbbbbb`/),
    });
  });

  it.each(["/flaghoist approve", `/flaghoist approve ${DIGITS.slice(0, 12)}`])(
    "%s is refused when the plan was another while it was written",
    (line) => {
      const refused = {
        refuse: `the plan changed while this was written: read it, and write \`${approveWords(HASH)}\``,
      };

      expect(decide(line, written(SHOWN - 1000))).toEqual(refused);
      expect(decide(line, written(SHOWN + READING_MS - 1))).toEqual(refused);
      expect(decide(line, { remembered: { ...planned, shownSince: "never" } })).toEqual(refused);
    },
  );

  it("in the words of the plan's comment counts whenever it was written, as nobody can make another plan match", () => {
    expect(approveWords(HASH)).toBe(`/flaghoist approve ${DIGITS.slice(0, 32)}`);
    expect(decide(approveWords(HASH), written(SHOWN - 60_000))).toMatchObject({ do: "approve" });
  });

  it("is refused before the head is planned", () => {
    const moved = { pull: { ...pull, head: { ...pull.head, sha: "3".repeat(40) } } };

    expect(decide(approveWords(HASH), moved)).toEqual({
      refuse: expect.stringMatching(/`3333333` is not planned yet/),
    });
    expect(decide("/flaghoist approve", { remembered: undefined })).toEqual({
      refuse: expect.stringMatching(/not planned yet/),
    });
  });

  it("of a head without a plan is refused", () => {
    const { renderHash: _, ...refused } = planned;

    expect(decide("/flaghoist approve", { remembered: refused })).toEqual({
      refuse: expect.stringMatching(/no plan of commit/),
    });
    expect(decide("/flaghoist approve", { remembered: { ...planned, state: "Failed" } })).toMatchObject({
      refuse: expect.stringMatching(/no plan of commit/),
    });
  });

  it("of a plan that is being made is refused, with what is waited for", () => {
    const making = { ...planned, state: "Waiting", message: "the plan is being made" } as const;

    expect(decide("/flaghoist approve", { remembered: making })).toEqual({
      refuse: "there is no plan of commit `1111111` that could be approved: the plan is being made",
    });
  });

  it("of one's own pull request is refused, unless the Reporter says otherwise", () => {
    const own = { comment: { ...ada, author: pull.author } };

    expect(decide("/flaghoist approve", own)).toEqual({ refuse: expect.stringMatching(/selfApproval/) });
    expect(decide("/flaghoist approve", { ...own, commands: { selfApproval: true } })).toMatchObject({ do: "approve" });
    expect(decide("/flaghoist plan", own)).toMatchObject({ do: "plan" });
  });

  it("that was recorded before a restart is the same still, whatever moved meanwhile", () => {
    const first = decide("/flaghoist approve");
    if (!("do" in first) || first.do !== "approve") throw new Error("not approved");

    const again = { approvals: [first.approval], remembered: { ...planned, head: "3".repeat(40) } };

    expect(decide("/flaghoist approve", again)).toEqual(first);
  });
});

describe("permissions", () => {
  it.each<[string, Permission, boolean]>([
    ["/flaghoist approve", "maintain", true],
    ["/flaghoist approve", "write", false],
    ["/flaghoist plan", "write", true],
    ["/flaghoist plan", "read", false],
    ["/flaghoist help", "read", false],
    ["/flaghoist drift adopt deployment/web", "none", false],
    ["/flaghoist nonsense", "none", false],
  ])("%s with %s is done: %s", (line, permission, isDone) => {
    const decision = decide(line, { permission });

    expect("stranger" in decision).toBe(!isDone);
  });

  it("are what the Reporter says", () => {
    const commands = { approve: "admin", permission: "read" } as const;

    expect(decide("/flaghoist plan", { commands, permission: "read" })).toMatchObject({ do: "plan" });
    expect(decide("/flaghoist approve", { commands, permission: "maintain" })).toEqual({
      refuse:
        "approving takes the permission `admin` in the repository, and `ada` has the permission `maintain` (`spec.commands.approve` of Reporter `shop/app`)",
      stranger: true,
    });
  });
});

describe("a comment", () => {
  it("that was changed is no command, whoever wrote it", () => {
    expect(decide("/flaghoist approve", { comment: { ...ada, isEdited: true }, permission: "admin" })).toEqual({
      refuse: expect.stringMatching(/changed after it was written.*write a new one/),
    });
  });

  it("in a pull request that is merged asks for nothing any more", () => {
    expect(decide("/flaghoist approve", { pull: { ...pull, state: "merged" } })).toEqual({
      refuse: "the pull request is merged",
    });
  });

  it("that is not understood is answered with what to write", () => {
    expect(decide("/flaghoist Plan")).toEqual({ refuse: "did you mean `/flaghoist plan`?" });
  });
});

describe("a plan", () => {
  const moved = { ...pull, head: { ...pull.head, sha: "3".repeat(40) } };

  it("is asked for in somebody's name", () => {
    expect(decide("/flaghoist plan")).toEqual({ do: "plan", requestedBy: "ada" });
  });

  it("of a commit that is no longer the head is refused", () => {
    expect(decide("/flaghoist plan 1111111")).toMatchObject({ do: "plan" });
    expect(decide("/flaghoist plan 1111111", { pull: moved })).toEqual({
      refuse: expect.stringMatching(/head is `3333333` by now/),
    });
  });

  it("of a fork is of the head that was looked at", () => {
    const fork = { ...pull, isFork: true };
    const waiting: ReportedPullRequest = { number: 7, head: HEAD, state: "Waiting" };

    expect(decide("/flaghoist plan", { pull: fork, remembered: waiting })).toMatchObject({ do: "plan" });
    expect(decide("/flaghoist plan", { pull: { ...moved, isFork: true }, remembered: waiting })).toEqual({
      refuse: expect.stringMatching(/moved while it was asked for: .*`\/flaghoist plan 333333333333`/),
    });
  });

  it("is refused where none are made", () => {
    expect(decide("/flaghoist plan", { plans: false })).toEqual({ refuse: expect.stringMatching(/spec.pullRequests/) });
  });
});

describe("drift", () => {
  it("is adopted or ignored as it was said", () => {
    expect(decide("/flaghoist drift ignore deploy/web -n shop --field spec.replicas")).toEqual({
      do: "drift",
      action: "ignore",
      object: { kind: "deploy", name: "web", namespace: "shop" },
      field: "spec.replicas",
      clusters: undefined,
    });
  });
});
