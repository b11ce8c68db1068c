import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeBitbucketCloud } from "../../../test/forges/fake-bitbucket-cloud.ts";
import { FakeBitbucketDataCenter } from "../../../test/forges/fake-bitbucket-data-center.ts";
import { BASE_SHA, HEAD_SHA } from "../../../test/forges/fake-server.ts";
import { openFake, PROVIDERS } from "../../../test/forges/providers.ts";
import type { Call, Check, Forge } from "../forge.ts";
import { markerLine } from "../marker.ts";
import { publishStickyComment } from "../sticky-comment.ts";

const call: Call = { signal: new AbortController().signal };

const lines = (...numbers: readonly number[]) =>
  numbers.map(
    (startLine) => ({ path: "apps/web.yaml", startLine, level: "failure", message: `line ${startLine}` }) as const,
  );
const check = (more: Partial<Check> = {}): Check => ({
  name: "flaghoist plan of shop/apps, which has a very long name",
  conclusion: "failure",
  title: "1 error",
  summary: "One object would be deleted.",
  annotations: [],
  ...more,
});

describe.each(PROVIDERS.filter(({ kind }) => kind.startsWith("bitbucket")))("a report at $kind", (provider) => {
  let server: FakeBitbucketCloud | FakeBitbucketDataCenter;
  let forge: Forge;

  beforeEach(async () => {
    server = await (provider.kind === "bitbucket-cloud"
      ? new FakeBitbucketCloud()
      : new FakeBitbucketDataCenter()
    ).start();
    forge = openFake(provider, server).forge;
  });
  afterEach(async () => {
    forge.close();
    await server.stop();
  });

  const seen = () => server.checks[0]?.annotations.map(({ line }) => line).toSorted((a, b) => a - b);

  it("has the annotations of the last check, each once", async () => {
    await forge.publishCheck(HEAD_SHA, check({ annotations: lines(1, 2, 2, 3) }), call);
    expect(seen()).toEqual([1, 2, 3]);

    await forge.publishCheck(HEAD_SHA, check({ annotations: lines(3, 4) }), call);

    expect(seen()).toEqual([3, 4]);
    expect(server.checks).toHaveLength(1);
  });

  it("is annotated once when it is published twice", async () => {
    await forge.publishCheck(HEAD_SHA, check({ annotations: lines(1, 2) }), call);
    const before = server.requests.length;

    await forge.publishCheck(HEAD_SHA, check({ annotations: lines(1, 2) }), call);

    const again = server.requests.slice(before).filter((line) => line.includes("annotations"));
    expect(again.map((line) => line.split(" ")[0])).toEqual(["GET"]);
  });

  it("stands beside a status, which holds merges", async () => {
    await forge.publishCheck(HEAD_SHA, check({ conclusion: "pending" }), call);
    expect(server.statuses).toMatchObject([{ state: "INPROGRESS" }]);
    expect(server.checks[0]?.conclusion).toBeUndefined();

    await forge.publishCheck(HEAD_SHA, check(), call);

    expect(server.statuses).toMatchObject([
      { state: "FAILED", description: "1 error", url: expect.stringMatching(/^http/) },
    ]);
    expect(server.checks[0]?.conclusion).toMatch(/^FAIL/);
  });

  it("has no more annotations than are kept", async () => {
    const many = lines(...Array.from({ length: 1001 }, (_, index) => index + 1));

    expect(await forge.publishCheck(HEAD_SHA, check({ annotations: many }), call)).toMatchObject({ annotations: 1000 });
    expect(server.checks[0]?.annotations).toHaveLength(1000);
  });

  it("has its annotations once when the answer is lost", async () => {
    server.fail("POST", /annotations/, { how: "lost" });

    await forge.publishCheck(HEAD_SHA, check({ annotations: lines(1, 2) }), call);

    expect(seen()).toEqual([1, 2]);
  });
});

describe("Bitbucket Cloud", () => {
  let server: FakeBitbucketCloud;
  let forge: Forge;
  const provider = PROVIDERS.find(({ kind }) => kind === "bitbucket-cloud")!;

  beforeEach(async () => {
    server = await new FakeBitbucketCloud().start();
    forge = openFake(provider, server).forge;
    server.addPull({ number: 7 });
  });
  afterEach(async () => {
    forge.close();
    await server.stop();
  });

  it("is asked for the whole names of commits, once", async () => {
    await forge.pullRequest(7, call);
    const pull = await forge.pullRequest(7, call);

    expect([pull.head.sha, pull.base.sha]).toEqual([HEAD_SHA, BASE_SHA]);
    expect(server.requests.filter((line) => line.includes("/commit/"))).toHaveLength(2);
  });

  it("tells a token that may not ask for its account what to do", async () => {
    server.knowsItself = false;

    await expect(publishStickyComment(forge, 7, "plan", "body", call)).rejects.toThrow(
      /scope account.*named in the settings/,
    );
  });

  it("is not asked for an account that is named", async () => {
    server.knowsItself = false;
    const named = openFake(provider, server, { user: { name: server.me.name, id: server.idOf(server.me.name) } }).forge;

    await publishStickyComment(named, 7, "plan", "one", call);
    expect((await publishStickyComment(named, 7, "plan", "two", call)).outcome).toBe("updated");
    named.close();
  });
});

describe("Bitbucket Data Center", () => {
  it("keeps doubles that have replies, and the sticky comment is published all the same", async () => {
    const server = await new FakeBitbucketDataCenter().start();
    const { forge } = openFake(PROVIDERS.find(({ kind }) => kind === "bitbucket-data-center")!, server);
    server.addPull({ number: 7 });
    const line = markerLine("link definition", "plan");
    const kept = server.addComment(7, server.me.name, `${line}\n\nold`);
    server.answered.add(server.addComment(7, server.me.name, `${line}\n\nanswered`).id);

    const published = await publishStickyComment(forge, 7, "plan", "new", call);

    expect(published).toMatchObject({ outcome: "updated", removed: 0, comment: { id: String(kept.id) } });
    forge.close();
    await server.stop();
  });
});
