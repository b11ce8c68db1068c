import { describe, expect, it } from "vitest";
import type { Transport } from "../../../kube/client/transport.ts";
import { Activity } from "./activity.ts";
import { VirtualClock } from "./virtual-clock.ts";

const ANSWER = { status: 200, headers: {}, body: new Uint8Array() };

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function make() {
  const clock = new VirtualClock({ pace: "stepped", startMs: 0 });
  const activity = new Activity();
  clock.join(activity);
  return { clock, activity };
}

describe("Activity", () => {
  it("keeps the clock at an instant while a loop asks and hears answers, some turns apart", async () => {
    const { clock, activity } = make();
    const send = activity.heard(async () => ANSWER);
    const seen: number[] = [];
    activity.clock(clock).after(10, async () => {
      for (let request = 0; request < 3; request++) {
        await turns(3);
        await send({ method: "GET", path: "/" });
        seen.push(clock.now());
      }
    });

    await clock.advance(100);

    expect(seen).toEqual([10, 10, 10]);
  });

  it("does not wait for a request that nobody answers", async () => {
    const { clock, activity } = make();
    const never: Transport = () => new Promise(() => {});
    void activity.heard(never)({ method: "GET", path: "/" });

    await clock.advance(100);

    expect(clock.now()).toBe(100);
  });

  it("waits for work of others however long it takes", async () => {
    const { clock, activity } = make();
    let doneAt: number | undefined;
    activity.clock(clock).after(10, () => {
      const work = new Promise<void>((resolve) => setTimeout(resolve, 5));
      void activity.awaits(work).then(() => {
        doneAt = clock.now();
      });
    });

    await clock.advance(100);

    expect(doneAt).toBe(10);
  });

  it("tells of each event of a watch, and leaves the rest of the answer as it is", async () => {
    const { clock, activity } = make();
    let bodies = 0;
    async function* events() {
      yield { type: "ADDED" as const, object: {} };
    }
    const send = activity.heard(async () => ({
      status: 200,
      headers: {},
      get body() {
        bodies++;
        return new Uint8Array();
      },
      events: events(),
    }));
    const answer = await send({ method: "GET", path: "/?watch=true" });
    await clock.settled();

    for await (const event of answer.events ?? []) {
      expect(event.type).toBe("ADDED");
      expect(activity.isBusy).toBe(true);
    }

    expect(answer.status).toBe(200);
    expect(bodies).toBe(0);
  });
});
