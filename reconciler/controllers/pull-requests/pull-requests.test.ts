import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { BASE, FIRST, NS, REPORTER, ReporterBench, SECOND } from "../../../test/reporter-bench.ts";

let bench: ReporterBench;

beforeEach(async () => {
  bench = await ReporterBench.open();
});

afterEach(() => bench.close());

describe("a new pull request", () => {
  it("has a check at once, and then a comment and the check of its plan", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();

    await eventually(() => expect(bench.makings).toHaveLength(1));

    expect(bench.check(FIRST)).toMatchObject({ title: "making the plan", conclusion: undefined });
    expect(await bench.entry()).toMatchObject({ state: "Waiting", message: "the plan is being made", head: FIRST });
    expect(bench.makings[0]?.job).toMatchObject({
      head: FIRST,
      base: BASE,
      path: "",
      repository: bench.server.cloneUrl,
      subject: { base: { name: "main", commit: BASE }, head: { name: "feature-7", commit: FIRST } },
      drift: true,
      hideLive: false,
    });
    bench.makings[0]?.done();
    await bench.planned();
    expect(bench.comments()).toEqual([expect.stringContaining("2 objects change in 2 of 3 clusters")]);
    expect(bench.check(FIRST)).toMatchObject({ conclusion: "success" });
    expect(await bench.entry()).toEqual({
      number: 7,
      head: FIRST,
      base: BASE,
      baseBranch: "main",
      state: "Planned",
      message: "2 objects change in 2 of 3 clusters, 2 replicas move, nothing is deleted.",
      plannedAt: "2026-01-01T00:00:00Z",
      shownSince: "2026-01-01T00:00:00Z",
      renderHash: FIRST.repeat(2).slice(0, 64),
      syncs: [{ namespace: NS, name: "apps", digest: FIRST }],
      url: expect.stringContaining("/octo/shop/pull/"),
    });
    expect(bench.released).toBe(1);
    expect(await bench.condition("Ready")).toMatchObject({ status: "True", reason: "Succeeded" });
  });

  it("is found when the host is asked again, without any webhook", async () => {
    await bench.plane.create([bench.reporter({ interval: "1m" })]);
    await bench.start();
    await eventually(async () => expect((await bench.status()).lastPolledAt).toBe("2026-01-01T00:00:00Z"));

    bench.server.addPull({ number: 7 });
    await bench.afterwards(20_000, async () => expect(await bench.entry()).toMatchObject({ state: "Planned" }));

    expect(bench.comments()).toHaveLength(1);
  });

  it("is found at once when somebody asks by annotation", async () => {
    await bench.plane.create([bench.reporter({ interval: "24h" })]);
    await bench.start();
    await eventually(async () => expect((await bench.status()).lastPolledAt).toBeDefined());
    bench.server.addPull({ number: 7 });

    const annotations = { "reconcile.fluxcd.io/requestedAt": "now" };
    await bench.plane.client.patch(REPORTER, { metadata: { annotations } }, "merge");

    await bench.planned();
    expect(await bench.status()).toMatchObject({ lastHandledReconcileAt: "now" });
  });

  it("is looked at when it is told of, from what the host says then", async () => {
    await bench.plane.create([bench.reporter({ interval: "24h" })]);
    await bench.start();
    await eventually(async () => expect((await bench.status()).lastPolledAt).toBeDefined());
    bench.server.addPull({ number: 7 });

    bench.controller.wake(`${NS}/shop`, 7);
    bench.controller.wake(`${NS}/shop`, 8);

    await bench.planned();
    expect((await bench.status()).pullRequests).toHaveLength(1);
  });

  it("is left alone when it is none of those that are wanted, without a word", async () => {
    bench.server.addPull({ number: 7, labels: ["other"] });
    bench.server.addPull({ number: 8, draft: true, labels: ["plan"] });
    bench.server.addPull({ number: 9, base: "release", labels: ["plan"] });
    bench.server.addPull({ number: 10, fork: true, labels: ["plan"] });
    await bench.plane.create([bench.reporter({ pullRequests: { labels: ["plan"], drafts: false, forks: "ignore" } })]);
    await bench.start();

    await eventually(async () => {
      expect((await bench.status()).pullRequests?.map(({ number, message }) => [number, message])).toEqual([
        [10, "it comes from another repository"],
        [9, "its base release is none of main"],
        [8, "it is a draft"],
        [7, "it has none of the labels plan"],
      ]);
    });
    expect(bench.writes()).toEqual([]);
  });

  it("is not planned with the rights of a fork before somebody asks", async () => {
    bench.server.addPull({ number: 7, fork: true });
    await bench.plane.create([bench.reporter({ commands: {} })]);
    await bench.start();

    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Waiting" }));

    const message = "it comes from another repository: waits for /flaghoist plan by somebody with permission write";
    expect(await bench.entry()).toMatchObject({ message, head: FIRST });
    expect(bench.check(FIRST)).toMatchObject({ title: `not planned yet: ${message}`, conclusion: undefined });
    expect(bench.makings).toEqual([]);
    const said = bench.writes();
    bench.controller.wake(`${NS}/shop`, 7);
    const asked = bench.server.requests.length;
    await eventually(() => expect(bench.server.requests.length).toBeGreaterThan(asked));
    await bench.restart();
    await eventually(() => expect(bench.server.requests.filter((line) => /GET .*pulls\?/.test(line))).toHaveLength(2));
    await bench.stop();
    expect(bench.writes()).toEqual(said);
  });
});

