import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configMap, settleControllers, startTestServer } from "../test-server.ts";
import { checkStore, hasErrors } from "./fsck.ts";
import { repairStore } from "./repair.ts";
import { checksum } from "./schema.ts";
import { writeOldStore } from "./testdata/old-store.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-fsck-"));
  path = join(folder, "store.db");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A store with three ConfigMaps, the second of which was written twice. */
async function writeStore(): Promise<void> {
  const { server, call } = await startTestServer({ database: path });
  for (const name of ["a", "b", "c"]) await call("POST", CONFIG_MAPS, configMap(name, { value: "first" }));
  await call("PUT", `${CONFIG_MAPS}/b`, configMap("b", { value: "second" }));
  await settleControllers();
  await server.close();
}

function sql(text: string, ...values: (string | number | Uint8Array)[]): void {
  const database = new DatabaseSync(path);
  database.prepare(text).run(...values);
  database.close();
}

/** Changes the text of the last version of a ConfigMap; with `sum` as if it had been written so. */
function rewrite(name: string, change: (text: string) => string, keepSum = false): void {
  const database = new DatabaseSync(path);
  const row = database
    .prepare("SELECT rev, value, sum FROM log WHERE res = 'configmaps' AND name = ? ORDER BY rev DESC LIMIT 1")
    .get(name);
  const value = Buffer.from(change(Buffer.from(row?.["value"] as Uint8Array).toString()));
  const sum = keepSum ? (row?.["sum"] as number) : checksum(value);
  database.prepare("UPDATE log SET value = ?, sum = ? WHERE rev = ?").run(value, sum, row?.["rev"] as number);
  database.close();
}

function errors(): string[] {
  return checkStore(path)
    .findings.filter((finding) => finding.severity === "error")
    .map(({ rule, object, message }) => `${rule}: ${object ?? ""}: ${message}`);
}

async function valuesInStore(): Promise<Record<string, unknown>> {
  const { server, call } = await startTestServer({ database: path });
  const { body } = await call("GET", CONFIG_MAPS);
  const entries = body["items"]!.map((item) => [String(item["metadata"]!["name"]), item["data"]?.["value"]]);
  await server.close();
  return Object.fromEntries(entries);
}

describe("checkStore", () => {
  it("finds nothing wrong with what a server wrote, also while it runs", async () => {
    const { server, call } = await startTestServer({ database: path, authorization: "rbac" });
    await call("POST", CONFIG_MAPS, configMap("a"));
    const { body } = await call("GET", "/api/v1/namespaces?limit=1");

    const report = checkStore(path);

    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ path, schema: 2, revision: Number(body["metadata"]!["resourceVersion"]) });
    await server.close();
    expect(checkStore(path)).toMatchObject({ objects: report.objects, findings: [] });
  });

  it.each<[string, () => void, string]>([
    [
      "a changed letter",
      () => rewrite("a", (text) => text.replace("first", "fIrst"), true),
      "checksum: configmaps default/a: is not what was written: its checksum differs",
    ],
    [
      "text that is no JSON",
      () => rewrite("a", (text) => text.slice(1)),
      "json: configmaps default/a: is no JSON object with metadata",
    ],
    [
      "another name inside",
      () => rewrite("a", (text) => text.replace('"name":"a"', '"name":"z"')),
      'identity: configmaps default/a: has metadata.name "z" under the key "a"',
    ],
    [
      "another revision inside",
      () => rewrite("a", (text) => text.replace(/"resourceVersion":"\d+"/, '"resourceVersion":"1"')),
      "identity: configmaps default/a: has metadata.resourceVersion",
    ],
    [
      "a key that is no name",
      () => sql("UPDATE log SET name = 'a/b' WHERE name = 'a'"),
      "name: configmaps default/a/b: has the name \"a/b\", which may not contain '/'",
    ],
    [
      "one uid twice",
      () => {
        sql("UPDATE log SET uid = 'same' WHERE res = 'configmaps' AND name IN ('a', 'c')");
        for (const name of ["a", "c"]) rewrite(name, (text) => text.replace(/"uid":"[^"]+"/, '"uid":"same"'));
      },
      "uid: configmaps default/c: has the uid of configmaps default/a (same)",
    ],
    [
      "a row of no known type",
      () => sql("UPDATE log SET type = 7 WHERE name = 'a'"),
      "row: configmaps default/a: has the unknown type 7",
    ],
    [
      "a key that signs nothing",
      () => sql("UPDATE meta SET v = 'nonsense' WHERE k LIKE 'kept:%'"),
      "key: : the key for ServiceAccount tokens cannot be read",
    ],
    [
      "a schema of the future",
      () => sql("UPDATE meta SET v = 9 WHERE k = 'schema'"),
      "schema: : schema version 9 is of a newer program; this one reads up to 2",
    ],
  ])("finds %s", async (_what, damage, expected) => {
    await writeStore();
    damage();

    expect(errors().some((line) => line.startsWith(expected))).toBe(true);
  });

  it("notes owners and namespaces that do not exist, and counts them as no error", async () => {
    await writeStore();
    rewrite("a", (text) =>
      text.replace(
        '"metadata":{',
        '"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"gone"}],',
      ),
    );

    const report = checkStore(path);

    expect(report.findings).toEqual([
      {
        severity: "note",
        rule: "owner",
        object: "configmaps default/a",
        message: "its owner Pod p (uid gone) does not exist",
      },
    ]);
    expect(hasErrors(report)).toBe(false);
  });

  it("reads a store of an older schema, and notes that it will change", () => {
    writeOldStore(path, ["a"]);

    expect(checkStore(path)).toMatchObject({
      schema: 1,
      objects: 1,
      findings: expect.arrayContaining([expect.objectContaining({ severity: "note", rule: "schema" })]),
    });
  });

  it("reports a header of garbage, and fails for a file that is not there", async () => {
    await writeStore();
    writeFileSync(path, Buffer.concat([Buffer.from("garbage, garbage"), readFileSync(path).subarray(16)]));

    expect(errors()).toEqual(["integrity: : file is not a database"]);
    expect(() => checkStore(join(folder, "none.db"))).toThrow(/there is no store at .+none.db/);
  });
});

