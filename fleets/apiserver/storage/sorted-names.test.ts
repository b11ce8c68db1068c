import { describe, expect, it } from "vitest";
import { SortedNames } from "./sorted-names.ts";
import { StoredObject } from "./stored-object.ts";

function stored(name: string, revision = 1): StoredObject {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } };
  return new StoredObject({ resource: "configmaps", namespace: "a", name }, "", revision, object);
}

function namesOf(list: readonly StoredObject[]): string[] {
  return list.map(({ name, revision }) => `${name} ${revision}`);
}

describe("SortedNames", () => {
  it("holds what a sorted map would, through thousands of random changes", () => {
    const seed = 42;
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const sorted = new SortedNames();
    const expected = new Map<string, number>();
    for (let step = 0; step < 12_000; step++) {
      const name = `n${random(5000)}`;
      if (random(3) === 0) {
        sorted.delete(name);
        expected.delete(name);
      } else {
        sorted.set(stored(name, step));
        expected.set(name, step);
      }
    }

    const wanted = [...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, revision]) => `${name} ${revision}`);
    expect(namesOf(sorted.list()), `seed ${seed}`).toEqual(wanted);
  });

  it("leaves a list that somebody walks as it is", () => {
    const sorted = new SortedNames();
    for (const name of ["a", "c"]) sorted.set(stored(name));
    const before = sorted.list();

    sorted.set(stored("b"));
    sorted.set(stored("a", 2));
    sorted.delete("c");

    expect(namesOf(before)).toEqual(["a 1", "c 1"]);
    expect(namesOf(sorted.list())).toEqual(["a 2", "b 1"]);
  });
});