describe("a pull request that changes", () => {
  it("has the plan of an earlier head ended, and that of the new one in the same comment", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await bench.planned();
    bench.isQuick = false;
    bench.push(SECOND);
    bench.controller.wake(`${NS}/shop`, 7);
    await eventually(() => expect(bench.makings).toHaveLength(2));

    bench.push(FIRST.replace("1", "4"));
    bench.controller.wake(`${NS}/shop`, 7);
    await eventually(() => expect(bench.makings).toHaveLength(3));

    expect(bench.makings[1]?.signal.aborted).toBe(true);
    bench.makings[2]?.done();
    await bench.planned(7, FIRST.replace("1", "4"));
    expect(bench.comments()).toEqual([expect.stringContaining("4111111")]);
    expect(bench.released).toBe(3);
  });

  it("does not get the plan of a head that it has no more, published late", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    bench.push(SECOND);
    bench.makings[0]?.done();

    await eventually(() => expect(bench.makings).toHaveLength(2));
    expect(bench.comments()).toEqual([]);
    bench.makings[1]?.done();
    await bench.planned(7, SECOND);
  });

  it("is forgotten when it is closed, and its plan ended", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    bench.change({ state: "closed" });
    bench.controller.poll(`${NS}/shop`);

    await eventually(async () => expect((await bench.status()).pullRequests).toEqual([]));
    expect(bench.makings[0]?.signal.aborted).toBe(true);
    expect(bench.comments()).toEqual([]);
  });

  it("is planned again when it is to be merged into another branch", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ pullRequests: { branches: ["*"] } })]);
    await bench.start();
    await bench.planned();

    bench.change({ base: "release" });
    bench.controller.wake(`${NS}/shop`, 7);

    await eventually(async () =>
      expect(await bench.entry()).toMatchObject({ state: "Planned", baseBranch: "release" }),
    );
    expect(bench.makings).toHaveLength(2);
  });

  it("is planned again when its base branch has taken in a part of it, and not when that only went on", async () => {
    const source = { ...REPORTER, kind: "GitRepository" };
    const follow = async (revision: string): Promise<void> => {
      const artifact = { revision: `main@sha1:${revision}`, lastUpdateTime: "2026-01-01T00:00:00Z" };
      await bench.plane.client.patch(source, { status: { artifact } }, "merge", { subresource: "status" });
    };
    await follow(BASE);
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await bench.planned();
    expect(bench.fetched).toBe(1);

    await follow(SECOND);
    await eventually(() => {
      bench.controller.poll(`${NS}/shop`);
      expect(bench.fetched).toBe(2);
    });
    expect(bench.makings).toHaveLength(1);
    bench.base = SECOND;
    await follow(SECOND.replace("3", "4"));
    await eventually(() => {
      bench.controller.poll(`${NS}/shop`);
      expect(bench.makings).toHaveLength(2);
    });

    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Planned", base: SECOND }));
    expect(bench.released).toBe(bench.fetched);
  });

  it("has no check that waits for ever when it is no longer wanted", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7, labels: ["plan"] });
    await bench.plane.create([bench.reporter({ pullRequests: { labels: ["plan"] } })]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    bench.change({ labels: [] });
    bench.controller.wake(`${NS}/shop`, 7);

    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Skipped" }));
    expect(bench.makings[0]?.signal.aborted).toBe(true);
    expect(bench.check(FIRST)).toMatchObject({
      title: "not planned: it has none of the labels plan",
      conclusion: "neutral",
    });
  });

  it("gets its comment again when a person has deleted it", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await bench.planned();

    bench.server.pulls.get(7)?.comments.splice(0);
    bench.controller.poll(`${NS}/shop`);

    await eventually(() => expect(bench.comments()).toHaveLength(1));
  });
});

