import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isObject } from "../../../kube/object.ts";
import { runFlaghoist } from "../../../test/run-flaghoist.ts";

const GOOD = `apiVersion: config.flaghoist.io/v1alpha1
kind: FleetScenario
metadata: {name: good}
clusters: [{names: "m-{number}", count: 2, nodes: 1}]
timeline:
  - {at: 1m, fault: {type: down, name: cut, target: {clusters: [m-1]}, for: 1m}}
  - {at: 90s, comment: m-1 is away, expect: {target: {clusters: [m-1]}, reachable: false}}
  - {at: 3m, expect: {apiVersion: v1, kind: Node, equals: 1}}
`;
const BAD = `apiVersion: config.flaghoist.io/v1alpha1
kind: FleetScenario
metadata: {name: bad}
clusters: [{name: A, nodse: 1}]
`;

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "fleet-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

describe("flaghoist fleet validate", () => {
  it("tells what is in good files, and everything that is wrong with bad ones", async () => {
    const cwd = folder({ "good.yaml": GOOD, "bad.yaml": BAD });

    const ran = await runFlaghoist(["fleet", "validate", "good.yaml", "bad.yaml", "none.yaml"], { cwd });

    expect(ran.code).toBe(1);
    expect(ran.out).toBe("good.yaml: 2 clusters, 2 nodes, 3 steps in 4m\n");
    expect(ran.err).toMatch(/^bad\.yaml:4:13: clusters\[0\]\.name: is "A", which is no name of a cluster/);
    expect(ran.err).toContain("bad.yaml:4:22: clusters[0].nodse: there is no such field. Did you mean nodes?\n");
    expect(ran.err).toContain("none.yaml cannot be read: ");
  });

  it("wants a file", async () => {
    expect((await runFlaghoist(["fleet", "validate"], { cwd: "/" })).code).toBe(2);
  });
});

describe("flaghoist fleet play", () => {
  it("tells what happens and whether it is as expected", async () => {
    const ran = await runFlaghoist(["fleet", "play", "good.yaml"], { cwd: folder({ "good.yaml": GOOD }) });

    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out.split("\n").map((line) => line.trim())).toEqual([
      "1m       cut (down) began (m-1)",
      "1m30s  ok   expected m-1 is away (m-1)",
      "2m       cut (down) ended (m-1)",
      "3m  ok   expected Node (m-1, m-2)",
      "2 clusters, 4m: 2 as expected, 0 not",
      "",
    ]);
  });

  it("fails when something is not as expected", async () => {
    const text = GOOD.replace("equals: 1", "equals: 7");

    const ran = await runFlaghoist(["fleet", "play", "x.yaml", "-o", "json"], { cwd: folder({ "x.yaml": text }) });

    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ problems: 1, open: 0 });
  });

  it("refuses a seed that is none", async () => {
    const ran = await runFlaghoist(["fleet", "play", "x.yaml", "--seed", "-1"], { cwd: folder({ "x.yaml": GOOD }) });

    expect(ran.code).toBe(2);
  });
});

describe("flaghoist fleet schema", () => {
  it("prints the schema that editors take", async () => {
    const ran = await runFlaghoist(["fleet", "schema"], { cwd: "/" });

    const schema: unknown = JSON.parse(ran.out);
    expect(isObject(schema) && schema["title"]).toBe("FleetScenario");
  });
});