describe("repairStore", () => {
  it("leaves a sound store alone", async () => {
    await writeStore();

    expect(repairStore(path)).toMatchObject({ actions: [], copy: undefined });
    expect(existsSync(`${path}.before-repair`)).toBe(false);
  });

  it("puts an object back to its last good version, leaves out one that has none, and keeps the old file", async () => {
    await writeStore();
    rewrite("b", (text) => text.replace("second", "sEcond"), true);
    rewrite("c", (text) => text.slice(1));
    const old = readFileSync(path);

    const result = repairStore(path);

    expect(result.actions).toEqual([
      expect.stringMatching(/^configmaps default\/c: left out, as revision \d+ is no JSON object with metadata$/),
      expect.stringMatching(
        /^configmaps default\/b: put back to its revision \d+, as revision \d+ is not what was written/,
      ),
    ]);
    expect(result.after.findings).toEqual([]);
    expect(readFileSync(result.copy ?? "").equals(old)).toBe(true);
    expect(await valuesInStore()).toMatchObject({ a: "first", b: "first" });
  });

  it("makes objects agree with their keys", async () => {
    await writeStore();
    rewrite("a", (text) => text.replace('"name":"a"', '"name":"z"'));

    expect(repairStore(path).after.findings).toEqual([]);
    expect(await valuesInStore()).toMatchObject({ a: "first", b: "second", c: "first" });
  });

  it("saves what is on the pages that can be read", async () => {
    const { server, call } = await startTestServer({ database: path });
    for (let i = 0; i < 60; i++) await call("POST", CONFIG_MAPS, configMap(`n${i}`, { value: "v".repeat(500) }));
    await server.close();
    const content = readFileSync(path);
    const page = Math.floor(content.indexOf('"name":"n30"') / 4096);
    writeFileSync(
      path,
      Buffer.concat([content.subarray(0, page * 4096), Buffer.alloc(4096), content.subarray((page + 1) * 4096)]),
    );

    const result = repairStore(path);

    expect(result.before.findings.some((finding) => finding.rule === "integrity")).toBe(true);
    expect(result.actions.some((action) => /^lost what revisions \d+ to \d+ wrote/.test(action))).toBe(true);
    expect(result.after.findings).toEqual([]);
    const left = Object.keys(await valuesInStore()).filter((name) => name.startsWith("n"));
    expect(left).not.toContain("n30");
    expect(left.length).toBeGreaterThan(45);
  });

  it("says that only a backup helps when nothing can be read", async () => {
    await writeStore();
    writeFileSync(path, "garbage, garbage, garbage, garbage, garbage, garbage, garbage, garbage, garbage, garbage");

    expect(() => repairStore(path)).toThrow(/nothing in it can be read .+ only a backup helps/);
    expect(readFileSync(path, "utf8")).toMatch(/^garbage/);
  });
});
