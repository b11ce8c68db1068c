import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { silentLogger } from "../../../runtime/logger.ts";
import { findCode } from "./code-cache.ts";

const scratch = mkdtempSync(join(tmpdir(), "flaghoist-code-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

function place(name: string): string {
  vi.stubEnv("NODE_COMPILE_CACHE", join(scratch, name));
  return join(scratch, `${name}-plans`);
}

describe("findCode", () => {
  it("has the folder filled once for a version, whoever asks meanwhile", async () => {
    const folder = place("shared");
    const filled: string[] = [];
    const fill = async (where: string): Promise<void> => {
      filled.push(where);
    };

    const found = await Promise.all([findCode("1", fill, silentLogger), findCode("1", fill, silentLogger)]);

    expect(found).toEqual([folder, folder]);
    expect(filled).toEqual([folder]);
    await findCode("2", fill, silentLogger);
    expect(filled).toHaveLength(2);
  });

  it("does without where code cannot be kept or made", async () => {
    writeFileSync(`${place("file")}`, "");
    const nowhere = await findCode("1", async () => {}, silentLogger);
    const folder = place("failing");
    const unmade = await findCode("1", () => Promise.reject(new Error("no memory")), silentLogger);

    expect([nowhere, unmade]).toEqual([undefined, undefined]);
    expect(existsSync(join(folder, `complete-1-${process.versions.node}`))).toBe(false);
  });
});
