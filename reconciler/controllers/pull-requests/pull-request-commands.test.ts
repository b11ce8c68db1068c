import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { FIRST, NS, REPORTER, ReporterBench, SECOND } from "../../../test/reporter-bench.ts";

const KEY = `${NS}/shop`;
const HASH = FIRST.repeat(2).slice(0, 64);

let bench: ReporterBench;

beforeEach(async () => {
  bench = await ReporterBench.open();
});

afterEach(() => bench.close());

/** Somebody writes a comment, and the host tells of it. */
function say(author: string, body: string): void {
  // The store has made the Reporter by the machine's clock.
  bench.server.addComment(7, author, body, { createdAt: new Date(Date.now() + 60_000).toISOString() });
  bench.controller.wake(KEY, 7);
}

function replies(): readonly string[] {
  return (
    bench.server.pulls
      .get(7)
      ?.comments.flatMap(({ author, body }) =>
        author.name === bench.server.me.name && !body.includes("objects change") ? [body] : [],
      ) ?? []
  );
}

function conclusion(sha: string): string | undefined {
  return bench.server.checks.findLast((one) => one.sha === sha)?.conclusion;
}

function approval(sha: string): string | undefined {
  return bench.server.statuses.find((one) => one.sha === sha && one.context === "flaghoist/approval")?.state;
}

describe("comments", () => {
  it("make a fork planned, once, when somebody permitted asks", async () => {
    bench.server.addPull({ number: 7, fork: true });
    await bench.plane.create([bench.reporter({ commands: {} })]);
    await bench.start();
    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Waiting" }));

    say("guest", "/flaghoist plan");
    await eventually(() => expect(replies()).toHaveLength(1));
    expect(bench.makings).toEqual([]);
    say("eve", "/flaghoist plan");

    await bench.planned();
    expect(await bench.entry()).toMatchObject({ requestedBy: "eve" });
    expect(bench.makings).toHaveLength(1);
    bench.push(SECOND);
    bench.controller.wake(KEY, 7);
    await eventually(async () => expect(await bench.entry()).toMatchObject({ state: "Waiting", head: SECOND }));
    expect(await bench.entry()).not.toHaveProperty("requestedBy");
    expect(bench.makings).toHaveLength(1);
  });

  it("make a head planned again", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter({ commands: {} })]);
    await bench.start();
    await bench.planned();

    say("eve", "/flaghoist plan");

    await eventually(() => expect(bench.makings).toHaveLength(2));
    await eventually(async () =>
      expect(await bench.entry()).toMatchObject({ state: "Planned", plannedAt: expect.any(String) }),
    );
    expect(bench.check(FIRST)).toMatchObject({ conclusion: "success" });
    bench.controller.poll(KEY);
    await eventually(async () => expect((await bench.entry())?.handledCommands).toHaveLength(1));
    await bench.restart();
    await eventually(async () => expect((await bench.status()).lastPolledAt).toBeDefined());
    expect(bench.makings).toHaveLength(2);
  });

  it("approve a plan, which holds for a head that renders to the same, and for no other", async () => {
    bench.server.addPull({ number: 7, author: bench.server.user("eve") });
    await bench.plane.create([bench.reporter({ commands: {} })]);
    await bench.start();
    await bench.planned();

    say("ada", `/flaghoist approve ${HASH.slice(0, 12)}`);

    await eventually(async () =>
      expect((await bench.status()).approvals).toMatchObject([{ by: "ada", renderHash: HASH, pullRequest: 7 }]),
    );
    expect(approval(FIRST)).toBe("success");
    await eventually(() => expect(bench.makings).toHaveLength(2));
    await bench.planned();
    bench.isQuick = false;
    bench.push(SECOND);
    bench.controller.wake(KEY, 7);
    await eventually(() => expect(bench.makings).toHaveLength(3));
    const held = { state: "held", held: "12 objects would be deleted" } as const;
    bench.makings[2]?.done({ ...bench.report(SECOND), ...held, renderHash: HASH });
    await bench.planned(7, SECOND);
    expect(approval(SECOND)).toBe("success");
    const third = SECOND.replace("3", "4");
    bench.push(third);
    bench.controller.wake(KEY, 7);
    await eventually(() => expect(bench.makings).toHaveLength(4));
    bench.makings[3]?.done({ ...bench.report(third), ...held });
    await bench.planned(7, third);
    expect(approval(third)).toBe("pending");
  });

  it("have the check of what they approve say so", async () => {
    bench.isQuick = false;
    bench.server.addPull({ number: 7, author: bench.server.user("eve") });
    await bench.plane.create([bench.reporter({ commands: {} })]);
    await bench.start();
    await eventually(() => expect(bench.makings).toHaveLength(1));
    const failing = { ...bench.report(FIRST), tests: [{ name: "web survives", outcome: "failed" as const }] };
    bench.makings[0]?.done(failing);
    await bench.planned();
    expect(conclusion(FIRST)).toBe("failure");

    say("ada", `/flaghoist approve ${HASH}`);

    await eventually(() => expect(bench.makings).toHaveLength(2));
    bench.makings[1]?.done(failing);
    await eventually(() => expect(conclusion(FIRST)).toBe("neutral"));
    expect(approval(FIRST)).toBe("success");
  });

  it("that cannot be answered do not keep plans from being made", async () => {
    bench.server.addPull({ number: 7 });
    bench.server.forbidden = /collaborators/;
    await bench.plane.create([bench.reporter({ commands: {}, interval: "24h" })]);
    await bench.start();
    await bench.planned();
    say("eve", "/flaghoist plan");
    await eventually(async () => expect(await bench.condition("Ready")).toMatchObject({ reason: "ForgeForbidden" }));

    bench.push(SECOND);
    bench.controller.wake(KEY, 7);

    await bench.planned(7, SECOND);
    bench.server.forbidden = undefined;
    await bench.afterwards(60_000, () => expect(bench.makings).toHaveLength(3));
    await eventually(async () => expect(await bench.condition("Ready")).toMatchObject({ status: "True" }));
  });

  it("are not read where nobody is listened to", async () => {
    bench.server.addPull({ number: 7 });
    await bench.plane.create([bench.reporter()]);
    await bench.start();
    await bench.planned();

    say("ada", "/flaghoist plan");
    await bench.plane.client.patch(
      REPORTER,
      { metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": "1" } } },
      "merge",
    );
    await eventually(async () => expect((await bench.status()).lastHandledReconcileAt).toBe("1"));

    expect(bench.makings).toHaveLength(1);
    expect(replies()).toEqual([]);
    expect(bench.server.statuses).toEqual([]);
  });
});
