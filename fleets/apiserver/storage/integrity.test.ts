import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkPagesAside } from "./integrity.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "integrity-"));
  path = join(folder, "store.db");
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE log(rev)");
  database.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function never(): void {
  throw new Error("the thread did not answer");
}

describe("checkPagesAside", () => {
  it("is content with a file that is whole", async () => {
    await expect(checkPagesAside(path, never)).resolves.toBeUndefined();
  });

  it("says what the thread could not do", async () => {
    await expect(checkPagesAside(join(folder, "none.db"), never)).rejects.toMatchObject({ code: "store-unusable" });
  });

  it("looks at the file here where the thread says nothing", async () => {
    const silent = new URL("data:text/javascript,");
    const broken = new URL("data:text/javascript,throw new Error('no memory')");
    const problem = new Error("looked at here");
    const look = () => {
      throw problem;
    };

    await expect(checkPagesAside(path, look, silent)).rejects.toBe(problem);
    await expect(checkPagesAside(path, look, broken)).rejects.toBe(problem);
    await expect(checkPagesAside(path, () => {}, broken)).resolves.toBeUndefined();
  });
});
