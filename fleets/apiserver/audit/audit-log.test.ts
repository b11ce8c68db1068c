import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { AuditLog } from "./audit-log.ts";

let folder: string;
let path: string;
let clock: FakeClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-audit-"));
  path = join(folder, "audit.log");
  clock = new FakeClock();
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open(options: { maxBytes?: number; maxBackups?: number } = {}): Promise<AuditLog> {
  return AuditLog.open({ path, maxBytes: 0, maxBackups: 0, clock, logger: silentLogger, ...options });
}

describe("AuditLog", () => {
  it("writes lines in order behind those that are there, for its owner only", async () => {
    for (const text of ["a\n", "b\n"]) {
      const log = await open();
      for (let i = 0; i < 3; i++) expect(log.write(text)).toBe(true);
      await log.close();
    }

    expect(readFileSync(path, "utf8")).toBe("a\na\na\nb\nb\nb\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("puts the file aside at its size, and keeps the newest ones", async () => {
    const log = await open({ maxBytes: 10, maxBackups: 2 });
    for (const text of ["1234567\n", "2345678\n", "3456789\n", "4567890\n"]) {
      log.write(text);
      await log.flush();
      await clock.advance(1000);
    }
    await log.close();

    expect(readFileSync(path, "utf8")).toBe("4567890\n");
    const aside = readdirSync(folder).filter((name) => name !== "audit.log");
    expect(aside).toEqual(["audit-2026-01-01T00-00-02.000.log", "audit-2026-01-01T00-00-03.000.log"]);
    expect(aside.map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(["2345678\n", "3456789\n"]);
  });

  it("refuses lines beyond what may wait, and after its end", async () => {
    const log = await open();
    const line = "x".repeat(40_000_000);

    expect([log.write(line), log.write(line)]).toEqual([true, false]);
    await log.close();

    expect(log.write("a\n")).toBe(false);
    expect(statSync(path).size).toBe(line.length);
  });

  it("rejects for a file that cannot be opened", async () => {
    path = join(folder, "none", "audit.log");

    await expect(open()).rejects.toThrow("ENOENT");
  });
});
