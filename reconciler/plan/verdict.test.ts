import { describe, expect, it } from "vitest";
import { type ObjectRef, refOf } from "../../kube/object.ts";
import { deployment } from "../../test/builders.ts";
import type { ObjectChange, Plan } from "./changes.ts";
import { verdictLine } from "./verdict.ts";

const web = refOf(deployment());
const row = { created: 0, changed: 0, deleted: 0, replicasBefore: 0, replicasAfter: 0 };

function change(words: Partial<ObjectChange>): ObjectChange {
  return {
    cluster: "a",
    object: web,
    change: "changed",
    replicasBefore: 2,
    replicasAfter: 2,
    fields: [],
    overrides: [],
    ...words,
  };
}

function planOf(words: Partial<Plan>): Plan {
  return { clusters: [], changes: [], movedReplicas: 0, problems: [], unknown: [], ...words };
}

const settings: ObjectRef = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" };
const clusters = ["a", "b"].map((cluster) => ({ ...row, cluster }));

describe("verdictLine", () => {
  it.each([
    { what: "nothing", plan: {}, expected: "Nothing changes." },
    {
      what: "moving replicas",
      plan: { clusters, changes: [change({}), change({ cluster: "b" })], movedReplicas: 3 },
      expected: "1 object changes in 2 of 2 clusters, 3 replicas move, nothing is deleted.",
    },
    {
      what: "new objects",
      plan: { clusters, changes: [change({ change: "created" }), change({ change: "created", object: settings })] },
      expected: "2 objects are created in 1 of 2 clusters, nothing is deleted.",
    },
    {
      what: "changed and new objects",
      plan: { clusters, changes: [change({}), change({ change: "created", object: settings })] },
      expected: "1 object changes and 1 is created in 1 of 2 clusters, nothing is deleted.",
    },
    {
      what: "deletion",
      plan: { clusters, changes: [change({ change: "deleted" }), change({ change: "deleted", cluster: "b" })] },
      expected: "1 object is deleted in 2 of 2 clusters.",
    },
    {
      what: "change here and deletion there",
      plan: { clusters, changes: [change({}), change({ change: "deleted", cluster: "b" })] },
      expected: "1 object changes in 2 of 2 clusters, 1 copy is deleted.",
    },
  ] satisfies { what: string; plan: Partial<Plan>; expected: string }[])("words $what", ({ plan, expected }) => {
    expect(verdictLine(planOf(plan), [], false)).toBe(expected);
  });

  it("says that a held deletion waits for a person", () => {
    const deletion = planOf({ clusters, changes: [change({ change: "deleted" })] });

    expect(verdictLine(deletion, [], true)).toBe("1 object is deleted in 1 of 2 clusters, once a person confirms it.");
  });

  it("says that only the control plane changes", () => {
    expect(verdictLine(planOf({}), [{ object: settings }], false)).toBe(
      "1 object changes in the control plane, nothing in any cluster.",
    );
  });
});
