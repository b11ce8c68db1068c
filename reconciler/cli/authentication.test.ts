import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAuthentication } from "./authentication.ts";
import type { Invocation } from "./command.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "authentication-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function read(values: Invocation["values"]) {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: folder };
  return readAuthentication({
    values,
    positionals: [],
    io,
    signal: new AbortController().signal,
    runCommand: async () => 0,
  });
}

function readFile(text: string) {
  writeFileSync(join(folder, "config.yaml"), text);
  return read({ "authentication-config": "config.yaml" });
}

const OIDC = { "oidc-issuer-url": "https://dex.example.com", "oidc-client-id": "flaghoist" };

describe("readAuthentication", () => {
  it("lets in anonymous requests and no provider's users by default", () => {
    expect(read({})).toEqual({ tokens: undefined, providers: [], anonymous: true });
    expect(read({ "anonymous-auth": "false" }).anonymous).toBe(false);
  });

  it("reads the proxy to believe from the flags that kube-apiserver has", () => {
    writeFileSync(join(folder, "ca.crt"), "PEM");
    const file = { "requestheader-client-ca-file": "ca.crt" };

    expect(read(file).requestHeader).toEqual({ caPem: "PEM", allowedNames: [] });
    expect(read({ ...file, "requestheader-allowed-names": "a, b" }).requestHeader?.allowedNames).toEqual(["a", "b"]);
    expect(() => read({ "requestheader-allowed-names": "a" })).toThrow(
      /requestheader-client-ca-file, which is missing/,
    );
    expect(() => read({ "requestheader-client-ca-file": "none" })).toThrow(/cannot read the authority/);
  });

  it("reads a provider from the flags that kube-apiserver has", () => {
    const { providers } = read({
      ...OIDC,
      "oidc-username-claim": "email",
      "oidc-username-prefix": "-",
      "oidc-groups-claim": "groups",
      "oidc-groups-prefix": "oidc:",
      "oidc-required-claim": ["hd=example.com", "a=b=c"],
      "oidc-signing-algs": "RS256,ES256",
    });

    expect(providers).toMatchObject([
      {
        issuerUrl: "https://dex.example.com",
        clientIds: ["flaghoist"],
        usernameClaim: "email",
        usernamePrefix: "",
        groupsClaim: "groups",
        groupsPrefix: "oidc:",
        requiredClaims: { hd: "example.com", a: "b=c" },
        signingAlgorithms: ["RS256", "ES256"],
      },
    ]);
  });

  it.each([
    [{ "oidc-issuer-url": "https://x" }, "--oidc-issuer-url and --oidc-client-id must be given together"],
    [{ "oidc-groups-claim": "g" }, "--oidc-issuer-url and --oidc-client-id must be given together"],
    [{ ...OIDC, "oidc-issuer-url": "http://x" }, 'must be an address that starts with https://, not "http://x"'],
    [{ ...OIDC, "oidc-issuer-url": "https://u:p@x" }, "must not hold a user name or password"],
    [{ ...OIDC, "oidc-required-claim": ["x"] }, 'takes CLAIM=VALUE, not "x"'],
    [{ ...OIDC, "oidc-signing-algs": "HS256" }, 'not "HS256"'],
    [{ ...OIDC, "oidc-ca-file": "missing.pem" }, "cannot read the authorities of the OIDC provider"],
    [{ "token-file": "missing.csv" }, "cannot read the token file"],
    [{ "anonymous-auth": "maybe" }, '--anonymous-auth takes true or false, not "maybe"'],
    [{ ...OIDC, "authentication-config": "f" }, "exclude each other"],
  ])("refuses %j with what to change", (values, message) => {
    expect(() => read(values)).toThrow(message);
  });
});

describe("the configuration file", () => {
  const head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n";
  const issuer = `jwt:
- issuer:
    url: https://a.example
    audiences: [x, z]
  claimMappings:
    username: { claim: sub, prefix: "a:" }
    groups: { claim: groups, prefix: "" }
`;

  it("names any number of issuers", () => {
    const { providers, anonymous } = readFile(`${head}${issuer}anonymous: { enabled: false }\n`);

    expect(providers).toMatchObject([
      {
        issuerUrl: "https://a.example",
        clientIds: ["x", "z"],
        usernameClaim: "sub",
        usernamePrefix: "a:",
        groupsClaim: "groups",
      },
    ]);
    expect(anonymous).toBe(false);
  });

  it.each([
    ["kind: Other\n", "kind must be AuthenticationConfiguration"],
    [`${head}jwt: [{issuer: {url: "http://x", audiences: [a]}}]`, "must be an address that starts with https://"],
    [`${head}jwt: [{issuer: {url: "https://x"}}]`, "jwt[0].issuer.audiences must name at least one audience"],
    [`${head}${issuer}  userValidationRules: [{expression: "true"}]`, "jwt[0].userValidationRules is not supported"],
    [
      `${head}${issuer}  claimValidationRules: [{expression: "true"}]`,
      "claimValidationRules[0].expression is not supported",
    ],
    [
      `${head}${issuer}anonymous: {enabled: true, conditions: [{path: /healthz}]}`,
      "anonymous.conditions is not supported",
    ],
  ])("is refused rather than half kept: %j", (text, message) => {
    expect(() => readFile(text)).toThrow(message);
  });
});
