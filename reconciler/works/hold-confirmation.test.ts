import { describe, expect, it } from "vitest";
import { holdTime, isHoldConfirmed } from "./hold-confirmation.ts";

describe("isHoldConfirmed", () => {
  const at = Date.parse("2026-02-03T04:05:06.789Z");
  const hour = 3_600_000;

  it("goes by the time of the hold, and by later ones", () => {
    const held = holdTime(undefined, at);

    expect(isHoldConfirmed("2026-02-03T04:05:06Z", held, at)).toBe(true);
    expect(isHoldConfirmed("2026-02-03T05:00:00Z", held, at)).toBe(true);
    expect(isHoldConfirmed("2026-02-03T04:05:05Z", held, at)).toBe(false);
    expect(isHoldConfirmed("yes", held, at)).toBe(false);
    expect(isHoldConfirmed(undefined, held, at)).toBe(false);
  });

  it("does not take the word on an earlier hold for one on this, after the clock jumped back", () => {
    const word = new Date(at).toISOString();
    const held = holdTime(word, at - hour);

    for (const later of [0, hour, 24 * hour]) expect(isHoldConfirmed(word, held, at - hour + later)).toBe(false);
    expect(isHoldConfirmed(new Date(held).toISOString(), held, at - hour)).toBe(true);
  });

  it("takes the time that was told although the clock has jumped back since", () => {
    expect(isHoldConfirmed(new Date(at).toISOString(), at, at - 24 * hour)).toBe(true);
  });

  it("does not take a time for ever for a word", () => {
    const word = "9999-12-31T23:59:59Z";

    expect(holdTime(word, at)).toBe(at);
    expect(isHoldConfirmed(word, at, at)).toBe(false);
  });
});
