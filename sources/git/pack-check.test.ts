import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { checkPack } from "./pack-check.ts";
import { writeDistance, writeEntryHeader } from "./pack-entry.ts";

const signal = new AbortController().signal;
/** Of a base of 11 bytes, the first five. */
const DELTA = Buffer.from([11, 5, 0x90, 5]);

function sealed(content: Buffer): Buffer {
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}

function packOf(...entries: readonly Buffer[]): Buffer {
  const header = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  header.writeUInt32BE(entries.length, 8);
  return sealed(Buffer.concat([header, ...entries]));
}

function blob(text: string, claimed = text.length): Buffer {
  return Buffer.concat([writeEntryHeader("blob", claimed), deflateSync(text)]);
}

function delta(distance: number, content: Buffer = DELTA): Buffer {
  return Buffer.concat([writeEntryHeader("ofs-delta", content.length), writeDistance(distance), deflateSync(content)]);
}

function check(pack: Buffer, limits: Partial<typeof DEFAULT_LIMITS> = {}): Promise<void> {
  return checkPack(pack, { ...DEFAULT_LIMITS, ...limits }, signal);
}

describe("checkPack", () => {
  const base = blob("hello world");

  it("takes a pack of whole objects and deltas", async () => {
    await check(packOf(base, delta(base.length)));
    await check(packOf());
  });

  it.each([
    ["what is cut off", packOf(base).subarray(0, -1)],
    ["less than a pack", Buffer.alloc(10)],
    ["another version", sealed(Buffer.from("PACK\0\0\0\x03\0\0\0\0", "latin1"))],
    ["something else", sealed(Buffer.from("<html>hello</html>"))],
    ["a delta on itself", packOf(base, delta(0))],
    ["a delta on no entry", packOf(base, delta(3))],
    ["a delta from before the pack", packOf(base, delta(4000))],
    ["an object that inflates to more than it claims", packOf(blob("x".repeat(50 << 20), 10))],
    ["an object that inflates to less than it claims", packOf(blob("short", 10))],
    ["fewer objects than it claims", sealed(Buffer.from("PACK\0\0\0\x02\0\0\0\x01", "latin1"))],
    ["more than it claims", sealed(Buffer.concat([packOf(base).subarray(0, -20), base]))],
  ])("refuses %s", async (_, pack) => {
    await expect(check(pack)).rejects.toMatchObject({ code: "git-corrupt" });
  });

  it("refuses a chain of deltas without end", async () => {
    const one = delta(base.length);
    const chain = Array.from({ length: 5000 }, () => delta(one.length));

    await expect(check(packOf(base, one, ...chain))).rejects.toThrow("a chain of deltas is longer");
  });

  it("bounds what a delta makes before it is made", async () => {
    const huge = Buffer.from([11, 0xff, 0xff, 0xff, 0xff, 0x7f]);

    await expect(check(packOf(base, delta(base.length, huge)))).rejects.toMatchObject({ code: "git-too-large" });
    await expect(check(packOf(base, base), { maxInflatedBytes: 20 })).rejects.toMatchObject({ code: "git-too-large" });
    await expect(check(packOf(base, base), { maxObjects: 1 })).rejects.toMatchObject({ code: "git-too-large" });
  });

  it.skipIf(!hasGit())("survives any single byte of a pack being other than it was", async () => {
    const fixture = new GitFixture();
    fixture.commit("first", { a: "some text that is long enough\n".repeat(20), b: "b" });
    fixture.git("repack", "-adq");
    const folder = join(fixture.work, ".git", "objects", "pack");
    const name = readdirSync(folder).find((file) => file.endsWith(".pack")) ?? "";
    const good = readFileSync(join(folder, name));
    fixture.remove();

    await check(good);
    for (let at = 0; at < good.length - 20; at++) {
      const bad = Buffer.from(good.subarray(0, -20));
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
      await check(sealed(bad)).catch((error: unknown) => expect(error).toMatchObject({ name: "AppError" }));
    }
  });
});
