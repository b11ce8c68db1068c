import { describe, expect, it } from "vitest";
import { forgeCredentialsFromSecret } from "./credentials-from-secret.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("forgeCredentialsFromSecret", () => {
  it.each([
    [{ token: "t" }, { type: "token", token: "t" }],
    [{ bearerToken: bytes("t") }, { type: "bearer", token: "t" }],
    [
      { username: "ada\n", password: "p" },
      { type: "basic", username: "ada", password: "p" },
    ],
    [
      { token: "", username: "ada", password: "p" },
      { type: "basic", username: "ada", password: "p" },
    ],
    [
      { githubAppID: "12", githubAppPrivateKey: "PEM", githubAppInstallationID: "34", token: "t" },
      { type: "app", appId: "12", privateKey: "PEM", installationId: "34" },
    ],
    [
      { githubAppID: "12", githubAppPrivateKey: "PEM" },
      { type: "app", appId: "12", privateKey: "PEM" },
    ],
  ])("reads %j", (values, credentials) => {
    expect(forgeCredentialsFromSecret(values).credentials).toEqual(credentials);
  });

  it("reads authorities and a client's certificate, which is none without its key", () => {
    const tls = { "ca.crt": "CA", "tls.crt": "CERT", "tls.key": "KEY" };

    expect(forgeCredentialsFromSecret({ token: "t", ...tls }).tls).toEqual({
      caFile: "CA",
      clientCertificate: "CERT",
      clientKey: "KEY",
    });
    expect(forgeCredentialsFromSecret({ token: "t", "tls.crt": "CERT" }).tls).toEqual({ caFile: undefined });
  });

  it.each([
    [{}, "it needs token"],
    [{ username: "ada" }, "it needs token"],
    [{ githubAppID: "12", token: "t" }, "lack githubAppPrivateKey"],
    [{ githubAppPrivateKey: "very-secret" }, "lack githubAppID"],
    [{ ["__proto__"]: "x" }, "it needs token"],
  ])("refuses %j, and shows no value", (values, why) => {
    expect(() => forgeCredentialsFromSecret(values)).toThrow(why);
    expect(() => forgeCredentialsFromSecret(values)).not.toThrow("very-secret");
  });
});
