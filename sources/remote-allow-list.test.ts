import { describe, expect, it } from "vitest";
import { findAllowed, locateRemote, parseAllowedRemote } from "./remote-allow-list.ts";

function isAllowed(address: string, ...patterns: string[]): boolean {
  const allowed = patterns.map((pattern) => parseAllowedRemote(pattern));
  try {
    return findAllowed(locateRemote(address), allowed) !== undefined;
  } catch {
    return false;
  }
}

describe("an allow-list of remote bases", () => {
  it.each([
    ["github.com", "https://github.com/acme/base"],
    ["github.com/acme", "https://github.com/acme/base"],
    ["github.com/acme/base", "https://github.com/acme/base"],
    ["github.com/acme/base", "https://github.com/acme/base.git"],
    ["github.com/acme/base.git", "https://github.com/acme/base"],
    ["https://GitHub.com/acme/", "https://GITHUB.com/acme/base"],
    ["github.com/acme", "https://git@github.com:443/acme//base/"],
    ["github.com/acme", "git@github.com:acme/base.git"],
    ["github.com/acme", "github.com:acme/base.git"],
    ["host.example/group", "ssh://git@host.example:7999/group/sub/base.git"],
    ["http://host.example:8080/git", "http://host.example:8080/git/base"],
    ["file:///srv/git", "file:///srv/git/base"],
    ["github.com/acme", "https://github.com/other/../acme/base"],
  ])("%s allows %s", (pattern, address) => {
    expect(isAllowed(address, pattern)).toBe(true);
  });

  it.each([
    ["github.com/acme", "https://github.com/acme-evil/base"],
    ["github.com/acme", "https://github.com/Acme/base"],
    ["github.com/acme", "https://github.com/acme/../evil/base"],
    ["github.com/acme", "https://github.com/acme/%2e%2e/evil/base"],
    ["github.com/acme", "https://github.com/acme/..%2fevil/base"],
    ["github.com/acme", "https://github.com/acme/%252e%252e/evil/base"],
    ["github.com/acme", "https://github.com/acme\\..\\evil"],
    ["github.com/acme", "https://github.com\\@evil.example/acme/base"],
    ["github.com/acme", "https://github.com/acme/base\n"],
    ["github.com", "https://github.com@evil.example/acme/base"],
    ["github.com", "https://github.com:pass@evil.example/acme/base"],
    ["github.com", "https://github.com.evil.example/acme/base"],
    ["github.com", "https://github.com./acme/base"],
    ["github.com", "https://github.com:8443/acme/base"],
    ["github.com", "https://evil.example/?github.com/acme"],
    ["github.com", "https://evil.example/#github.com"],
    ["github.com", "evil.example:github.com/acme"],
    ["github.com", "git@evil.example:github.com/acme"],
    ["github.com", "http://github.com/acme/base"],
    ["github.com", "file:///github.com/acme"],
    ["github.com", "ext::sh -c evil"],
    ["github.com", "https://user:secret@github.com/acme/base"],
    ["https://host.example", "http://host.example/base"],
    ["http://host.example", "https://host.example/base"],
    ["file:///srv/git", "file:///srv/git/../secret"],
    ["file:///srv/git", "file://host/srv/git/base"],
    ["127.0.0.1", "https://2130706433.example/base"],
  ])("%s does not allow %s", (pattern, address) => {
    expect(isAllowed(address, pattern)).toBe(false);
  });

  it("goes by the longest pattern", () => {
    const allowed = [
      parseAllowedRemote("host/org", { unpinned: true }),
      parseAllowedRemote("host/org/base"),
      parseAllowedRemote("host"),
    ];

    expect(findAllowed(locateRemote("https://host/org/base.git"), allowed)?.pattern).toBe("host/org/base");
    expect(findAllowed(locateRemote("https://host/org/other"), allowed)).toMatchObject({ unpinned: true });
  });

  it.each(["", "https://", "github.com/*", "user@host/x", "ftp://host/x", "host/x?ref=1", "host x"])(
    "does not take the pattern %j",
    (pattern) => {
      expect(() => parseAllowedRemote(pattern)).toThrow(expect.objectContaining({ code: "remote-pattern-invalid" }));
    },
  );

  it("shows no password in its errors", () => {
    expect(() => locateRemote("https://ann:s3cret@host/x")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cret") }),
    );
  });
});
