import { describe, expect, it } from "vitest";
import { basicAuth, tokenAuth } from "./credentials.ts";
import { errorWords } from "./error-words.ts";
import { path } from "./forge-http.ts";
import { pauseOf, waitOf } from "./rate-limit.ts";

const NOW = Date.UTC(2026, 0, 1);
const limited = (status: number, headers: Record<string, string> = {}, message = "") =>
  waitOf({ status, headers, message }, NOW);

describe("waitOf", () => {
  it.each([
    ["429 without a time is a minute", 429, {}, "", 60_000],
    ["seconds", 429, { "retry-after": "7" }, "", 7000],
    [
      "a date, by the clock of the provider",
      429,
      { "retry-after": "Thu, 01 Jan 2026 10:00:30 GMT", date: "Thu, 01 Jan 2026 10:00:00 GMT" },
      "",
      30_000,
    ],
    ["GitLab's reset", 429, { "ratelimit-remaining": "0", "ratelimit-reset": String(NOW / 1000 + 45) }, "", 45_000],
    ["a reset in seconds from now", 429, { "ratelimit-remaining": "0", "ratelimit-reset": "12" }, "", 12_000],
    ["403 with words of a secondary limit", 403, {}, "You have exceeded a secondary rate limit", 60_000],
    ["503 with a time", 503, { "retry-after": "3" }, "", 3000],
    ["never under a second", 429, { "retry-after": "0" }, "", 1000],
    ["never over six hours", 429, { "retry-after": "999999" }, "", 21_600_000],
  ])("reads %s", (_name, status, headers, message, expected) => {
    expect(limited(status, headers as Record<string, string>, message)).toBe(expected);
  });

  it.each([
    [
      "a 403 about permissions",
      403,
      { "x-ratelimit-remaining": "4999", "x-ratelimit-reset": "1" },
      "Resource not accessible",
    ],
    ["a 503 without a time", 503, {}, ""],
    ["a 404", 404, { "retry-after": "3" }, ""],
  ])("does not take %s for a limit", (_name, status, headers, message) => {
    expect(limited(status, headers as Record<string, string>, message)).toBeUndefined();
  });
});

describe("pauseOf", () => {
  it("follows what Azure DevOps asks of those it slows down", () => {
    expect(pauseOf({ status: 200, headers: { "retry-after": "4" }, message: "" }, NOW)).toBe(4000);
    expect(pauseOf({ status: 200, headers: { "x-ratelimit-remaining": "1" }, message: "" }, NOW)).toBeUndefined();
  });
});

describe("errorWords", () => {
  it.each([
    [
      "GitHub",
      { message: "Validation Failed", errors: [{ field: "head", code: "invalid" }] },
      "Validation Failed; head: invalid",
    ],
    ["GitLab, by field", { message: { note: ["can't be blank"] } }, "note can't be blank"],
    [
      "GitLab, of OAuth",
      { error: "insufficient_scope", error_description: "needs higher privileges" },
      "insufficient_scope; needs higher privileges",
    ],
    [
      "Bitbucket Cloud",
      { type: "error", error: { message: "Bad request", detail: "no such branch" } },
      "Bad request; no such branch",
    ],
    [
      "Bitbucket Data Center",
      { errors: [{ context: null, message: "Repository does not exist.", exceptionName: "x" }] },
      "Repository does not exist.",
    ],
    [
      "Azure DevOps",
      { $id: "1", message: "TF401179: An active pull request exists", typeKey: "x" },
      "TF401179: An active pull request exists",
    ],
    ["something else", "<html>", ""],
  ])("reads those of %s", (_name, body, expected) => {
    expect(errorWords(body)).toBe(expected);
  });

  it("are one short line", () => {
    expect(errorWords({ message: `a\n\u001b[31mb${"x".repeat(10_000)}` })).toMatch(/^a \[31mbx+…$/);
    expect(errorWords({ message: "x".repeat(10_000) }).length).toBe(200);
  });
});

describe("path", () => {
  it("escapes each part, so that none leads elsewhere", () => {
    const url = new URL(`https://git.example.com/api${path("repos", "a/b", "..", ".", "c?d", 7)}`);

    expect(url.pathname).toBe("/api/repos/a%2Fb/%252E%252E/%252E/c%3Fd/7");
  });
});

describe("credentials", () => {
  it.each(["", "two\nlines", "with blank inside", "tökén"])("refuse %j, and do not show it", (token) => {
    expect(() => tokenAuth(token)).toThrow(/^the credentials for the provider have an? /);
    if (token !== "") expect(() => tokenAuth(token)).not.toThrow(token);
  });

  it("lose the line end that is behind them in many a secret", async () => {
    const auth = tokenAuth("good-token\n");

    expect(await auth.headers({ signal: new AbortController().signal })).toEqual({
      authorization: "Bearer good-token",
    });
    expect(auth.secrets()).toContain("good-token");
  });

  it("refuse a user name that would change where the password begins", () => {
    expect(() => basicAuth("a:b", "c")).toThrow(/colon/);
  });
});
