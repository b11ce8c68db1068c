import { describe, expect, it } from "vitest";
import { AppError, assertNever, messageOf, reasonOf } from "./errors.ts";

describe("AppError", () => {
  it("carries what its owner needs to go on, and its cause", () => {
    const cause = new Error("below");
    const error = new AppError("git-auth-failed", "no access", { recovery: "wait", afterMs: 10, cause });

    expect(error).toMatchObject({ code: "git-auth-failed", recovery: "wait", afterMs: 10, details: {}, cause });
  });
});

describe("reasonOf", () => {
  it.each([
    ["git-auth-failed", "GitAuthFailed"],
    ["api-gone", "ApiGone"],
    ["stopped", "Stopped"],
  ])("makes of %s the reason %s", (code, reason) => {
    expect(reasonOf(code)).toBe(reason);
  });
});

describe("messageOf", () => {
  it("is the message of an error and the text of anything else", () => {
    expect([messageOf(new Error("why")), messageOf("text"), messageOf(undefined)]).toEqual([
      "why",
      "text",
      "undefined",
    ]);
  });
});

describe("assertNever", () => {
  it("throws what came from outside the types", () => {
    expect(() => assertNever("surprise" as never)).toThrow('unexpected value: "surprise"');
  });
});
