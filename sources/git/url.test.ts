import { describe, expect, it } from "vitest";
import { redactUrl } from "../redact-url.ts";
import { locateRepository } from "./url.ts";

describe("locateRepository", () => {
  it.each([
    ["https://git.example.com/team/shop.git", "http"],
    ["HTTP://git.example.com:8080/shop/", "http"],
    ["ssh://git@git.example.com:2222/team/shop.git", "ssh"],
    ["git@git.example.com:team/shop.git", "ssh"],
    ["git.example.com:shop.git", "ssh"],
    ["file:///srv/git/shop.git", "local"],
    ["/srv/git/my shop", "local"],
    ["./shop", "local"],
  ])("takes %s as %s", (url, kind) => {
    expect(locateRepository(url).kind).toBe(kind);
  });

  it.each([
    "",
    "-oProxyCommand=touch x",
    "--upload-pack=evil",
    "ssh://-oProxyCommand=evil/x",
    "ssh://git@-evil/x",
    "ssh://-evil@host/x",
    "ssh://host/-evil",
    "ssh://host/%2Devil",
    "ssh://git:s3cr3t@host/x",
    "-evil@host:x",
    "git@-evil:x",
    "git@host:-evil",
    "ext::sh -c evil",
    "ext::evil",
    "fd::17",
    "git://host/x",
    "ftp://host/x",
    "javascript://host/x",
    "https://",
    "https://host/x?token=s3cr3t",
    "https://host/x#s3cr3t",
    "https://host/a b",
    "https://host/a\nb",
    "https://ann:%zz@host/x",
    "file://otherhost/x",
    "/srv/\0",
    "shop",
  ])("refuses %j without showing a s3cr3t", (url) => {
    expect(() => locateRepository(url)).toThrow(expect.objectContaining({ code: "git-url-invalid" }));
    try {
      locateRepository(url);
    } catch (error) {
      expect(String(error)).not.toContain("s3cr3t");
    }
  });

  it("separates what a URL holds to sign in", () => {
    expect(locateRepository("https://ann:p%40ss@host/x/")).toMatchObject({ username: "ann", password: "p@ss" });
    const location = locateRepository("https://ann:p%40ss@host/x/");
    expect(location.kind === "http" && location.url.href).toBe("https://host/x");
  });
});

describe("redactUrl", () => {
  it.each([
    ["https://ann:s3cr3t@host/x", "https://host/x"],
    ["https://s3cr3t@host/x?secret#s3cr3t", "https://host/x"],
    ["ssh://git:s3cr3t@host/x", "ssh://git@host/x"],
    ["git@host:team/x.git", "git@host:team/x.git"],
    ["ann:s3cr3t@host/x", "host/x"],
    ["https://ann:s3cr3t@[broken/x", "https://[broken/x"],
    ["https://host/x\n\u001b[31mfake", "https://host/x"],
    ["/srv/git", "/srv/git"],
  ])("makes %j into %s", (url, safe) => {
    expect(redactUrl(url).slice(0, safe.length)).toBe(safe);
    expect(redactUrl(url)).not.toMatch(/s3cr3t|\n/);
  });
});
