// A provider of our own on loopback, over HTTPS, and a server that believes it.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { ensureCertificates } from "../http/certificates.ts";
import { httpsFetcher } from "../http/fetch-json.ts";
import { startTestServer } from "../test-server.ts";
import { OidcIssuer, type OidcOptions } from "./oidc-issuer.ts";

interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function makeKey(id: string): SigningKey {
  return { id, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) };
}

const first = makeKey("first");
const second = makeKey("second");
let folder: string;
let provider: Server;
let url: string;
let caPem: string;
/** What the provider answers, and how often it was asked for its keys. */
let published: readonly SigningKey[];
let issuerInDocument: string;
let fetches: number;
let clock: FakeClock;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "oidc-"));
  const certificates = await ensureCertificates(folder, ["127.0.0.1"], {
    now: () => Date.now(),
    after: () => ({ cancel() {} }),
  });
  caPem = certificates.caPem;
  provider = createServer(
    { key: certificates.server.key, cert: certificates.server.certificate },
    (request, response) => {
      if (request.url === "/keys") {
        fetches += 1;
        const keys = published.map((key) => ({ ...key.publicKey.export({ format: "jwk" }), kid: key.id, use: "sig" }));
        response.end(JSON.stringify({ keys }));
      } else if (request.url === "/.well-known/openid-configuration") {
        response.end(JSON.stringify({ issuer: issuerInDocument, jwks_uri: `${url}/keys` }));
      } else response.writeHead(404).end();
    },
  );
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  url = `https://127.0.0.1:${(provider.address() as AddressInfo).port}`;
});

afterAll(async () => {
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  clock = new FakeClock();
  published = [first];
  issuerInDocument = url;
  fetches = 0;
});

function issuer(options: Partial<OidcOptions> = {}): OidcIssuer {
  const all = { issuerUrl: url, clientIds: ["flaghoist"], usernameClaim: "sub", ...options };
  return new OidcIssuer(all, httpsFetcher(caPem), clock, silentLogger);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token as the provider writes it; `claims` replace the usual ones. */
function token(claims: object = {}, key: SigningKey = first, header: object = {}): string {
  const now = clock.now() / 1000;
  const usual = { iss: url, aud: "flaghoist", sub: "jane", exp: now + 300, iat: now };
  const text = `${encode({ alg: "RS256", kid: key.id, ...header })}.${encode({ ...usual, ...claims })}`;
  return `${text}.${sign("sha256", Buffer.from(text), key.privateKey).toString("base64url")}`;
}

describe("OidcIssuer", () => {
  it("names the user by claim, with the issuer before it", async () => {
    expect(await issuer().check(token())).toEqual({ name: `${url}#jane`, groups: ["system:authenticated"] });
  });

  it("takes prefixes and groups as told", async () => {
    const options = { usernamePrefix: "oidc:", groupsClaim: "roles", groupsPrefix: "oidc:" };

    const user = await issuer(options).check(token({ roles: ["dev", "ops"] }));
    const single = await issuer(options).check(token({ roles: "dev" }));

    expect(user).toEqual({ name: "oidc:jane", groups: ["oidc:dev", "oidc:ops", "system:authenticated"] });
    expect(single?.groups).toEqual(["oidc:dev", "system:authenticated"]);
  });

  it("takes an address without prefix, when the provider has verified it", async () => {
    const byEmail = issuer({ usernameClaim: "email" });

    expect((await byEmail.check(token({ email: "j@x.org", email_verified: true })))?.name).toBe("j@x.org");
    expect(await byEmail.check(token({ email: "j@x.org", email_verified: false }))).toBeUndefined();
  });

  it.each([
    ["expired", () => token({ exp: clock.now() / 1000 - 1 })],
    ["without expiry", () => token({ exp: undefined })],
    ["from the future", () => token({ nbf: clock.now() / 1000 + 301 })],
    ["for another client", () => token({ aud: ["other"] })],
    ["of another issuer", () => token({ iss: `${url}/other` })],
    ["without the user's claim", () => token({ sub: undefined })],
    ["signed by a key of another name", () => token({}, { ...second, id: "first" })],
    ["signed by nobody", () => `${encode({ alg: "none" })}.${encode({ iss: url, aud: "flaghoist", sub: "jane" })}.x`],
    ["signed by an algorithm that is not accepted", () => token({}, first, { alg: "RS512" })],
    ["signed with the public key as a secret", () => token({}, first, { alg: "HS256" })],
    ["changed after it was signed", () => token().replace(/\.[^.]+\./, `.${encode({ iss: url, sub: "root" })}.`)],
    ["cut short", () => token().slice(0, -20)],
    ["with groups that are no texts", () => token({ roles: [{}] })],
  ])("refuses a token %s", async (_what, make) => {
    expect(await issuer({ groupsClaim: "roles" }).check(make())).toBeUndefined();
  });

  it("bears with a clock that is five minutes behind", async () => {
    expect(await issuer().check(token({ nbf: clock.now() / 1000 + 299 }))).toBeDefined();
  });

  it("asks for required claims", async () => {
    const strict = issuer({ requiredClaims: { hd: "example.com" } });

    expect(await strict.check(token({ hd: "example.com" }))).toBeDefined();
    expect(await strict.check(token({ hd: "example.org" }))).toBeUndefined();
    expect(await strict.check(token())).toBeUndefined();
  });

  it("fetches keys once, and again when a token names a new one, though not for every stranger", async () => {
    const known = issuer();
    await Promise.all([known.check(token()), known.check(token()), known.check(token())]);
    expect(fetches).toBe(1);

    published = [first, second];
    expect(await known.check(token({}, second))).toBeUndefined();
    expect(fetches).toBe(1);
    await clock.advance(10_000);
    expect(await known.check(token({}, second))).toBeDefined();

    expect(fetches).toBe(2);
  });

  it("believes no discovery document of another issuer", async () => {
    issuerInDocument = "https://elsewhere.example";

    expect(await issuer().check(token())).toBeUndefined();
    await expect(issuer().prepare()).rejects.toThrow('is of the issuer "https://elsewhere.example"');
  });

  it("believes no provider whose certificate nobody vouches for", async () => {
    const other = new OidcIssuer(
      { issuerUrl: url, clientIds: ["flaghoist"], usernameClaim: "sub" },
      httpsFetcher(undefined),
      clock,
      silentLogger,
    );

    await expect(other.prepare()).rejects.toThrow("cannot fetch");
  });

  it("opens the API to its users, and answers others with 401", async () => {
    const test = await startTestServer({ clock, oidc: [issuer()], authorization: "rbac" });
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };

    const known = await test.call("POST", path, body, { authorization: `Bearer ${token()}` });
    const unknown = await test.call("POST", path, body, { authorization: `Bearer ${token({ aud: "other" })}` });

    expect(known.body["status"]!["userInfo"]).toEqual({ username: `${url}#jane`, groups: ["system:authenticated"] });
    expect([unknown.status, unknown.body["message"]]).toEqual([401, "Unauthorized"]);
    await test.server.close();
  });
});
