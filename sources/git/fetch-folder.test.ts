import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FetchFolder } from "./fetch-folder.ts";

describe("FetchFolder", () => {
  function folder(maxBytes: number): FetchFolder {
    const object = { type: "blob", content: Buffer.from("0123456789") } as const;
    const find = (oid: string) => (oid.startsWith("ab") ? object : undefined);
    return new FetchFolder({ shallow: [], have: undefined, check: async () => {}, lend: { find, maxBytes } });
  }

  const path = `/repository/objects/ab/${"0".repeat(38)}`;

  it("lends what a pack builds upon, as Git keeps a single object", async () => {
    const bytes = await folder(100).promises.readFile(path);

    expect(inflateSync(bytes).toString()).toBe("blob 10\u00000123456789");
    await expect(folder(100).promises.readFile(path.replace("/ab/", "/cd/"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("lends no more than it may, however often it is asked for the same", async () => {
    const lender = folder(25);
    await lender.promises.readFile(path);
    await lender.promises.readFile(path);

    await expect(lender.promises.readFile(path)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
