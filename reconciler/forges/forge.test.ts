// What holds for every provider, over servers that behave as documented.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AppError } from "../../runtime/errors.ts";
import { type FakeServer, HEAD_SHA, TOKEN } from "../../test/forges/fake-server.ts";
import { type Opened, openFake, PROVIDERS } from "../../test/forges/providers.ts";
import { type Call, type Forge, isPermitted } from "./forge.ts";
import { commentRoom, markerLine, withMarker } from "./marker.ts";
import { publishStickyComment } from "./sticky-comment.ts";
import { publishStickyIssue } from "./sticky-issue.ts";

const call: Call = { signal: new AbortController().signal };
const MARKER = "plan shop/apps";

describe.each(PROVIDERS)("a forge at $kind", (provider) => {
  let server: FakeServer;
  let opened: Opened;
  let forge: Forge;

  beforeEach(async () => {
    server = await provider.server().start();
    opened = openFake(provider, server);
    forge = opened.forge;
  });
  afterEach(async () => {
    forge.close();
    await server.stop();
  });

  const bodies = (number: number) => server.pulls.get(number)?.comments.map(({ body }) => body);
  const failure = (act: Promise<unknown>): Promise<AppError> =>
    act.then(
      () => expect.unreachable("it did not fail"),
      (error) => error,
    );

  describe("pull requests", () => {
    it("are read with what a plan needs", async () => {
      server.addPull({ number: 7, title: "More replicas" });

      const pull = await forge.pullRequest(7, call);

      expect(pull).toMatchObject({ number: 7, title: "More replicas", state: "open", draft: false, isFork: false });
      expect(pull.author.name).toBe("ada");
      expect(pull.head).toMatchObject({ sha: HEAD_SHA, branch: "feature-7" });
      expect(pull.base.branch).toBe("main");
      expect(pull.url).toMatch(/^http:.*7/);
    });

    it("tell a fork from a branch of the repository", async () => {
      server.addPull({ number: 8, fork: true });

      expect((await forge.pullRequest(8, call)).isFork).toBe(true);
    });

    it.each(["closed", "merged"] as const)("are told to be %s", async (state) => {
      server.addPull({ number: 9, state });

      expect((await forge.pullRequest(9, call)).state).toBe(state);
    });

    it("are all listed while they are open, over all pages", async () => {
      for (let number = 1; number <= 8; number++) server.addPull({ number, state: number === 5 ? "closed" : "open" });

      const open = await forge.openPullRequests(call);

      expect(open.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 6, 7, 8]);
    });

    it("that do not exist are named in the error", async () => {
      const error = await failure(forge.pullRequest(404, call));

      expect(error.code).toBe("forge-not-found");
      expect(error.message).toMatch(/read (?:pull|merge) request 404/);
      expect(error.message).toContain(forge.repository);
    });

    it("are opened once for a branch", async () => {
      const wanted = { title: "Adopt drift", body: "as it is live", head: "drift", base: "main" };

      const first = await forge.createPullRequest(wanted, call);
      const second = await forge.createPullRequest(wanted, call);

      expect(second.number).toBe(first.number);
      expect((await forge.findPullRequest("drift", call))?.number).toBe(first.number);
      expect(server.pulls.size).toBe(1);
    });

    it("are opened once when the answer is lost", async () => {
      server.fail("POST", /pull|merge/, { how: "lost" });

      const made = await forge.createPullRequest({ title: "Adopt", body: "", head: "drift", base: "main" }, call);

      expect(made.head.branch).toBe("drift");
      expect(server.pulls.size).toBe(1);
    });

    it("are opened with as much as the provider keeps", async () => {
      const wanted = { title: "x".repeat(1000), body: "y".repeat(2_000_000), head: "drift", base: "main" };

      expect((await forge.createPullRequest(wanted, call)).title).toHaveLength(255);
    });

    it("of a fork's branch with the same name are not taken for ours", async () => {
      server.addPull({ number: 3, branch: "drift", fork: true });

      expect(await forge.findPullRequest("drift", call)).toBeUndefined();
    });
  });

  describe("comments", () => {
    beforeEach(() => {
      server.addPull({ number: 7 });
    });

    it("are all listed, oldest first, over all pages", async () => {
      for (let index = 0; index < 8; index++) server.addComment(7, "ada", `words ${index}`);

      const all = await forge.comments(7, call);

      expect(all.map(({ body }) => body)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((index) => `words ${index}`));
      expect(all[0]?.author.name).toBe("ada");
      expect(all[0]?.createdAt).toBeGreaterThan(0);
    });

    it("are created, changed and deleted", async () => {
      const made = await forge.createComment(7, "one", call);
      const changed = await forge.updateComment(7, made, "two", call);

      expect(changed.body).toBe("two");
      expect(bodies(7)).toEqual(["two"]);

      await forge.deleteComment(7, changed, call);
      await forge.deleteComment(7, changed, call);

      expect(bodies(7)).toEqual([]);
    });

    it("tell whether somebody changed what they say", async () => {
      const { id } = server.addComment(7, "ada", "looks good");
      server.addComment(7, "ada", "as it was");

      server.editComment(String(id), "/flaghoist approve");

      expect((await forge.comments(7, call)).map(({ body, isEdited }) => [body, isEdited])).toEqual([
        ["/flaghoist approve", true],
        ["as it was", false],
      ]);
    });

    it("tell what a program wrote", async () => {
      const name = "project_12_bot_0a1b2c";
      // Programs of Gitea's own have numbers below zero.
      server.users.set(name, { id: provider.kind === "gitea" ? -2 : 950, name, bot: true });
      server.addComment(7, name, "by a program");
      server.addComment(7, "ada", "by a person");

      expect((await forge.comments(7, call)).map(({ author }) => author.isBot === true)).toEqual([true, false]);
    });

    it.each(["lost", "cut"] as const)("are created once when the answer is %s", async (how) => {
      server.fail("POST", provider.commentPaths, { how });

      const made = await forge.createComment(7, "only one", call);

      expect(made.body).toBe("only one");
      expect(bodies(7)).toEqual(["only one"]);
    });

    it("are created once when a proxy fails after the server did it", async () => {
      server.fail("POST", provider.commentPaths, { after: { status: 502, body: "<html>Bad gateway</html>" } });

      await forge.createComment(7, "only one", call);

      expect(bodies(7)).toEqual(["only one"]);
    });

    it("are created once when the server did not do it", async () => {
      server.fail("POST", provider.commentPaths, { instead: { status: 502, body: "<html>Bad gateway</html>" } });

      await forge.createComment(7, "only one", call);

      expect(bodies(7)).toEqual(["only one"]);
    });

    it("get a sign where the provider has signs", async () => {
      const { id } = server.addComment(7, "ada", "/flaghoist plan");
      const [comment] = await forge.comments(7, call);

      await forge.react(7, comment?.id ?? "", "seen", call);

      expect(server.reactions.map(({ comment: on }) => on)).toEqual(forge.limits.reactions ? [id] : []);
    });
  });

  describe("the sticky comment", () => {
    beforeEach(() => {
      server.addPull({ number: 7 });
    });

    const publish = (body: string, by: Forge = forge) => publishStickyComment(by, 7, MARKER, body, call);
    const line = () => markerLine(forge.limits.markdown.hidden, MARKER);
    const sent = () => server.requests.filter((request) => !request.startsWith("GET") && !request.includes("graphql"));

    it("is created, then changed in place, then left alone", async () => {
      expect((await publish("first")).outcome).toBe("created");
      expect((await publish("second")).outcome).toBe("updated");
      const before = sent().length;

      expect((await publish("second")).outcome).toBe("unchanged");

      expect(sent().length).toBe(before);
      expect(bodies(7)).toEqual([`${line()}\n\nsecond`]);
    });

    it("is found behind many comments of others", async () => {
      await publish("first");
      for (let index = 0; index < 10; index++) server.addComment(7, "ada", `words ${index}`);

      expect((await publish("second")).outcome).toBe("updated");
    });

    it("is our own: the marker in a comment of somebody else means nothing", async () => {
      server.addComment(7, "eve", `${line()}\n\nforged`);

      expect((await publish("true")).outcome).toBe("created");
      expect(bodies(7)).toEqual([`${line()}\n\nforged`, `${line()}\n\ntrue`]);
    });

    it("is not taken for another of ours that quotes the marker further down", async () => {
      server.addComment(7, server.me.name, `Another report\n\n${line()}`);

      expect((await publish("true")).outcome).toBe("created");
    });

    it("ends as one where there were several of ours, and the oldest stays", async () => {
      const oldest = server.addComment(7, server.me.name, `${line()}\n\nold`);
      server.addComment(7, server.me.name, `${line()}\n\nolder double`);
      server.addComment(7, server.me.name, `${line()}\n\nother double`);

      const published = await publish("now");

      expect(published).toMatchObject({ outcome: "updated", removed: 2 });
      expect(server.pulls.get(7)?.comments.map(({ id, body }) => ({ id, body }))).toEqual([
        { id: oldest.id, body: `${line()}\n\nnow` },
      ]);
    });

    it("ends as one when instances race", async () => {
      const others = [1, 2, 3].map(() => openFake(provider, server).forge);

      await Promise.all(others.map((other, index) => publish(`from ${index}`, other)));

      expect(bodies(7)?.length).toBe(1);
      for (const other of others) other.close();
    });

    it("comes again when somebody deletes it while it is changed", async () => {
      await publish("first");
      server.fail(provider.updates, provider.commentPaths, {
        instead: { status: 404, body: {} },
      });
      server.pulls.get(7)?.comments.splice(0);

      await publish("second");

      expect(bodies(7)).toEqual([`${line()}\n\nsecond`]);
    });

    it("may be as long as the provider takes, and no longer", async () => {
      const room = commentRoom(forge.limits, MARKER);

      expect((await publish("x".repeat(room))).outcome).toBe("created");
      const error = await failure(publish("x".repeat(room + 1)));

      expect(error.code).toBe("forge-comment-too-long");
    });
  });

  describe("requests", () => {
    beforeEach(() => {
      server.addPull({ number: 7 });
    });

    it("are sent again after failures of the server, a little later each time", async () => {
      server.fail("GET", /7/, { instead: { status: 500, body: "oops" } }, 2);

      expect((await forge.pullRequest(7, call)).number).toBe(7);
      expect(opened.clock.waits).toEqual([500, 1000]);
    });

    it("are sent again when the answer breaks off", async () => {
      server.fail("GET", /7/, { how: "cut" });

      expect((await forge.pullRequest(7, call)).number).toBe(7);
    });

    it("are given up after some times", async () => {
      server.fail("GET", /7/, { instead: { status: 503, body: "" } }, 100);

      const error = await failure(forge.pullRequest(7, call));

      expect(error).toMatchObject({ code: "forge-unavailable", recovery: "retry" });
      expect(server.requests.filter((request) => /7/.test(request)).length).toBe(4);
    });

    it("wait as long as a rate limit asks for", async () => {
      server.fail("GET", /7/, {
        instead: { status: 429, headers: { "retry-after": "20" }, body: { message: "slow down" } },
      });

      await forge.pullRequest(7, call);

      expect(opened.clock.waits).toEqual([20_000]);
    });

    it("are refused with the time when the rate limit asks for long, and not sent before", async () => {
      server.fail("GET", /7/, { instead: { status: 429, headers: { "retry-after": "1200" }, body: {} } });

      const error = await failure(forge.pullRequest(7, call));
      const count = server.requests.length;
      const again = await failure(forge.comments(7, call));

      expect(error).toMatchObject({ code: "forge-rate-limited", recovery: "wait", afterMs: 1_200_000 });
      expect(again.code).toBe("forge-rate-limited");
      expect(server.requests.length).toBe(count);
    });

    it("wait for a limited POST too, which was not done", async () => {
      server.fail("POST", provider.commentPaths, {
        instead: { status: 429, headers: { "retry-after": "5" }, body: {} },
      });

      await forge.createComment(7, "once", call);

      expect(bodies(7)).toEqual(["once"]);
    });

    it("with credentials that are wrong say so, without showing them", async () => {
      const { forge: stranger } = openFake(provider, server, {
        credentials: { type: "token", token: "wrong-secret-token" },
      });

      const error = await failure(stranger.pullRequest(7, call));
      stranger.close();

      expect(error).toMatchObject({ code: "forge-auth-failed", recovery: "wait" });
      expect(error.message).not.toContain("wrong-secret-token");
    });

    it("that the credentials may not make name what is missing", async () => {
      server.forbidden = /POST/;

      const error = await failure(
        forge.setStatus(HEAD_SHA, { context: "plan", state: "success", description: "" }, call),
      );

      expect(error.code).toBe("forge-forbidden");
      expect(error.message).toMatch(/they need .*\w/);
    });

    it("never show the token, even when the provider repeats it", async () => {
      const words = server.errorBody(400, `token ${TOKEN} is odd`);
      server.fail("GET", /7/, { instead: { status: 400, body: words } });

      const error = await failure(forge.pullRequest(7, call));

      expect(JSON.stringify([error.message, error.details])).not.toContain(TOKEN);
      expect(error.message).toContain("[secret]");
    });

    it("end when their signal does", async () => {
      server.fail("GET", /7/, { how: "silent" });
      const stop = new AbortController();
      const pending = failure(forge.pullRequest(7, { signal: stop.signal }));

      stop.abort(new Error("enough"));

      expect((await pending).message).toBe("enough");
    });

    it("do not read more than is allowed", async () => {
      const { forge: small } = openFake(provider, server, { limits: { maxBytes: 100 } });

      expect((await failure(small.pullRequest(7, call))).code).toBe("forge-too-large");
      small.close();
    });

    it("do not follow to another host", async () => {
      const away = { status: 307, headers: { location: "http://127.0.0.2:1/repos" }, body: "" };
      server.fail("GET", /7/, { instead: away });

      expect((await failure(forge.pullRequest(7, call))).message).toContain("credentials do not go to other hosts");
    });

    it("answered by something else say to check the address", async () => {
      server.fail("GET", /7/, { instead: { status: 200, body: "<html>Welcome</html>" } });

      expect((await failure(forge.pullRequest(7, call))).message).toContain("check the base URL");
    });
  });

  describe("statuses", () => {
    it("of a context take the place of each other", async () => {
      await forge.setStatus(HEAD_SHA, { context: "flaghoist", state: "pending", description: "planning" }, call);
      await forge.setStatus(HEAD_SHA, { context: "flaghoist", state: "pending", description: "planning" }, call);
      await forge.setStatus(
        HEAD_SHA,
        {
          context: "flaghoist",
          state: "failure",
          description: "3 objects would go",
          url: "https://flaghoist.example.com/p/7",
        },
        call,
      );

      expect(server.statuses).toHaveLength(1);
      expect(server.statuses[0]).toMatchObject({ context: "flaghoist", description: "3 objects would go" });
    });

    it("are cut to what the provider keeps", async () => {
      await forge.setStatus(HEAD_SHA, { context: "flaghoist", state: "success", description: "x".repeat(2000) }, call);

      const { length } = server.statuses[0]?.description ?? "";
      expect(length).toBeGreaterThan(100);
      expect(length).toBeLessThanOrEqual(forge.limits.statusDescription);
    });
  });

  describe("checks", () => {
    const annotation = { path: "apps/web.yaml", startLine: 3, level: "warning", message: "would be deleted" } as const;

    it("are published in the best form there is, and once", async () => {
      const check = {
        name: "flaghoist",
        conclusion: "failure",
        title: "1 error",
        summary: "text",
        annotations: [annotation],
      } as const;

      const published = await forge.publishCheck(HEAD_SHA, check, call);
      const again = await forge.publishCheck(HEAD_SHA, check, call);

      expect(published.as).toBe(forge.limits.check.as);
      expect(again).toEqual(published);
      const seen = server.checks.map(({ annotations }) => annotations.map(({ path, line }) => `${path}:${line}`));
      expect(seen).toEqual(published.as === "status" ? [] : [["apps/web.yaml:3"]]);
      expect(published.annotations).toBe(published.as === "status" ? 0 : 1);
      expect(server.checks.length + server.statuses.length).toBeGreaterThan(0);
    });
  });

  describe("issues", () => {
    const body = () => withMarker(forge.limits.markdown.hidden, "drift", "2 fields differ");
    const wanted = { marker: "drift", title: "Drift of shop", body: "2 fields differ", state: "open" } as const;

    it("are refused with what to do instead where there are none", async ({ skip }) => {
      if (forge.limits.issues) skip();

      const acts = [
        () => forge.findIssues("x", call),
        () => forge.createIssue({ title: "", body: "" }, call),
        () => forge.updateIssue(1, {}, call),
      ];
      for (const act of acts) {
        expect(await failure(act())).toMatchObject({ code: "forge-unsupported", recovery: "stall" });
      }
    });

    it("are created, changed in place, closed and opened again", async ({ skip }) => {
      if (!forge.limits.issues) skip();

      const outcomes = [];
      outcomes.push((await publishStickyIssue(forge, { ...wanted, state: "closed" }, call)).outcome);
      outcomes.push((await publishStickyIssue(forge, wanted, call)).outcome);
      outcomes.push((await publishStickyIssue(forge, wanted, call)).outcome);
      outcomes.push((await publishStickyIssue(forge, { ...wanted, body: "3 fields differ" }, call)).outcome);
      outcomes.push((await publishStickyIssue(forge, { ...wanted, state: "closed" }, call)).outcome);
      expect(server.issues[0]?.state).toBe("closed");
      outcomes.push((await publishStickyIssue(forge, wanted, call)).outcome);

      expect(outcomes).toEqual(["unchanged", "created", "unchanged", "updated", "closed", "reopened"]);
      expect(server.issues).toHaveLength(1);
      expect(server.issues[0]).toMatchObject({ title: "Drift of shop", body: body(), state: "open" });
    });

    it("are our own, and found behind many others", async ({ skip }) => {
      if (!forge.limits.issues) skip();
      const ours = server.addIssue(server.me.name, "Drift", body());
      for (let index = 0; index < 8; index++) server.addIssue("ada", "Drift", body());
      for (let index = 0; index < 8; index++) server.addIssue(server.me.name, "Other", "words");

      expect((await forge.findIssues("drift", call)).map(({ number }) => number)).toEqual([ours.number]);
    });

    it("with a title that is too long are not changed each time", async ({ skip }) => {
      if (!forge.limits.issues) skip();
      const long = { ...wanted, title: `Drift\nof ${"x".repeat(400)}` };

      await publishStickyIssue(forge, long, call);

      expect((await publishStickyIssue(forge, long, call)).outcome).toBe("unchanged");
      expect(server.issues[0]?.title).toMatch(/^Drift of x{245}…$/);
    });

    it("that are too many are closed but one", async ({ skip }) => {
      if (!forge.limits.issues) skip();
      server.addIssue(server.me.name, "Drift of shop", body(), { state: "closed" });
      const kept = server.addIssue(server.me.name, "Drift of shop", body());
      server.addIssue(server.me.name, "Drift of shop", body());

      expect((await publishStickyIssue(forge, wanted, call)).issue?.number).toBe(kept.number);
      expect(server.issues.map(({ state }) => state)).toEqual(["closed", "open", "closed"]);
    });

    it("are created once when the answer is lost", async ({ skip }) => {
      if (!forge.limits.issues) skip();
      server.fail("POST", /issues/, { how: "lost" });

      await publishStickyIssue(forge, wanted, call);

      expect(server.issues).toHaveLength(1);
    });
  });

  describe("permissions", () => {
    it("say who may command", async () => {
      const of = (name: string) => forge.permissionOf({ id: server.idOf(name), name }, call);

      expect(isPermitted(await of("ada"), "write")).toBe(true);
      expect(isPermitted(await of("eve"), "write")).toBe(true);
      expect(isPermitted(await of("guest"), "write")).toBe(false);
    });

    it("of those nobody knows are none", async () => {
      expect(await forge.permissionOf({ name: "nobody", id: "123456" }, call)).toBe("none");
    });
  });
});
