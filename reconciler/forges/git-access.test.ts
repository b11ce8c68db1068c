import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../runtime/clock.ts";
import { FakeGitHub } from "../../test/forges/fake-github.ts";
import { gitAccessOf } from "./git-access.ts";
import type { OpenForgeOptions } from "./open-forge.ts";

const call = { signal: new AbortController().signal };

function accessOf(options: Partial<OpenForgeOptions>) {
  return gitAccessOf(
    {
      repository: "https://github.com/octo/shop",
      credentials: { type: "token", token: "t0ken\n" },
      clock: systemClock,
      random: () => 0.5,
      ...options,
    },
    call,
  );
}

describe("the access of Git", () => {
  it.each([
    ["https://github.com/octo/shop", "x-access-token"],
    ["https://gitlab.com/group/sub/shop.git", "oauth2"],
    ["https://codeberg.org/octo/shop.git", "oauth2"],
    ["https://bitbucket.org/acme/shop.git", "x-token-auth"],
    ["https://stash.example.com/scm/prj/shop.git", "x-token-auth"],
    ["https://dev.azure.com/org/proj/_git/shop", "token"],
  ])("to %s is by its token", async (repository, username) => {
    expect(await accessOf({ repository })).toEqual({ url: repository, credentials: { username, password: "t0ken" } });
  });

  it.each([
    ["git@github.com:octo/shop.git", {}, "https://github.com/octo/shop.git"],
    ["ssh://git@gitlab.example.com:2222/group/shop.git", {}, "https://gitlab.example.com/group/shop.git"],
    ["ssh://git@stash.example.com:7999/prj/shop.git", {}, "https://stash.example.com/scm/prj/shop.git"],
    ["git@ssh.dev.azure.com:v3/org/proj/shop", {}, "https://dev.azure.com/org/proj/_git/shop"],
  ])("to %s is over https", async (repository, more, url) => {
    expect((await accessOf({ repository, ...more })).url).toBe(url);
  });

  it("is by what a Secret says where that is a user and a password, and keeps its authorities", async () => {
    const credentials = { type: "basic", username: "ann", password: "pw" } as const;

    expect((await accessOf({ credentials, tls: { caFile: "PEM" } })).credentials).toEqual({
      username: "ann",
      password: "pw",
      caFile: "PEM",
    });
  });

  it("is by the name that Bitbucket Cloud gives to API tokens", async () => {
    const credentials = { type: "basic", username: "ann@example.com", password: "pw" } as const;

    expect((await accessOf({ repository: "https://bitbucket.org/acme/shop.git", credentials })).credentials).toEqual({
      username: "x-bitbucket-api-token-auth",
      password: "pw",
    });
  });

  it("is by a token of the installation for a GitHub App", async () => {
    const host = await new FakeGitHub().start();
    host.asApp = ({ method, parts }) => {
      const what = `${method} ${parts.join("/")}`;
      if (what === "GET v3/repos/octo/shop/installation") return { status: 200, body: { id: 42 } };
      return what === "POST v3/app/installations/42/access_tokens"
        ? { status: 201, body: { token: "of-the-installation", expires_at: "2100-01-01T00:00:00Z" } }
        : undefined;
    };
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

    const { credentials } = await accessOf({
      repository: host.cloneUrl,
      kind: "github",
      baseUrl: host.url,
      credentials: { type: "app", appId: "123", privateKey: pem },
    });

    expect(credentials).toEqual({ username: "x-access-token", password: "of-the-installation" });
    await host.stop();
  });

  it("is not by the token of a job", async () => {
    const credentials = { type: "jobToken", token: "t" } as const;

    await expect(accessOf({ repository: "https://gitlab.com/a/b", credentials })).rejects.toMatchObject({
      code: "forge-unsupported",
    });
  });
});
