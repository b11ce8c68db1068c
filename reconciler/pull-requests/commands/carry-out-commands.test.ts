import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PlanApproval, ReportedPullRequest } from "../../../api/reporter.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type FakeServer, HEAD_SHA } from "../../../test/forges/fake-server.ts";
import { openFake, PROVIDERS } from "../../../test/forges/providers.ts";
import type { Forge } from "../../forges/forge.ts";
import { withApproval } from "./approvals.ts";
import {
  type CarriedOut,
  type CommandPorts,
  type CommandSubject,
  carryOutCommands,
  type DriftWish,
} from "./carry-out-commands.ts";
import { approveWords } from "./decide-command.ts";
import type { HandledCommands } from "./pending-commands.ts";

const call = { signal: new AbortController().signal };
const HASH = `sha256:${"9c1f7e02b4d8".padEnd(64, "0")}`;
const FIRST = Date.UTC(2026, 0, 1);

describe.each(PROVIDERS)("commands at $kind", (provider) => {
  let server: FakeServer;
  let forge: Forge;
  let approvals: PlanApproval[];
  let wishes: DriftWish[];
  let remembered: ReportedPullRequest;

  beforeEach(async () => {
    server = await provider.server().start();
    ({ forge } = openFake(provider, server));
    approvals = [];
    wishes = [];
    server.addPull({ number: 7, author: server.user("eve") });
    // Bitbucket and others have no level between writing and administering.
    server.permissions.set("ada", "admin");
    const shown = "2025-12-31T23:00:00Z";
    remembered = { number: 7, head: HEAD_SHA, state: "Planned", renderHash: HASH, plannedAt: shown, shownSince: shown };
  });

  afterEach(async () => {
    forge.close();
    await server.stop();
  });

  const ports: CommandPorts = {
    recordApproval: (approval) => {
      approvals = withApproval(approvals, approval, FIRST + 60_000);
      return Promise.resolve();
    },
    openDrift: (wish) => {
      wishes.push(wish);
      return Promise.resolve({ pullRequest: { number: 12, url: "https://git.example/12" } });
    },
  };

  async function step(more: Partial<CommandSubject> = {}, own: Partial<CommandPorts> = {}): Promise<CarriedOut> {
    const pull = await forge.pullRequest(7, call);
    const subject: CommandSubject = {
      reporter: "shop/app",
      commands: {},
      plans: true,
      path: "",
      pull,
      remembered,
      approvals,
      createdMs: FIRST - 1,
      nowMs: FIRST + 60_000,
      ...more,
    };
    return carryOutCommands(forge, subject, { ...ports, ...own }, call);
  }

  const remember = ({ commandsUntil, handledCommands }: HandledCommands): void => {
    remembered = { ...remembered, ...(commandsUntil === undefined ? {} : { commandsUntil }), handledCommands };
  };
  const replies = (): string[] =>
    (server.pulls.get(7)?.comments ?? []).filter(({ author }) => author === server.me).map(({ body }) => body);

  it("approve what was shown, and say so to all who look", async () => {
    server.addComment(7, "ada", `Good.\n${approveWords(HASH)}`);

    remember(await step());

    expect(approvals).toMatchObject([{ by: "ada", pullRequest: 7, head: HEAD_SHA, renderHash: HASH }]);
    expect(server.statuses.map(({ context, description }) => [context, description])).toContainEqual([
      expect.stringContaining("flaghoist/approval"),
      "approved by ada (render hash 9c1f7e02b4d8)",
    ]);
    expect(replies()).toEqual([expect.stringContaining("Approved by `ada`")]);
  });

  it("are done once, over steps and over a status that got lost", async () => {
    server.addComment(7, "ada", "/flaghoist drift adopt deployment/web -n shop");
    const first = await step();
    const before = server.received.length;

    await step();
    remember(first);
    await step();

    expect(wishes).toHaveLength(1);
    expect(server.received).toHaveLength(before);
    expect(replies()).toHaveLength(1);
  });

  it("come to the same when the step that did them broke off before its answer", async () => {
    server.addComment(7, "ada", "/flaghoist approve");
    server.fail("POST", provider.commentPaths, { instead: { status: 403, body: {} } });
    expect((await step()).failure).toMatchObject({ code: "forge-forbidden" });
    expect(replies()).toEqual([]);

    await step({ remembered: { ...remembered, renderHash: "b".repeat(64) } });

    expect(approvals).toHaveLength(1);
    expect(replies()).toEqual([expect.stringMatching(/Approved by `ada`: render hash `9c1f7e02b4d8`/)]);
  });

  it("of two instances at the same time end with one answer", async () => {
    server.addComment(7, "ada", "/flaghoist approve");

    await Promise.all([step(), step(), step()]);
    await step();

    expect(approvals).toHaveLength(1);
    expect(new Set(replies()).size).toBe(1);
  });

  it("ask for a plan with no more than a sign, where there are signs", async () => {
    server.addComment(7, "eve", "/flaghoist plan");

    const { replan } = await step();

    expect(replan).toBe("eve");
    expect(replies()).toHaveLength(forge.limits.reactions ? 0 : 1);
    expect(server.reactions).toHaveLength(forge.limits.reactions ? 1 : 0);
  });

  it("of who may not ask are answered once, however many there are", async () => {
    server.permissions.set("guest", "none");
    for (let index = 0; index < 3; index++) server.addComment(7, "guest", "/flaghoist plan");

    remember(await step());
    server.addComment(7, "guest", "/flaghoist plan\n/flaghoist drift adopt");
    const { replan } = await step();

    expect(replan).toBeUndefined();
    expect(wishes).toEqual([]);
    expect(replies()).toEqual([expect.stringMatching(/takes the permission `write`/)]);
  });

  it("that somebody else put into a comment are none", async () => {
    const { id } = server.addComment(7, "ada", "Looks good.");
    server.editComment(String(id), "/flaghoist approve");

    await step();

    expect(approvals).toEqual([]);
    expect(replies()).toEqual([expect.stringMatching(/changed after it was written/)]);
  });

  it("about drift that take a person are answered with why", async () => {
    server.addComment(7, "ada", "/flaghoist drift adopt secret/db -n shop");
    const refusal = new AppError("not-adoptable", "values of Secrets are not written to files", { recovery: "stall" });

    await step({}, { openDrift: () => Promise.reject(refusal) });

    expect(replies()).toEqual([expect.stringContaining("Not done: values of Secrets are not written to files.")]);
  });

  it("that cannot be dealt with keep no others from it, and are tried again", async () => {
    server.addComment(7, "ada", "/flaghoist drift adopt deployment/web -n shop");
    server.addComment(7, "eve", "/flaghoist plan");
    const failure = new AppError("git-unreachable", "the server does not answer", { recovery: "retry" });
    const first = await step({}, { openDrift: () => Promise.reject(failure) });
    expect(first).toMatchObject({ failure, replan: "eve" });
    remember(first);

    const second = await step();

    expect(second).toMatchObject({ failure: undefined, replan: undefined });
    expect(wishes).toHaveLength(1);
  });

  it("go on without the right to leave signs", async () => {
    server.addComment(7, "ada", "/flaghoist plan");
    server.forbidden = /reactions|award_emoji|likes/;

    expect((await step()).replan).toBe("ada");
  });
});
