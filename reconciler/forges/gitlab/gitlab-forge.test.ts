import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeGitLab } from "../../../test/forges/fake-gitlab.ts";
import { HEAD_SHA, TOKEN } from "../../../test/forges/fake-server.ts";
import { type Opened, openFake, PROVIDERS } from "../../../test/forges/providers.ts";
import type { Call, CommitStatus } from "../forge.ts";

const call: Call = { signal: new AbortController().signal };
const GITLAB = PROVIDERS.find(({ kind }) => kind === "gitlab")!;

let server: FakeGitLab;
let opened: Opened;

beforeEach(async () => {
  server = await new FakeGitLab().start();
  opened = openFake(GITLAB, server);
});
afterEach(async () => {
  opened.forge.close();
  await server.stop();
});

describe("GitLab's statuses", () => {
  const status = (state: CommitStatus["state"], more: Partial<CommitStatus> = {}): CommitStatus => ({
    context: "flaghoist",
    state,
    description: "3 changes",
    ...more,
  });

  it("are not sent again when nothing changed, which GitLab would refuse or list twice", async () => {
    for (const state of ["pending", "pending", "success", "success"] as const) {
      await opened.forge.setStatus(HEAD_SHA, status(state), call);
    }

    expect(server.jobs).toMatchObject([{ status: "success" }]);
  });

  it("of a state that another instance set meanwhile count as set", async () => {
    await opened.forge.setStatus(HEAD_SHA, status("pending"), call);

    await opened.forge.setStatus(HEAD_SHA, status("pending", { description: "planning 7 objects" }), call);

    expect(server.jobs).toMatchObject([{ status: "running" }]);
  });

  it("of a fork's commit go to the merge request's own ref", async () => {
    server.foreign.add(HEAD_SHA);
    server.addPull({ number: 7, fork: true });
    const pullRequest = await opened.forge.pullRequest(7, call);

    await opened.forge.setStatus(HEAD_SHA, status("success", { pullRequest }), call);

    expect(server.jobs).toMatchObject([{ ref: "refs/merge-requests/7/head", status: "success" }]);
  });

  it("are set once when the answer is lost", async () => {
    server.fail("POST", /statuses/, { how: "lost" });

    await opened.forge.setStatus(HEAD_SHA, status("failure"), call);

    expect(server.jobs).toMatchObject([{ status: "failed" }]);
  });
});

describe("GitLab's pages", () => {
  it("are followed without links too", async () => {
    server.linkHeader = false;
    server.addPull({ number: 7 });
    for (let index = 0; index < 8; index++) server.addComment(7, "ada", `words ${index}`, { system: index === 3 });

    expect(await opened.forge.comments(7, call)).toHaveLength(7);
  });

  it("that lead in a circle are an error", async () => {
    server.addPull({ number: 7 });
    const circle = { status: 200, headers: { "x-next-page": "1" }, body: [] };
    server.fail("GET", /notes/, { instead: circle }, 5);

    await expect(opened.forge.comments(7, call)).rejects.toThrow("its pages lead in a circle");
  });

  it("that do not end are an error", async () => {
    server.addPull({ number: 7 });
    for (let index = 0; index < 20; index++) server.addComment(7, "ada", `words ${index}`);
    const { forge } = openFake(GITLAB, server, { limits: { maxPages: 3 } });

    await expect(forge.comments(7, call)).rejects.toThrow("more than 3 pages");
    forge.close();
  });
});

describe("GitLab's members", () => {
  it.each([
    ["read", "read"],
    ["write", "write"],
    ["maintain", "maintain"],
    ["admin", "admin"],
  ] as const)("of the level %s may %s", async (has, permission) => {
    server.permissions.set("guest", has);

    expect(await opened.forge.permissionOf({ name: "guest" }, call)).toBe(permission);
  });
});

describe("a job of GitLab", () => {
  it("knows whose it is", async () => {
    const { forge } = openFake(GITLAB, server, { credentials: { type: "jobToken", token: TOKEN } });

    expect((await forge.whoAmI(call)).name).toBe(server.me.name);
    forge.close();
  });
});