describe("what was said", () => {
  it("is not said again, however often the host is asked", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ interval: "1m" })]);
    await bench.start();
    await bench.planned();
    const before = bench.writes();

    const asked = () => bench.server.requests.filter((line) => /GET .*pulls\?/.test(line)).length;
    const first = asked();
    await bench.afterwards(30_000, () => expect(asked()).toBeGreaterThanOrEqual(first + 3));

    expect(bench.writes()).toEqual(before);
    expect(bench.makings).toHaveLength(1);
  });

  it("is not said twice by a control plane that was ended in the middle", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    await bench.restart();
    await eventually(() => expect(bench.makings).toHaveLength(2));
    bench.makings[1]?.done();

    await bench.planned();
    expect(bench.comments()).toHaveLength(1);
    expect(bench.server.checks).toHaveLength(1);
    await bench.restart();
    await eventually(async () => expect((await bench.status()).lastPolledAt).toBeDefined());
    expect(bench.makings).toHaveLength(2);
  });

  it("stays one comment when it was ended between the comment and its status", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await bench.planned();
    await bench.stop();
    const { plannedAt: _, ...rest } = (await bench.entry()) ?? { number: 7, head: FIRST, state: "Waiting" as const };
    await bench.plane.client.patch(REPORTER, { status: { pullRequests: [{ ...rest, state: "Waiting" }] } }, "merge", {
      subresource: "status",
    });

    await bench.start();

    await bench.planned();
    expect(bench.comments()).toHaveLength(1);
    expect(bench.check(FIRST)).toMatchObject({ conclusion: "success" });
  });

  it("is said by each of two Reporters in a comment and a check of its own", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter(), bench.reporter({}, "other")]);
    await bench.start();

    await bench.planned();
    await bench.planned(7, FIRST, "other");

    expect(bench.comments()).toHaveLength(2);
    expect(new Set(bench.server.checks.map(({ name }) => name))).toEqual(
      new Set(["flaghoist: shop/shop", "flaghoist: shop/other"]),
    );
  });

  it("is only the comment where no check is wanted", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ pullRequests: { check: false } })]);
    await bench.start();

    await bench.planned();

    expect(bench.server.checks).toEqual([]);
    expect(bench.server.statuses).toEqual([]);
    expect(bench.comments()).toHaveLength(1);
  });

  it("is said anew when the Reporter wants it otherwise", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await bench.planned();

    await bench.plane.client.patch(REPORTER, { spec: { pullRequests: { liveValues: "hide" } } }, "merge");

    await eventually(() => expect(bench.makings).toHaveLength(2));
    expect(bench.makings[1]?.job).toMatchObject({ hideLive: true });
  });

  it("is nothing more from a Reporter that was deleted", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    await bench.plane.client.delete(REPORTER);

    await eventually(() => expect(bench.makings[0]?.signal.aborted).toBe(true));
    expect(bench.released).toBe(1);
    expect(bench.comments()).toEqual([]);
  });

  it("is that of the Reporter there is now, when one was deleted and made again", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    await bench.plane.client.delete(REPORTER);
    await bench.plane.create([bench.reporter({ path: "apps" })]);

    await eventually(() => expect(bench.makings).toHaveLength(2));
    expect(bench.makings[0]?.signal.aborted).toBe(true);
    bench.makings[1]?.done();
    await bench.planned();
    expect(bench.comments()).toHaveLength(1);
  });

  it("is nothing while it is suspended", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ suspend: true })]);
    await bench.start();
    bench.controller.poll(`${NS}/shop`);
    bench.controller.wake(`${NS}/shop`, 7);
    await bench.clock.advance(3_600_000);
    expect(bench.server.requests).toEqual([]);

    await bench.plane.client.patch(REPORTER, { spec: { suspend: false } }, "merge");

    await bench.planned();
  });
});
