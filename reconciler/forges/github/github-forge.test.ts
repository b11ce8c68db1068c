import { generateKeyPairSync, verify } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeGitHub } from "../../../test/forges/fake-github.ts";
import { HEAD_SHA, TOKEN } from "../../../test/forges/fake-server.ts";
import { type Opened, openFake, PROVIDERS } from "../../../test/forges/providers.ts";
import type { Call, Check, CheckAnnotation } from "../forge.ts";
import { withMarker } from "../marker.ts";

const call: Call = { signal: new AbortController().signal };
const GITHUB = PROVIDERS.find(({ kind }) => kind === "github")!;

let server: FakeGitHub;
let opened: Opened;

beforeEach(async () => {
  server = await new FakeGitHub().start();
  opened = openFake(GITHUB, server);
});
afterEach(async () => {
  opened.forge.close();
  await server.stop();
});

function annotations(count: number): CheckAnnotation[] {
  return Array.from({ length: count }, (_, index) => ({
    path: "apps/web.yaml",
    startLine: index + 1,
    level: "warning",
    message: `line ${index + 1}`,
  }));
}

function check(more: Partial<Check> = {}): Check {
  return {
    name: "Flaghoist plan",
    conclusion: "success",
    title: "3 changes",
    summary: "| a | b |",
    annotations: [],
    ...more,
  };
}

describe("check runs", () => {
  it("carry all annotations, by fifties, each once", async () => {
    const published = await opened.forge.publishCheck(
      HEAD_SHA,
      check({ annotations: annotations(120), conclusion: "failure" }),
      call,
    );

    expect(published).toMatchObject({ as: "check run", annotations: 120 });
    expect(server.checks).toHaveLength(1);
    expect(server.checks[0]?.conclusion).toBe("failure");
    expect(server.checks[0]?.annotations.map(({ line }) => line)).toEqual(
      annotations(120).map(({ startLine }) => startLine),
    );
  });

  it("are left alone when they say the same already", async () => {
    await opened.forge.publishCheck(HEAD_SHA, check({ annotations: annotations(60) }), call);
    const before = server.requests.length;

    await opened.forge.publishCheck(HEAD_SHA, check({ annotations: annotations(60) }), call);

    expect(server.requests.slice(before).filter((line) => !line.startsWith("GET"))).toEqual([]);
  });

  it("that are announced become what they end as", async () => {
    await opened.forge.publishCheck(HEAD_SHA, check({ conclusion: "pending", title: "planning" }), call);
    expect(server.checks[0]?.conclusion).toBeUndefined();

    await opened.forge.publishCheck(HEAD_SHA, check({ annotations: annotations(2) }), call);

    expect(server.checks).toHaveLength(1);
    expect(server.checks[0]).toMatchObject({ conclusion: "success", title: "3 changes" });
  });

  it("that ended otherwise are followed by another", async () => {
    await opened.forge.publishCheck(HEAD_SHA, check(), call);
    await opened.forge.publishCheck(HEAD_SHA, check({ conclusion: "failure" }), call);
    await opened.forge.publishCheck(HEAD_SHA, check(), call);

    expect(server.checks.map(({ conclusion }) => conclusion)).toEqual(["success", "failure", "success"]);
  });

  it.each([
    ["POST", "lost"],
    ["PATCH", "lost"],
    ["PATCH", "cut"],
  ] as const)("carry each annotation once when the answer to a %s is %s", async (method, how) => {
    server.fail(method, /check-runs/, { how });

    await opened.forge.publishCheck(HEAD_SHA, check({ annotations: annotations(70) }), call);

    expect(server.checks).toHaveLength(1);
    expect(server.checks[0]?.annotations).toHaveLength(70);
    expect(server.checks[0]?.conclusion).toBe("success");
  });

  it("that were begun and left are gone on with", async () => {
    server.fail("PATCH", /check-runs/, { instead: { status: 500, body: "" } }, 2);
    const whole = check({ annotations: annotations(70) });
    await expect(opened.forge.publishCheck(HEAD_SHA, whole, call)).rejects.toThrow("is not known");

    await opened.forge.publishCheck(HEAD_SHA, whole, call);

    expect(server.checks).toHaveLength(1);
    expect(server.checks[0]?.annotations).toHaveLength(70);
  });

  it("do not end before they carry all", async () => {
    server.fail("PATCH", /check-runs/, { instead: { status: 500, body: "" } }, 2, 1);
    const whole = check({ annotations: annotations(120) });

    await expect(opened.forge.publishCheck(HEAD_SHA, whole, call)).rejects.toThrow("is not known");

    expect(server.checks[0]?.annotations).toHaveLength(50);
    expect(server.checks[0]?.conclusion).toBeUndefined();
  });

  it("fall back to a status for credentials that may not write them", async () => {
    server.isApp = false;

    const published = await opened.forge.publishCheck(
      HEAD_SHA,
      check({ conclusion: "neutral", annotations: annotations(2) }),
      call,
    );

    expect(published).toEqual({ as: "status", annotations: 0 });
    expect(server.statuses[0]).toMatchObject({ context: "Flaghoist plan", state: "success", description: "3 changes" });
  });
});

