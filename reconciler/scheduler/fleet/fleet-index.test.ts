import { describe, expect, it } from "vitest";
import { testSeed } from "../../../test/seed.ts";
import { schedule } from "../schedule.ts";
import { Dice, randomCase, randomCluster } from "../testing/random-cases.ts";
import { FleetIndex } from "./fleet-index.ts";

const SEED = testSeed();
const CLUSTERS = 30;
const PLACEMENTS = 12;

/** Beyond what an index remembers of changes before it starts anew. */
const MANY_CHANGES = 1000 + 9 * CLUSTERS;

describe("FleetIndex", () => {
  it("keeps the plans of placements right while clusters change", () => {
    const dice = new Dice(SEED);
    const present = Array.from({ length: CLUSTERS }, (_, i) => randomCluster(dice, `member${i}`));
    const fleet = new FleetIndex(present);
    const cases = Array.from({ length: PLACEMENTS }, (_, i) => randomCase(new Dice(SEED + i), CLUSTERS));
    for (let step = 0; step < 200; step++) {
      const at = dice.between(0, CLUSTERS - 1);
      present[at] = randomCluster(dice, `member${at}`);
      fleet.set(present[at]);
      // Not after each change: plans must catch up with several.
      if (!dice.chance(0.4)) continue;
      const { spec, status } = dice.pick(cases);

      const answer = schedule({ spec, status, fleet });

      const fresh = schedule({ spec, status, fleet: present });
      expect(answer.clusters ?? answer.error, `TEST_SEED=${SEED}, step ${step}`).toEqual(fresh.clusters ?? fresh.error);
    }
  });

  it("starts anew after more changes than it remembers", () => {
    const dice = new Dice(SEED);
    const present = Array.from({ length: CLUSTERS }, (_, i) => randomCluster(dice, `member${i}`));
    const fleet = new FleetIndex(present);
    const { spec, status } = randomCase(new Dice(SEED), CLUSTERS);
    schedule({ spec, status, fleet });
    for (let step = 0; step < MANY_CHANGES; step++) {
      const at = step % CLUSTERS;
      present[at] = randomCluster(dice, `member${at}`);
      fleet.set(present[at]);
    }

    const answer = schedule({ spec, status, fleet });

    const fresh = schedule({ spec, status, fleet: present });
    expect(answer.clusters ?? answer.error).toEqual(fresh.clusters ?? fresh.error);
  });
});
