import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { TOKEN } from "../../../test/forges/fake-server.ts";
import { FIRST, NS, REPORTER, ReporterBench } from "../../../test/reporter-bench.ts";

let bench: ReporterBench;

beforeEach(async () => {
  bench = await ReporterBench.open();
});

afterEach(() => bench.close());

describe("plans", () => {
  it("are made two at a time, and not all of one Reporter first", async () => {
    bench.isQuick = false;
    for (const number of [1, 2, 3]) bench.server.addPull({ number });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(2));
    await bench.plane.create([bench.reporter({ path: "./other/" }, "other")]);
    await eventually(() => expect(bench.fetched).toBe(6));
    expect(bench.makings).toHaveLength(2);

    bench.makings[0]?.done();

    await eventually(() => expect(bench.makings).toHaveLength(3));
    expect(bench.makings[2]?.job.path).toBe("other");
  });

  it("that fail are told of by the check, and not tried again where that would not help", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    bench.makings[0]?.fail(
      new AppError("plan-timed-out", "it took more than 2m: see limits.timeout", { recovery: "stall" }),
    );

    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Failed" }));
    expect(await bench.entry()).toMatchObject({ message: "it took more than 2m: see limits.timeout" });
    expect(bench.check(FIRST)).toMatchObject({
      title: "the plan failed: it took more than 2m: see limits.timeout",
      conclusion: "failure",
    });
    await bench.clock.advance(7_200_000);
    bench.controller.poll(`${NS}/shop`);
    await eventually(async () => expect((await bench.status()).lastPolledAt).toBe("2026-01-01T02:00:00Z"));
    expect(bench.makings).toHaveLength(1);
  });

  it("that fail for now are tried again in silence", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ interval: "24h" })]);
    await bench.start();
    const failure = () => new AppError("git-unreachable", "nobody answers", { recovery: "retry" });
    await eventually(() => expect(bench.makings).toHaveLength(1));
    bench.makings[0]?.fail(failure());
    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Failed" }));
    const said = bench.writes();

    await bench.afterwards(5_000, () => expect(bench.makings).toHaveLength(2));
    bench.makings[1]?.fail(failure());
    await bench.afterwards(10_000, () => expect(bench.makings).toHaveLength(3));

    expect(bench.writes()).toEqual(said);
    bench.makings[2]?.done();
    await bench.planned();
    expect(bench.check(FIRST)).toMatchObject({ conclusion: "success" });
  });

  it("that fail say so in the comment where no check may", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ pullRequests: { check: false } })]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    bench.makings[0]?.fail(new AppError("git-too-large", "more than <b>5</b> of @everybody", { recovery: "stall" }));

    await eventually(() => expect(bench.comments()).toHaveLength(1));
    expect(bench.comments()[0]).toContain("**There is no plan of `1111111`**: more than `<b>5</b>` of `@everybody`");
  });

  it("that fail in a way nobody foresaw do not tell how", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    bench.makings[0]?.fail(new TypeError("cannot read /etc/secret of undefined"));

    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Failed" }));
    expect(JSON.stringify([await bench.status(), bench.server.received])).not.toContain("/etc/secret");
  });

  it("of a head that Git does not serve yet wait for it", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ interval: "24h" })]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));

    bench.makings[0]?.fail(new AppError("git-head-moved", "the head is another one", { recovery: "retry" }));
    await bench.afterwards(1_000, () => expect(bench.makings).toHaveLength(2));

    bench.makings[1]?.done();
    await bench.planned();
    expect(bench.writes().filter((line) => line.startsWith("POST"))).toHaveLength(2);
  });
});

