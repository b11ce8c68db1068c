import { describe, expect, it } from "vitest";
import { authorizationOf, credentialsFromSecret } from "./credentials.ts";
import { chooseRef, type GitReference, nearestName, wantedPrefixes } from "./reference.ts";

const a = "a".repeat(40);
const b = "b".repeat(40);

function choose(
  reference: GitReference,
  names: Readonly<Record<string, string>>,
): Promise<{ name: string | undefined; commit: string }> {
  const refs = Object.entries(names).map(([name, oid]) => ({ name, oid }));
  return chooseRef("https://git.example.com/x", reference, refs, async () => refs);
}

describe("chooseRef", () => {
  it("prefers commit to name to semver to tag to branch", () => {
    const all = { commit: a, name: "refs/x/y", semver: "1.x", tag: "t", branch: "b" };

    expect(wantedPrefixes(all)).toEqual([]);
    expect(wantedPrefixes({ ...all, commit: "" })).toEqual(["refs/x/y"]);
    expect(wantedPrefixes({ ...all, commit: "", name: "" })).toEqual(["refs/tags/"]);
    expect(wantedPrefixes({ tag: "t", branch: "b" })).toEqual(["refs/tags/t"]);
    expect(wantedPrefixes({ branch: "b" })).toEqual(["refs/heads/b"]);
    expect(wantedPrefixes({})).toEqual(["HEAD"]);
  });

  it("takes the whole name, not one that begins the same", async () => {
    const refs = { "refs/heads/main-old": b, "refs/heads/main": a };

    expect(await choose({ branch: "main" }, refs)).toMatchObject({ commit: a, label: "main" });
    await expect(choose({ branch: "mai" }, refs)).rejects.toThrow('did you mean "main"?');
  });

  it("decides between equal versions by name", async () => {
    expect(await choose({ semver: "1.x" }, { "refs/tags/v1.0.0": b, "refs/tags/1.0.0": a })).toMatchObject({
      commit: a,
    });
  });

  it.each([
    { branch: "-x" },
    { branch: "a b" },
    { branch: "a\nb" },
    { branch: "a..b" },
    { branch: "a//b" },
    { branch: "/a" },
    { branch: "a." },
    { branch: "a.lock" },
    { branch: "a@{1}" },
    { branch: "x".repeat(2000) },
    { tag: "~1" },
    { tag: "../../HEAD" },
    { name: "main" },
    { name: "refs/../x" },
    { commit: "abc" },
    { commit: `${a}0` },
    { commit: a, branch: "-x" },
    { semver: "latest" },
  ])("refuses $branch$tag$name$commit$semver", (reference) => {
    expect(() => wantedPrefixes(reference)).toThrow(expect.objectContaining({ code: "git-ref-invalid" }));
  });
});

describe("nearestName", () => {
  it.each([
    ["mian", ["main", "release"], "main"],
    ["relase", ["main", "release"], "release"],
    ["Main", ["main"], "main"],
    ["feature/login", ["main", "feature/logins"], "feature/logins"],
    ["x", ["main"], undefined],
    ["production", ["main", "staging"], undefined],
  ])("for %s among %j is %s", (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });
});

describe("credentialsFromSecret", () => {
  it("knows the keys of Flux and Argo CD and ignores others", () => {
    const bytes = Buffer.from("ann\n");

    expect(credentialsFromSecret({ username: bytes, password: "p", type: "git", url: "x" })).toEqual({
      username: "ann",
      password: "p",
    });
    expect(credentialsFromSecret({ sshPrivateKey: "KEY\nEND\n", known_hosts: "h k" })).toEqual({
      identity: "KEY\nEND\n",
      knownHosts: "h k",
    });
    expect(credentialsFromSecret({ caFile: "old", "ca.crt": "new" })).toEqual({ caFile: "new" });
    expect(credentialsFromSecret({ password: "" })).toEqual({});
  });

  it("refuses a value that would add a header, without showing it", () => {
    expect(() => credentialsFromSecret({ bearerToken: "s3cr3t\r\nX-Evil: 1" })).toThrow("more than one line");
    expect(() => credentialsFromSecret({ bearerToken: "s3cr3t\r\nX-Evil: 1" })).not.toThrow("s3cr3t");
  });

  it("makes a header", () => {
    expect(authorizationOf({ bearerToken: "t", username: "u" })).toBe("Bearer t");
    expect(authorizationOf({ username: "u", password: "ä:b" })).toBe(
      `Basic ${Buffer.from("u:ä:b").toString("base64")}`,
    );
    expect(authorizationOf({ password: "p" })).toBe(`Basic ${Buffer.from("git:p").toString("base64")}`);
    expect(authorizationOf({})).toBeUndefined();
  });
});
