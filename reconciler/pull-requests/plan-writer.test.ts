import { describe, expect, it } from "vitest";
import { systemClock } from "../../runtime/clock.ts";
import { LoopDelay } from "../../test/benchmark/support-loop-delay.ts";
import { FakeGitHub } from "../../test/forges/fake-github.ts";
import { openFake, PROVIDERS } from "../../test/forges/providers.ts";
import { SAMPLES, type SampleName } from "../reports/testing/sample-reports.ts";
import { writePlanAside } from "./plan-writer.ts";
import { type PlanWish, writePlan } from "./written-plan.ts";

const SYNCS = [{ namespace: "shop", name: "apps", digest: "1".repeat(64) }];

async function wishOf(): Promise<PlanWish> {
  const server = await new FakeGitHub().start();
  const [provider] = PROVIDERS;
  if (provider === undefined) throw new Error("there is no provider");
  const { forge } = openFake(provider, server);
  const { kind, limits, url } = forge;
  forge.close();
  await server.stop();
  return {
    comment: { kind, limits, url, marker: "plan shop/shop octo/shop .", head: "1".repeat(40) },
    check: { name: "flaghoist: shop/shop", limits: limits.check },
    takesApprovals: true,
  };
}

describe("writePlanAside", () => {
  it.each<SampleName>(["replicaMove", "maskedSecret", "refused", "hostile", "massPrune"])(
    "says of %s what is said without a thread",
    async (name) => {
      const report = SAMPLES[name]();
      const wish = await wishOf();
      const { signal } = new AbortController();

      const written = await writePlanAside({ report, syncs: SYNCS }, wish, { clock: systemClock, signal });

      expect(written).toEqual(structuredClone(writePlan(report, SYNCS, wish)));
    },
  );

  it("keeps nobody waiting for the words on a huge change", async () => {
    const report = SAMPLES.huge();
    const wish = await wishOf();
    const { signal } = new AbortController();
    const delay = new LoopDelay();
    delay.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    delay.take();

    const written = await writePlanAside({ report, syncs: SYNCS }, wish, { clock: systemClock, signal });

    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(delay.take().cpuMaxMs).toBeLessThan(50);
    expect(written.words.body.length).toBeGreaterThan(10_000);
  });

  it("ends when nobody wants the words any more", async () => {
    const abort = new AbortController();
    const wish = await wishOf();
    const plan = { report: SAMPLES.huge(), syncs: SYNCS };

    const writing = writePlanAside(plan, wish, { clock: systemClock, signal: abort.signal });
    abort.abort(new Error("nobody waits"));

    await expect(writing).rejects.toThrow("nobody waits");
  });
});
