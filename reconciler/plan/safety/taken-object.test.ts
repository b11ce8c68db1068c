import { describe, expect, it } from "vitest";
import { refOf } from "../../../kube/object.ts";
import { configMap, world } from "../../../test/builders.ts";
import type { TakenObject } from "../taken-objects.ts";
import { takenObject } from "./taken-object.ts";
import { review } from "./testing/review.ts";

function taken(name: string, more: Partial<TakenObject> = {}): TakenObject {
  return {
    object: refOf(configMap(name)),
    origin: `apps/${name}.yaml:3`,
    sync: "shop/apps",
    owner: "shop/cart",
    ...more,
  };
}

const findings = (some: readonly TakenObject[]) => takenObject(review({ world: world({}), rest: { taken: some } }));

describe("an object of another Sync", () => {
  it("is an error where it is written", () => {
    expect(findings([])).toEqual([]);
    expect(findings([taken("settings")])).toEqual([
      {
        rule: "object-of-another-sync",
        severity: "error",
        object: { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" },
        place: { file: "apps/settings.yaml", line: 3 },
        message:
          "Sync shop/apps would apply nothing of its folder: Sync shop/cart applies ConfigMap shop/settings already",
        advice: "take it out of one of the two; once Sync shop/cart wants it no longer, it hands it over",
      },
    ]);
  });

  it("is counted where there are many", () => {
    const many = Array.from({ length: 14 }, (_, at) => taken(`m${at}`));

    const told = findings([...many, taken("x", { owner: "shop/other" })]);

    expect(told).toHaveLength(12);
    expect(told[10]).toMatchObject({ message: "Sync shop/cart applies 4 more objects of Sync shop/apps" });
  });
});
