import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture, manifests } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { indexPack } from "./index-pack.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { ObjectStore } from "./object-store.ts";
import { type GitObject, objectName } from "./objects.ts";
import { writeEntryHeader } from "./pack-entry.ts";
import { PackIndex } from "./pack-index.ts";

const signal = new AbortController().signal;
const HELLO: GitObject = { type: "blob", content: Buffer.from("hello world") };
/** Of a base of 11 bytes, the first five. */
const FIRST_FIVE = Buffer.from([11, 5, 0x90, 5]);

function packOf(...entries: readonly Buffer[]): Buffer {
  const header = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  header.writeUInt32BE(entries.length, 8);
  const content = Buffer.concat([header, ...entries]);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}

function whole({ type, content }: GitObject): Buffer {
  return Buffer.concat([writeEntryHeader(type, content.length), deflateSync(content)]);
}

/** A delta that names its base. */
function onNamed(base: string, delta: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(7 << 4) | delta.length]), Buffer.from(base, "hex"), deflateSync(delta)]);
}

function names(index: Buffer): string[] {
  return Array.from(new PackIndex(index).objects(), ({ oid }) => oid);
}

describe("indexPack", () => {
  const hello = objectName("blob", HELLO.content);
  const five = objectName("blob", Buffer.from("hello"));

  it("names objects whose base comes later, and those that build upon them", async () => {
    const he = objectName("blob", Buffer.from("he"));
    const pack = packOf(onNamed(five, Buffer.from([5, 2, 0x90, 2])), onNamed(hello, FIRST_FIVE), whole(HELLO));

    expect(names(await indexPack(pack, DEFAULT_LIMITS, signal))).toEqual([hello, five, he].sort());
  });

  it("names objects that build upon what is not in the pack, if it may", async () => {
    const pack = packOf(onNamed(hello, FIRST_FIVE));

    expect(names(await indexPack(pack, DEFAULT_LIMITS, signal, () => HELLO))).toEqual([five]);
    await expect(indexPack(pack, DEFAULT_LIMITS, signal)).rejects.toMatchObject({ code: "git-corrupt" });
  });

  it("refuses deltas that lean on each other or do not fit", async () => {
    const other = "1".repeat(40);
    for (const pack of [
      packOf(onNamed(other, FIRST_FIVE), onNamed(five, FIRST_FIVE)),
      packOf(whole(HELLO), onNamed(hello, Buffer.from([12, 5, 0x90, 5]))),
    ])
      await expect(indexPack(pack, DEFAULT_LIMITS, signal)).rejects.toMatchObject({ code: "git-corrupt" });
  });

  it("does not read a large object again and again for small deltas", async () => {
    const large: GitObject = { type: "blob", content: Buffer.alloc(1000) };
    const delta = Buffer.from([0xe8, 0x07, 1, 0x90, 1]);
    const pack = packOf(...Array.from({ length: 9 }, () => onNamed(hello, delta)));
    const limits = { ...DEFAULT_LIMITS, maxInflatedBytes: 2000 };

    await expect(indexPack(pack, limits, signal, () => large)).rejects.toMatchObject({ code: "git-too-large" });
    expect(names(await indexPack(pack, { ...limits, maxInflatedBytes: 3000 }, signal, () => large)).length).toBe(1);
  });

  describe.skipIf(!hasGit())("beside git", () => {
    let fixture: GitFixture;
    beforeEach(() => {
      fixture = new GitFixture();
      fixture.commit("first", manifests(200));
      for (let i = 0; i < 12; i++) fixture.commit(`next ${i}`, { "apps/app-1/object-1.yaml": `${i}\n`.repeat(50 + i) });
    });
    afterEach(() => fixture.remove());

    function pack(input: string, ...options: readonly string[]): { pack: Buffer; index: Buffer } {
      const base = join(fixture.root, "made");
      const args = ["pack-objects", "-q", "--revs", "--depth=50", ...options, base];
      const name = execFileSync("git", args, { cwd: fixture.work, input, encoding: "utf8" }).trim();
      return { pack: readFileSync(`${base}-${name}.pack`), index: readFileSync(`${base}-${name}.idx`) };
    }

    it.each([["--delta-base-offset"], ["--no-delta-base-offset"]])("writes the same bytes with %s", async (option) => {
      const made = pack("HEAD\n", option);

      expect((await indexPack(made.pack, DEFAULT_LIMITS, signal)).equals(made.index)).toBe(true);
    });

    it("names what git sends to who has the rest", async () => {
      const args = ["pack-objects", "-q", "--revs", "--thin", "--stdout"];
      const thin = execFileSync("git", args, { cwd: fixture.work, input: "HEAD\n^HEAD~3\n" });
      const store = new ObjectStore(join(fixture.work, ".git", "objects"));

      const index = await indexPack(thin, DEFAULT_LIMITS, signal, (oid) => store.find(oid));

      const told = fixture.git("rev-list", "--objects", "HEAD", "^HEAD~3").split("\n");
      expect(names(index)).toEqual(told.map((line) => line.slice(0, 40)).sort());
      await expect(indexPack(thin, DEFAULT_LIMITS, signal)).rejects.toMatchObject({ code: "git-corrupt" });
      store.close();
    });
  });
});