describe("a host that refuses", () => {
  it("makes the Reporter not ready for missing rights, and is asked again later", async () => {
    bench.server.addPull({ number: 7 });
    bench.server.forbidden = /POST .*comments/;
    await bench.plane.create([bench.reporter({ interval: "24h" })]);
    await bench.start();

    await eventually(async () => expect(await bench.condition("Ready")).toMatchObject({ reason: "ForgeForbidden" }));
    expect((await bench.condition("Ready"))?.message).toContain("the credentials may not do this");
    bench.server.forbidden = undefined;
    await bench.afterwards(60_000, async () => expect(await bench.entry()).toMatchObject({ state: "Planned" }));

    expect(await bench.condition("Ready")).toMatchObject({ status: "True" });
    expect(bench.makings).toHaveLength(1);
  });

  it("makes the Reporter not ready when the repository is not there", async () => {
    bench.server.fail("GET", /pulls\?/, { instead: { status: 404, body: { message: "Not Found" } } }, 1);
    await bench.plane.create([bench.reporter()]);
    await bench.start();

    await eventually(async () => expect(await bench.condition("Ready")).toMatchObject({ reason: "ForgeNotFound" }));

    expect(await bench.condition("Reconciling")).toMatchObject({ status: "True" });
    await bench.afterwards(60_000, async () =>
      expect(await bench.condition("Ready")).toMatchObject({ status: "True" }),
    );
  });

  it("is left alone for as long as its rate limit says", async () => {
    bench.server.addPull({ number: 7 });
    const limited = { status: 429, body: { message: "slow down" }, headers: { "retry-after": "120" } };
    bench.server.fail("GET", /pulls\?/, { instead: limited }, 1);
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await eventually(async () => expect(await bench.condition("Ready")).toMatchObject({ reason: "ForgeRateLimited" }));
    const before = bench.server.requests.length;

    await bench.clock.advance(110_000);
    expect(bench.server.requests).toHaveLength(before);

    await bench.afterwards(10_000, async () => expect(await bench.entry()).toMatchObject({ state: "Planned" }));
  });

  it("is asked again after it was down", async () => {
    bench.server.addPull({ number: 7 });
    bench.server.fail("GET", /pulls\?/, { instead: { status: 503, body: {} } }, 6);
    await bench.plane.create([bench.reporter({ interval: "24h" })]);
    await bench.start();

    await bench.afterwards(500, async () =>
      expect(await bench.condition("Ready")).toMatchObject({ reason: "ForgeUnavailable" }),
    );
    await bench.afterwards(5_000, async () => expect(await bench.entry()).toMatchObject({ state: "Planned" }));

    expect(await bench.condition("Ready")).toMatchObject({ status: "True" });
  });

  it("is asked once the Secret is there, and the token is never told", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ secretRef: { name: "late" }, interval: "24h" })]);
    await bench.start();
    await eventually(async () =>
      expect(await bench.condition("Ready")).toMatchObject({
        reason: "ReporterSecretMissing",
        message: "spec.secretRef names Secret shop/late, which does not exist",
      }),
    );

    await bench.plane.create([bench.secret("late")]);
    await bench.afterwards(10_000, async () => expect(await bench.entry()).toMatchObject({ state: "Planned" }));

    expect(JSON.stringify(await bench.plane.client.get(REPORTER))).not.toContain(TOKEN);
  });

  it("is stalled with credentials that are none", async () => {
    await bench.plane.create([
      { apiVersion: "v1", kind: "Secret", metadata: { name: "empty", namespace: NS } },
      bench.reporter({ secretRef: { name: "empty" } }),
    ]);
    await bench.start();

    await eventually(async () => expect(await bench.condition("Stalled")).toMatchObject({ status: "True" }));

    expect(await bench.condition("Ready")).toMatchObject({ status: "False", reason: "ForgeCredentialsInvalid" });
  });

  it("is found as soon as the source is there", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ sourceRef: { kind: "GitRepository", name: "late" }, interval: "24h" })]);
    await bench.start();
    await eventually(async () =>
      expect(await bench.condition("Ready")).toMatchObject({ reason: "ReporterSourceMissing" }),
    );

    await bench.plane.create([bench.source("late")]);

    await bench.planned();
  });
});
