import { expect, it } from "vitest";
import { nearest } from "./nearest.ts";

it.each([
  ["clusterAfinity", "clusterAffinity"],
  ["ClusterAffinity", "clusterAffinity"],
  ["clutserAffinity", "clusterAffinity"],
  ["name", undefined],
  ["kund", "kind"],
  ["kxyd", undefined],
])("finds for %s %s", (word, meant) => {
  expect(nearest(word, ["clusterAffinity", "clusterAffinities", "kind", "labelSelector"])).toBe(meant);
});
