// backup, restore and fsck, as the command line runs them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { databaseIn } from "../../../fleets/apiserver/storage/data-folder.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type Ran, runFlaghoist } from "../../../test/run-flaghoist.ts";
import { EXIT } from "../command.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-store-commands-"));
  mkdirSync(join(folder, ".flaghoist"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function flaghoist(...args: string[]): Promise<Ran> {
  return runFlaghoist(args, { cwd: folder });
}

function openServer() {
  const database = databaseIn(join(folder, ".flaghoist"));
  return createApiServer({ name: "control-plane", clock: systemClock, logger: silentLogger, database });
}

async function writeSecret(): Promise<void> {
  const server = await openServer();
  await server.handle({
    method: "POST",
    path: "/api/v1/namespaces/default/secrets",
    object: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { password: "hunter2" } },
  });
  await server.close();
}

describe("flaghoist backup, restore and fsck", () => {
  it("go round, and never print what is in secrets", async () => {
    await writeSecret();

    const backup = await flaghoist("backup", "b1");
    const restored = await flaghoist("restore", "b1", "--force");
    const checked = await flaghoist("fsck");

    expect([backup.code, restored.code, checked.code]).toEqual([EXIT.ok, EXIT.ok, EXIT.ok]);
    expect(backup.out).toMatch(
      /^Wrote and read back .+b1\n {2}taken .+\n {2}revision +\d+\n {2}objects +\d+\n {2}bytes +\d+\n/,
    );
    expect(restored.out).toMatch(/starts from revision 10000000\d\d: clients with older or later ones list again/);
    expect(restored.out).toMatch(/The store that was there is in .+before-restore-/);
    expect(checked.out).toContain("Nothing is wrong.\n");
    for (const { out, err } of [backup, restored, checked]) expect(out + err).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it("answer a damaged store with code 3, mend it, and say what was done", async () => {
    await writeSecret();
    const path = databaseIn(join(folder, ".flaghoist"));
    const content = readFileSync(path);
    content.write("X", content.lastIndexOf("aHVudGVyMg"));
    writeFileSync(path, content);

    const checked = await flaghoist("fsck", "-o", "json");
    const mended = await flaghoist("fsck", "--repair");
    const again = await flaghoist("fsck");

    expect(checked.code).toBe(EXIT.differences);
    expect(JSON.parse(checked.out).findings).toEqual([
      expect.objectContaining({ severity: "error", rule: "checksum", object: "secrets default/s" }),
    ]);
    expect(mended.code).toBe(EXIT.ok);
    expect(mended.out).toMatch(/secrets default\/s: left out, as revision \d+ is not what was written/);
    expect(mended.out).toMatch(/The old file is .+before-repair/);
    expect(again.code).toBe(EXIT.ok);
  });

  it("leave a running server alone", async () => {
    const server = await openServer();

    const backup = await flaghoist("backup", "b1");
    const checked = await flaghoist("fsck");
    const mended = await flaghoist("fsck", "--repair");
    const restored = await flaghoist("restore", "b1", "--force");

    expect([backup.code, checked.code]).toEqual([EXIT.ok, EXIT.ok]);
    expect([mended.code, restored.code]).toEqual([EXIT.failed, EXIT.failed]);
    for (const { err } of [mended, restored]) expect(err).toContain("another program has the store");
    await server.close();
  });

  it.each([
    [["backup"], EXIT.usage, "backup to where?"],
    [["restore", "a", "b"], EXIT.usage, "restore what?"],
    [["restore", "b1", "--bump-revision", "-5"], EXIT.usage, "--bump-revision"],
    [["fsck", "folder"], EXIT.usage, "fsck takes no arguments"],
    [["fsck"], EXIT.failed, "there is no store at"],
    [["backup", "b1"], EXIT.failed, "there is no store at"],
    [["restore", "none"], EXIT.failed, "there is no store at"],
  ])("answer %j with what is wrong", async (args, code, words) => {
    const ran = await flaghoist(...args);

    expect(ran).toMatchObject({ code, out: "", err: expect.stringContaining(words) });
  });
});
