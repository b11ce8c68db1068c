import { describe, expect, it } from "vitest";
import { binding, cluster, deployment, policy } from "../../test/builders.ts";
import { decideScheduling } from "./decide-scheduling.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import { decideRefused } from "./refused-write.ts";

const NOW = Date.UTC(2026, 0, 1);
const NOW_TEXT = "2026-01-01T00:00:00Z";
const FLEET = new FleetIndex([cluster({ name: "a" })]);

function decide(clusterNames: readonly string[]) {
  const placement = { clusterAffinity: { clusterNames: [...clusterNames] } };
  const made = binding({
    template: deployment(),
    policy: policy({ name: "web", placement }),
    clusters: [{ name: "b" }],
  });
  return { made, decision: decideScheduling(made, FLEET, NOW) };
}

describe("decideRefused", () => {
  it.each([
    [true, "QuotaExceeded"],
    [false, "SchedulerError"],
  ])("keeps the clusters and says who refused (by a quota: %s)", (byQuota, reason) => {
    const { made, decision } = decide(["a"]);
    expect(decision.clusters).toBeDefined();

    const refused = decideRefused(made, decision, { byQuota, message: "no more" }, NOW);

    expect(refused).toMatchObject({ verdict: "failed", requeue: "backoff", reason: "no more" });
    expect(refused.clusters).toBeUndefined();
    expect(refused.annotations).toBeUndefined();
    expect(refused.status).toEqual({
      conditions: [{ type: "Scheduled", status: "False", reason, message: "no more", lastTransitionTime: NOW_TEXT }],
    });
    expect(refused.events).toEqual([{ type: "Warning", reason: "ScheduleBindingFailed", message: "no more" }]);
  });

  it("names both failures when nothing fits and that could not be written, and tries again", () => {
    const { made, decision } = decide(["c"]);
    expect(decision).toMatchObject({ clusters: [], requeue: "done" });

    const refused = decideRefused(made, decision, { byQuota: true, message: "no more" }, NOW);

    expect(refused.condition).toMatchObject({
      reason: "NoClusterFit",
      message: `[${decision.error?.message}, no more]`,
    });
    expect(refused.requeue).toBe("backoff");
  });
});
