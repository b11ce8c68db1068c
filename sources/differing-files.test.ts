import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../test/git-fixture.ts";
import { hasGit } from "../test/git-server.ts";
import { differingFiles } from "./differing-files.ts";
import { DirectoryTree } from "./directory.ts";
import { isSameRepository } from "./git/same-repository.ts";
import { openWorkingCopy } from "./git/working-copy.ts";

describe.skipIf(!hasGit())("differingFiles", () => {
  let fixture: GitFixture;
  beforeEach(() => {
    fixture = new GitFixture();
  });
  afterEach(() => fixture.remove());

  it("names what is new, gone, changed or another kind of thing on disk, and nothing of Git's own", () => {
    fixture.commit("one", { "a/same": "1", "a/changed": "1", gone: "1", folder: "1", link: { link: "a/same" } });
    fixture.git("rm", "-q", "--cached", "gone");
    fixture.write({ "a/changed": "2", "a/new": "1", link: { link: "a/changed" } });
    rmSync(join(fixture.work, "gone"));
    rmSync(join(fixture.work, "folder"));
    fixture.write({ "folder/file": "1" });
    const copy = openWorkingCopy(fixture.work);

    expect(differingFiles(copy.tree(copy.resolve("HEAD")), new DirectoryTree(fixture.work))).toEqual([
      "a/changed",
      "a/new",
      "folder",
      "folder/file",
      "gone",
      "link",
    ]);
    copy.close();
  });

  it("finds nothing between a commit and its checkout", () => {
    fixture.commit("one", { "a/b": "1", c: "2" });
    const copy = openWorkingCopy(fixture.work);

    expect(differingFiles(copy.tree(copy.resolve("HEAD")), new DirectoryTree(fixture.work))).toEqual([]);
    copy.close();
  });

  it("knows the addresses that a checkout is fetched from", () => {
    fixture.commit("one");
    fixture.git("remote", "add", "fork", "git@git.example.com:ann/shop.git");
    const copy = openWorkingCopy(fixture.work);

    expect(copy.remotes()).toEqual([fixture.bare, "git@git.example.com:ann/shop.git"]);
    copy.close();
  });
});

describe("isSameRepository", () => {
  const address = "https://git.example.com/acme/shop.git";

  it.each([
    "https://git.example.com/acme/shop",
    "https://ann:x@GIT.example.com/acme/shop.git/",
    "git@git.example.com:acme/shop.git",
    "ssh://git@git.example.com:2222/acme/shop",
  ])("takes %s for the same", (other) => expect(isSameRepository(address, other)).toBe(true));

  it.each([
    "https://git.example.com/acme/shop2",
    "https://other.example.com/acme/shop",
    "git@git.example.com:ann/shop.git",
    "/srv/acme/shop.git",
  ])("tells %s apart", (other) => expect(isSameRepository(address, other)).toBe(false));
});
