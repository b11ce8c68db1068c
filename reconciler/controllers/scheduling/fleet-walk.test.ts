import { describe, expect, it } from "vitest";
import type { Placement } from "../../../api/policy.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import { FakeClock } from "../../../runtime/clock.ts";
import { cluster } from "../../../test/builders.ts";
import { BindingIndex } from "../../scheduler/binding-index.ts";
import { FLEET_TRIGGERS, type FleetTrigger } from "../../scheduler/fleet-triggers.ts";
import { FleetWalk } from "./fleet-walk.ts";

function binding(placement: Placement): ResourceBinding {
  const resource = { apiVersion: "apps/v1", kind: "Deployment", name: "b" };
  return { kind: "ResourceBinding", metadata: {}, spec: { resource, placement } } as ResourceBinding;
}

function on(name: string): Placement {
  return { clusterAffinity: { clusterNames: [name] } };
}

function relabelled(name: string, env: string) {
  return { before: cluster({ name }), after: cluster({ name, labels: { env } }) };
}

function startWalk(
  triggers: readonly FleetTrigger[] = FLEET_TRIGGERS,
  kinds: Readonly<Record<string, string>> = {},
  clock?: FakeClock,
) {
  const index = new BindingIndex();
  const touched: string[] = [];
  return {
    index,
    touched,
    walk: new FleetWalk(index, (key) => touched.push(key), triggers, {
      kindOf: (key) => kinds[key],
      ...(clock === undefined ? {} : { clock }),
    }),
  };
}

describe("FleetWalk", () => {
  it("tells of the bindings whose placement a change concerns", async () => {
    const { index, touched, walk } = startWalk();
    index.set("1", binding(on("a")));
    index.set("2", binding(on("b")));
    index.set("3", binding({}));

    walk.notice(relabelled("a", "prod"));
    await walk.settled();

    expect(touched.sort()).toEqual(["1", "3"]);
  });

  it("tells of the bindings of a kind that a cluster begins to serve", async () => {
    const { index, touched, walk } = startWalk(FLEET_TRIGGERS, {
      job: "ray.io/v1/RayJob",
      elsewhere: "ray.io/v1/RayJob",
      web: "apps/v1/Deployment",
    });
    index.set("job", binding(on("a")));
    index.set("elsewhere", binding(on("b")));
    index.set("web", binding(on("a")));

    walk.notice({
      before: cluster({ name: "a" }),
      after: cluster({ name: "a", kinds: ["apps/v1 Deployment", "ray.io/v1 RayJob"] }),
    });
    await walk.settled();

    expect(touched).toEqual(["job"]);
  });

  it("asks each distinct placement once for changes that come together", async () => {
    const asked: number[] = [];
    const trigger: FleetTrigger = {
      matters: ({ after }) => after?.metadata.name !== "dull",
      concerns: (use) => {
        asked.push(use.placement.clusterAffinity?.clusterNames?.length ?? 0);
        return true;
      },
    };
    const { index, touched, walk } = startWalk([trigger]);
    for (let i = 0; i < 1_000; i++) index.set(String(i), binding(i % 2 === 0 ? {} : on("a")));

    for (const name of ["dull", "a", "b", "c"]) walk.notice(relabelled(name, "prod"));
    await walk.settled();

    expect(asked).toEqual([0, 1]);
    expect(touched).toHaveLength(1_000);
    expect(new Set(touched).size).toBe(1_000);
  });

  it("walks again for what changes meanwhile", async () => {
    const { index, touched, walk } = startWalk();
    index.set("1", binding(on("a")));
    index.set("2", binding(on("b")));
    walk.notice(relabelled("a", "prod"));
    await new Promise((resolve) => setImmediate(resolve));

    walk.notice(relabelled("b", "prod"));
    await walk.settled();

    expect(touched).toEqual(["1", "2"]);
  });

  it("rests after many bindings, and takes what changes meanwhile together", async () => {
    const clock = new FakeClock();
    const { index, touched, walk } = startWalk(FLEET_TRIGGERS, {}, clock);
    for (let i = 0; i < 100; i++) index.set(String(i), binding({}));
    const aTurn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

    walk.notice(relabelled("a", "prod"));
    await aTurn();
    expect(touched).toHaveLength(100);
    for (const name of ["b", "c", "d"]) {
      walk.notice(relabelled(name, "prod"));
      await aTurn();
    }
    expect(touched).toHaveLength(100);

    await clock.advance(100);
    await aTurn();
    expect(touched).toHaveLength(200);
    await walk.stop();
  });

  it("tells of nothing after its end", async () => {
    const { index, touched, walk } = startWalk();
    index.set("1", binding({}));
    walk.notice(relabelled("a", "prod"));

    await walk.stop();
    walk.notice(relabelled("a", "test"));
    await walk.settled();

    expect(touched).toEqual([]);
  });
});