describe("rate limits", () => {
  beforeEach(() => {
    server.addPull({ number: 7 });
  });

  it("of the primary kind are told by their reset", async () => {
    const headers = {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(Date.UTC(2026, 0, 1, 0, 1, 30) / 1000),
      date: "Thu, 01 Jan 2026 00:01:00 GMT",
    };
    server.fail("GET", /7/, {
      instead: { status: 403, headers, body: { message: "API rate limit exceeded for user ID 1." } },
    });

    await opened.forge.pullRequest(7, call);

    expect(opened.clock.waits).toEqual([30_000]);
  });

  it("of the secondary kind without a time mean a minute", async () => {
    server.fail("POST", /comments/, {
      instead: { status: 403, body: { message: "You have exceeded a secondary rate limit. Please wait." } },
    });

    await opened.forge.createComment(7, "hello", call);

    expect(opened.clock.waits).toEqual([60_000]);
  });

  it("that a success used up are respected by the next request", async () => {
    const headers = {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "1767229260",
      date: "Thu, 01 Jan 2026 01:00:00 GMT",
    };
    server.fail("GET", /7/, { after: { status: 200, headers, body: [] } });
    await opened.forge.comments(7, call);

    await opened.forge.pullRequest(7, call);

    expect(opened.clock.waits).toEqual([60_000]);
  });
});

describe("an app", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const claims: string[] = [];
  let tokens = 0;

  beforeEach(() => {
    claims.length = 0;
    tokens = 0;
    server.addPull({ number: 7 });
    server.tokens.delete(TOKEN);
    server.asApp = ({ method, parts, json }, claim) => {
      claims.push(claim);
      const [content, signature] = [claim.slice(0, claim.lastIndexOf(".")), claim.slice(claim.lastIndexOf(".") + 1)];
      if (!verify("RSA-SHA256", Buffer.from(content), publicKey, Buffer.from(signature, "base64url")))
        return { status: 401, body: { message: "A JSON web token could not be decoded" } };
      if (method === "GET" && parts.join("/") === "v3/repos/octo/shop/installation")
        return { status: 200, body: { id: 42 } };
      if (method === "POST" && parts.join("/") === "v3/app/installations/42/access_tokens") {
        const token = `ghs_${++tokens}`;
        server.tokens.add(token);
        const expires = new Date(opened.clock.now() + 3_600_000).toISOString();
        return { status: 201, body: { token, expires_at: expires, repositories: json["repositories"] } };
      }
      return undefined;
    };
    opened.forge.close();
    opened = openFake(GITHUB, server, { credentials: { type: "app", appId: "1234", privateKey: pem } });
  });

  it("gets a token of its installation, once", async () => {
    await Promise.all([opened.forge.pullRequest(7, call), opened.forge.comments(7, call)]);
    await opened.forge.pullRequest(7, call);

    expect(tokens).toBe(1);
    const claim = JSON.parse(Buffer.from(claims[0]?.split(".")[1] ?? "", "base64url").toString());
    expect(claim.iss).toBe("1234");
    expect(claim.exp - claim.iat).toBeLessThanOrEqual(600);
  });

  it("gets another shortly before it ends", async () => {
    await opened.forge.pullRequest(7, call);
    await new Promise<void>((resolve) => opened.clock.after(54 * 60_000, resolve));
    await opened.forge.pullRequest(7, call);
    expect(tokens).toBe(1);

    await new Promise<void>((resolve) => opened.clock.after(2 * 60_000, resolve));
    await opened.forge.pullRequest(7, call);

    expect(tokens).toBe(2);
  });

  it("gets another when it was taken back", async () => {
    await opened.forge.pullRequest(7, call);
    server.tokens.clear();
    server.tokens.add("other");

    expect((await opened.forge.pullRequest(7, call)).number).toBe(7);
    expect(tokens).toBe(2);
  });

  it("with a key that is none is refused, without showing it", () => {
    const open = () => openFake(GITHUB, server, { credentials: { type: "app", appId: "1", privateKey: "not-a-key" } });

    expect(open).toThrow(/needs the PEM file/);
    expect(open).not.toThrow(/not-a-key/);
  });
});

describe("issues", () => {
  it("of others are not ours, whatever marker they bear and whatever GitHub lists", async () => {
    server.filtersIssues = false;
    server.addIssue("eve", "Drift", withMarker("html comment", "drift", "forged"));

    expect(await opened.forge.findIssues("drift", call)).toEqual([]);
  });
});

describe("permissions", () => {
  it.each(["none", "read", "write", "maintain", "admin"] as const)(
    "of %s are told by their name",
    async (permission) => {
      server.permissions.set("guest", permission);

      expect(await opened.forge.permissionOf({ name: "guest" }, call)).toBe(permission);
    },
  );
});
