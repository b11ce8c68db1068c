import { describe, expect, it } from "vitest";
import { AvailabilityRecord, type Serving } from "./availability.ts";

const SPAN = { lostAtMs: 1_000, backAtMs: 11_000, untilMs: 21_000 };

function recordOf(moments: readonly (readonly [atMs: number, serving: Serving])[]): AvailabilityRecord {
  const record = new AvailabilityRecord();
  for (const [atMs, serving] of moments) record.note(atMs, serving);
  return record;
}

describe("AvailabilityRecord", () => {
  it("tells what a loss took, when all served again, and when they were home", () => {
    const record = recordOf([
      [0, { east: 2, west: 2 }],
      [1_000, { west: 2 }],
      [4_000, { west: 4 }],
      [15_000, { east: 2, west: 4 }],
      [16_000, { east: 2, west: 2 }],
    ]);

    expect(record.survival(4, SPAN)).toEqual({
      desired: 4,
      before: { east: 2, west: 2 },
      keptAtOnce: 2,
      lowest: 2,
      fullAfterMs: 3_000,
      downMs: 0,
      during: { west: 4 },
      lowestAfter: 4,
      homeAfterMs: 5_000,
      after: { east: 2, west: 2 },
    });
  });

  it("says when a workload was down, and for how long", () => {
    const record = recordOf([
      [0, { east: 1 }],
      [1_000, {}],
      [3_500, { west: 1 }],
    ]);

    expect(record.survival(1, SPAN)).toMatchObject({ keptAtOnce: 0, lowest: 0, downMs: 2_500, fullAfterMs: 2_500 });
  });

  it("does not call recovered what falls again before the end", () => {
    const record = recordOf([
      [0, { east: 2, west: 2 }],
      [1_000, { west: 2 }],
      [4_000, { west: 4 }],
      [8_000, { west: 3 }],
    ]);

    expect(record.survival(4, SPAN)).toMatchObject({ fullAfterMs: undefined, homeAfterMs: undefined, lowest: 2 });
  });

  it("counts what an instant comes to, not what it went through", () => {
    const record = recordOf([
      [0, { east: 2 }],
      [1_000, {}],
      [1_000, { east: 2 }],
    ]);

    expect(record.survival(2, SPAN)).toMatchObject({ keptAtOnce: 2, downMs: 0 });
  });

  it("counts what comes back at the instant of the return for the return", () => {
    const record = recordOf([
      [0, { east: 2 }],
      [1_000, { east: 1 }],
      [11_000, { east: 2 }],
    ]);

    expect(record.survival(2, SPAN)).toMatchObject({ fullAfterMs: undefined, during: { east: 1 }, homeAfterMs: 0 });
  });

  it("tells of a loss that took nothing that it was full all the time", () => {
    const record = recordOf([[0, { east: 2 }]]);

    expect(record.survival(2, SPAN)).toMatchObject({ keptAtOnce: 2, fullAfterMs: 0, homeAfterMs: 0, lowestAfter: 2 });
  });
});
