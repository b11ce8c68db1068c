import { describe, expect, it } from "vitest";
import type { EventDraft } from "./action.ts";
import { EventCorrelator } from "./event-correlator.ts";

const web = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", uid: "1" } };

function draft(message: string): EventDraft {
  return { regarding: web, type: "Normal", reason: "Scaled", message };
}

describe("EventCorrelator", () => {
  it("takes equal Events for one", () => {
    const correlator = new EventCorrelator();
    const [one, two, other] = ["a", "a", "b"].map((message) => correlator.correlate("c", draft(message), 0));

    expect(two?.id).toBe(one?.id);
    expect(other?.id).not.toBe(one?.id);
  });

  it("combines Events that differ by their messages from the tenth on", () => {
    const correlator = new EventCorrelator();
    const told = Array.from({ length: 12 }, (_, index) => correlator.correlate("c", draft(`m${index}`), index));

    expect(told[8]?.draft.message).toBe("m8");
    expect(told[9]?.draft.message).toBe("(combined from similar events): m9");
    expect(told[11]?.id).toBe(told[9]?.id);
  });

  it("begins anew after ten quiet minutes", () => {
    const correlator = new EventCorrelator();
    for (let index = 0; index < 12; index++) correlator.correlate("c", draft(`m${index}`), 0);

    expect(correlator.correlate("c", draft("late"), 600_001)?.draft.message).toBe("late");
  });

  it("leaves out what exceeds 25 about one object, but for one every five minutes", () => {
    const correlator = new EventCorrelator();
    const told = Array.from({ length: 27 }, () => correlator.correlate("c", draft("again"), 0));

    expect(told.filter((each) => each !== undefined)).toHaveLength(25);
    expect(correlator.correlate("c", draft("again"), 300_000)).toBeDefined();
    expect(correlator.correlate("c", draft("again"), 300_001)).toBeUndefined();
  });

  it("does not limit the scheduler", () => {
    const correlator = new EventCorrelator();
    const told = Array.from({ length: 30 }, (_, index) =>
      correlator.correlate("default-scheduler", draft(`${index}`), 0),
    );

    expect(told.every((each, index) => each?.draft.message === `${index}`)).toBe(true);
  });

  it("takes what the scheduler tells of one state of an object for one Event, and of the next state for another", () => {
    const correlator = new EventCorrelator();
    const tell = (message: string, resourceVersion: string) => {
      const { regarding, ...others } = draft(message);
      const metadata = { ...regarding.metadata, resourceVersion };
      return correlator.correlate("default-scheduler", { ...others, regarding: { ...regarding, metadata } }, 0)?.id;
    };

    expect(tell("b", "1")).toBe(tell("a", "1"));
    expect(tell("a", "2")).not.toBe(tell("a", "1"));
  });
});
