import { describe, expect, it } from "vitest";
import { refKey, refOf } from "../../kube/object.ts";
import { cluster, deployment, policy, weighted, world } from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { runRiver } from "./river.ts";
import { possibleLosses, type WhatIf, whatIf } from "./what-if.ts";

const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: 0 };
const fleet = [
  cluster({ name: "tokyo-1", region: "ap" }),
  cluster({ name: "paris-1", region: "eu" }),
  cluster({ name: "paris-2", region: "eu" }),
];
const key = refKey(refOf(deployment()));

function compare(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Promise<WhatIf[]> {
  const [old, fresh] = [before, after].map((weights) => {
    const owner = policy({ name: "p", placement: weighted(weights), clusters: Object.keys(weights) });
    const given = world({ clusters: fleet, policies: [owner], templates: [deployment({ replicas: 6 })] });
    return { outcomes: runRiver(given, options), clusters: fleet };
  });
  if (old === undefined || fresh === undefined) throw new Error("two worlds were made");
  return whatIf([key], old, fresh, 0);
}

describe("possibleLosses", () => {
  it("are every cluster, and regions of several that are not the whole fleet", () => {
    expect(possibleLosses(fleet).map(({ what, name }) => `${what} ${name}`)).toEqual([
      "cluster paris-1",
      "cluster paris-2",
      "cluster tokyo-1",
      "region eu",
    ]);
  });
});

describe("whatIf", () => {
  it("counts what goes on at once, and what failover brings back", async () => {
    const losses = await compare({ "paris-1": 2, "tokyo-1": 1 }, { "paris-1": 1, "tokyo-1": 2 });

    const paris = losses.find(({ loss }) => loss.name === "paris-1");
    expect(paris?.objects).toMatchObject([
      { before: { placed: 6, kept: 2, recovered: 6 }, after: { placed: 6, kept: 4, recovered: 6 } },
    ]);
  });

  it("leaves out what does not touch the object", async () => {
    const losses = await compare({ "paris-1": 1 }, { "paris-1": 1 });

    expect(losses.map(({ loss }) => loss.name)).toEqual(["paris-1", "eu"]);
  });

  it("says so when nothing is left to move to", async () => {
    const losses = await compare({ "paris-1": 1 }, { "paris-1": 1 });

    expect(losses[0]?.objects[0]?.after).toEqual({ placed: 6, kept: 0, recovered: 0 });
  });
});
