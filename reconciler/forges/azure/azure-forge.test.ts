import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeAzure } from "../../../test/forges/fake-azure.ts";
import { HEAD_SHA, TOKEN } from "../../../test/forges/fake-server.ts";
import { openFake, PROVIDERS } from "../../../test/forges/providers.ts";
import type { Call, Forge } from "../forge.ts";
import { permissionOfBits } from "./azure-permissions.ts";

const call: Call = { signal: new AbortController().signal };
const AZURE = PROVIDERS.find(({ kind }) => kind === "azure-devops")!;

describe("Azure DevOps", () => {
  let server: FakeAzure;
  let forge: Forge;

  beforeEach(async () => {
    server = await new FakeAzure().start();
    forge = openFake(AZURE, server).forge;
    server.addPull({ number: 7, labels: ["preview"] });
  });
  afterEach(async () => {
    forge.close();
    await server.stop();
  });

  it("tells the labels of a pull request that is asked for", async () => {
    expect((await forge.pullRequest(7, call)).labels).toEqual(["preview"]);
  });

  it("gives clone URLs without a user name", async () => {
    expect((await forge.pullRequest(7, call)).head.cloneUrl).toBe("https://dev.azure.com/acme/proj/_git/shop");
  });

  it("gets the status of a pull request where policies look for it", async () => {
    const pullRequest = await forge.pullRequest(7, call);

    await forge.setStatus(HEAD_SHA, { context: "plan", state: "error", description: "it broke", pullRequest }, call);

    expect(server.requests.at(-1)).toBe("POST /Coll/proj/_apis/git/repositories/shop/pullrequests/7/statuses");
    expect(server.statuses).toMatchObject([{ state: "error" }]);
  });

  it("takes the token of a pipeline as a bearer", async () => {
    server.scheme = "bearer";
    const job = openFake(AZURE, server, { credentials: { type: "bearer", token: TOKEN } }).forge;

    expect((await job.whoAmI(call)).name).toBe(server.me.name);
    job.close();
  });

  it.each([
    [203, {}],
    [302, { location: "/_signin?realm=dev.azure.com" }],
  ])("that sends to its page for signing in (HTTP %d) refuses the credentials", async (status, headers) => {
    server.fail("GET", /pullrequests/, { instead: { status, headers, body: "<html>Sign in</html>" } });

    await expect(forge.pullRequest(7, call)).rejects.toMatchObject({ code: "forge-auth-failed" });
  });

  it("that asks for a pause gets it before the next request", async () => {
    const { forge: slowed, clock } = openFake(AZURE, server);
    server.fail("GET", /threads/, { after: { status: 200, headers: { "retry-after": "7" }, body: { value: [] } } });

    await slowed.comments(7, call);
    await slowed.pullRequest(7, call);

    expect(clock.waits).toEqual([7000]);
    slowed.close();
  });

  it("takes a description of any length, cut to what it keeps", async () => {
    const made = await forge.createPullRequest(
      { title: "Adopt", body: "x".repeat(10_000), head: "drift", base: "main" },
      call,
    );

    expect(made.head.branch).toBe("drift");
  });
});

describe("permissionOfBits", () => {
  it.each([
    [0, "none"],
    [2, "read"],
    [2 | 4, "write"],
    [2 | 4 | 2048, "maintain"],
    [2 | 4 | 2048 | 8192, "admin"],
    // Policies without contributing are no right to write.
    [2 | 2048, "read"],
  ] as const)("reads %d as %s", (bits, permission) => {
    expect(permissionOfBits(bits)).toBe(permission);
  });
});
