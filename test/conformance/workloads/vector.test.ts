import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import type { NotedChange } from "./observer.ts";
import { type Recording, recordingOf, turn } from "./recording.ts";
import { differencesFrom, merged, VARIES, type Vector, vectorOf } from "./vector.ts";

const START_MS = Date.UTC(2026, 0, 1);
const SCRIPT = { id: "deployment/some", steps: [{ name: "create", acts: [] }] };
const VERSIONS = { kubernetes: "v1", kwok: "v1" };

/** A Deployment at several moments of one step. */
function run(...states: { readonly ready: number; readonly reason?: string }[]): Recording {
  const changes = states.map(({ ready, reason = "Some" }, index): NotedChange => {
    const conditions = [
      { type: "Progressing", status: "True", reason, message: "", lastUpdateTime: "2026-01-01T00:00:01Z" },
    ];
    const object: KubeObject = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "somewhere", uid: "1", resourceVersion: String(index) },
      status: { readyReplicas: ready, conditions },
    };
    return { step: 0, type: index === 0 ? "ADDED" : "MODIFIED", object };
  });
  return recordingOf({
    namespace: "somewhere",
    nodes: [],
    steps: [{ startMs: START_MS, answers: [], cameToRest: true }],
    changes,
  });
}

function vector(...runs: Recording[]): Vector {
  return vectorOf(SCRIPT, runs, VERSIONS);
}

describe("the course of a counter", () => {
  it.each([
    [
      [0, 1, 2, 3],
      [0, 3],
    ],
    [
      [3, 4, 3, 4, 3],
      [3, 4, 3, 4, 3],
    ],
    [[2, 2, 2], [2]],
    [
      [0, 3, 1, 0],
      [0, 3, 0],
    ],
  ])("of %j is %j", (values, turns) => {
    const course: number[] = [];
    for (const value of values) turn(course, value);

    expect(course).toEqual(turns);
  });
});

describe("a vector", () => {
  it("holds what is the same however Pods become ready one by one", () => {
    const recorded = vector(run({ ready: 0 }, { ready: 1 }, { ready: 3 }));

    expect(differencesFrom(recorded, run({ ready: 0 }, { ready: 3 }))).toEqual([]);
    expect(differencesFrom(recorded, run({ ready: 0 }, { ready: 3 }, { ready: 2 }, { ready: 3 }))).toEqual([
      "step 1 (create): counter readyReplicas of Deployment web: expected 0 -> 3, got 0 -> 3 -> 2 -> 3",
    ]);
  });

  it("says at which step, object and field a run differs", () => {
    const [difference] = differencesFrom(vector(run({ ready: 3 })), run({ ready: 2 }));

    expect(difference).toBe("step 1 (create): at rest, Deployment web[0].is.status.readyReplicas: expected 3, got 2");
  });

  it("tells of states that a condition does not go through", () => {
    const recorded = vector(run({ ready: 0, reason: "A" }, { ready: 0, reason: "B" }, { ready: 0, reason: "C" }));

    expect(differencesFrom(recorded, run({ ready: 0, reason: "A" }, { ready: 0, reason: "C" })).join()).toContain(
      "condition Progressing of Deployment web: expected absent -> True A:  -> True B:  -> True C: , got",
    );
  });

  it("takes any course within the bounds of those that depended on who was faster", () => {
    const recorded = vector(
      run({ ready: 3 }, { ready: 5 }, { ready: 3 }),
      run({ ready: 3 }, { ready: 6 }, { ready: 4 }, { ready: 5 }, { ready: 3 }),
    );

    expect(differencesFrom(recorded, run({ ready: 3 }, { ready: 6 }, { ready: 3 }))).toEqual([]);
    expect(differencesFrom(recorded, run({ ready: 3 }, { ready: 7 }, { ready: 3 }))).toHaveLength(1);
    expect(differencesFrom(recorded, run({ ready: 3 }, { ready: 5 }, { ready: 4 }))).toHaveLength(2);
  });

  it("marks what was different at rest", () => {
    expect(
      merged([
        { a: 1, b: [1, 2] },
        { a: 1, b: [1, 3], c: 1 },
      ]),
    ).toEqual({ a: 1, b: [1, VARIES], c: VARIES });
  });

  it("keeps Events that differ by numbers without them", () => {
    const one = { ...run({ ready: 1 }).steps[0]!, events: ["Deployment web: Scaled web-<hash-1> from 1 to 2"] };
    const two = { ...one, events: ["Deployment web: (combined from similar events): Scaled web-<hash-1> from 2 to 3"] };
    const recorded = vector({ steps: [one] }, { steps: [two] });

    expect(recorded.steps[0]!.events.always).toEqual(["Deployment web: Scaled web-<hash-1> from # to #"]);
    expect(
      differencesFrom(recorded, { steps: [{ ...one, events: ["Deployment web: Scaled web-<hash-1> from 7 to 8"] }] }),
    ).toEqual([]);
    expect(differencesFrom(recorded, { steps: [{ ...one, events: [] }] })).toHaveLength(1);
  });

  it("shows in which step a time was written, not when", () => {
    const [alike] = run({ ready: 1 }).steps[0]!.settled["Deployment web"]!;

    expect(JSON.stringify(alike)).toContain('"lastUpdateTime":"<time of step 1>"');
  });
});
