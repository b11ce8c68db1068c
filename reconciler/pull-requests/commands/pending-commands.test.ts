import { describe, expect, it } from "vitest";
import type { ForgeComment } from "../../forges/forge.ts";
import { withMarker } from "../../forges/marker.ts";
import {
  type HandledCommands,
  isOfInterest,
  OLDEST_COMMAND_MS,
  pendingCommands,
  rememberHandled,
  replyMarker,
} from "./pending-commands.ts";

const NOW = Date.UTC(2026, 10, 29, 12, 0);
const MINUTE = 60_000;
const me = { id: "9", name: "flaghoist-bot" };
const ada = { id: "1", name: "ada" };
const times = { createdMs: NOW - 100 * MINUTE, nowMs: NOW };
const reader = { me, hidden: "html comment", reporter: "shop/app", ...times } as const;

function comment(id: string, minutesAgo: number, more: Partial<ForgeComment> = {}): ForgeComment {
  const createdAt = NOW - minutesAgo * MINUTE;
  return { id, author: ada, body: "/flaghoist plan", createdAt, isEdited: false, ...more };
}

function pending(comments: readonly ForgeComment[], remembered?: HandledCommands, more: Partial<typeof times> = {}) {
  return pendingCommands(comments, remembered, { ...reader, ...more }).map((one) => one.comment.id);
}

describe("pending commands", () => {
  it("are those of people, the oldest first", () => {
    const comments = [
      comment("late", 1),
      comment("early", 2),
      comment("words", 3, { body: "looks good" }),
      comment("ours", 4, { author: me }),
      comment("program", 5, { author: { name: "helper", isBot: true } }),
    ];

    expect(pending(comments)).toEqual(["early", "late"]);
    expect(comments.filter(isOfInterest({ me })).map(({ id }) => id)).toEqual(["late", "early", "ours"]);
  });

  it("are none from before the Reporter was made, at first sight", () => {
    expect(pending([comment("before", 101), comment("after", 99)])).toEqual(["after"]);
  });

  it("are none that are old, at first sight, when nobody may have listened", () => {
    const old = comment("old", OLDEST_COMMAND_MS / MINUTE + 1);

    expect(pending([old, comment("new", 1)], undefined, { createdMs: 0 })).toEqual(["new"]);
    // After an outage they are.
    expect(pending([old], { commandsUntil: "2026-11-27T00:00:00Z" })).toEqual(["old"]);
  });

  it("are none that were dealt with", () => {
    const comments = [comment("1", 3), comment("2", 2), comment("3", 1)];
    const remembered = rememberHandled(comments, undefined, { handled: comments.slice(0, 2) }, times);

    expect(pending(comments, remembered)).toEqual(["3"]);
    expect(pending([...comments, comment("4", 0)], remembered)).toEqual(["3", "4"]);
  });

  it("are found when the host shows them late", () => {
    const comments = [comment("1", 3), comment("3", 1)];
    const remembered = rememberHandled(comments, undefined, { handled: comments }, times);

    expect(pending([...comments, comment("2", 2)], remembered)).toEqual(["2"]);
  });

  it("are none that we have answered, should the status be lost", () => {
    const asked = comment("31", 2);
    const reply = comment("40", 1, {
      author: me,
      body: withMarker("html comment", replyMarker("shop/app", "31"), "Planned."),
    });

    expect(pending([asked, reply])).toEqual([]);
    // Anybody can write our marker.
    expect(pending([asked, { ...reply, author: ada }])).toEqual(["31"]);
    // Another Reporter's reply is none of ours.
    expect(
      pending([asked, { ...reply, body: withMarker("html comment", replyMarker("shop/other", "31"), "Planned.") }]),
    ).toEqual(["31"]);
  });

  it("are found again when they could not be dealt with, however much was since", () => {
    const stuck = comment("stuck", 99);
    const comments = [stuck, comment("later", 1)];
    const remembered = rememberHandled(comments, undefined, { handled: comments.slice(1), waiting: [stuck] }, times);

    expect(pending(comments, remembered)).toEqual(["stuck"]);
  });

  it("are taken a few at a time", () => {
    const many = Array.from({ length: 50 }, (_, index) => comment(String(index), 50 - index));
    const first = pending(many);
    const remembered = rememberHandled(many, undefined, { handled: many.slice(0, first.length) }, times);

    expect(first.length).toBeLessThan(50);
    expect(pending(many, remembered)[0]).toBe(String(first.length));
  });
});

describe("what is remembered", () => {
  it("stays the same while nothing is dealt with", () => {
    const remembered = { commandsUntil: "2026-11-29T11:00:00Z", handledCommands: ["1"] };

    expect(rememberHandled([comment("2", 1)], remembered, { handled: [] }, times)).toEqual(remembered);
    expect(rememberHandled([], undefined, { handled: [] }, times)).toEqual({});
  });

  it("is bounded, however much is written", () => {
    const handled = Array.from({ length: 1000 }, (_, index) => comment(String(index), 30 - index / 50));
    const remembered = rememberHandled(handled, undefined, { handled }, times);

    expect(remembered.handledCommands).toHaveLength(200);
    expect(pending(handled, remembered)).toEqual([]);
  });

  it("goes on with time, and forgets what is older", () => {
    const before = { commandsUntil: "2026-11-29T08:00:00Z", handledCommands: ["old"] };
    const comments = [comment("old", 200), comment("new", 0)];

    expect(rememberHandled(comments, before, { handled: [comment("new", 0)] }, times)).toEqual({
      commandsUntil: "2026-11-29T11:00:00Z",
      handledCommands: ["new"],
    });
  });
});
