import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type ApiServer, createApiServer } from "../server.ts";
import type { KeyPair } from "./certificate-signing.ts";
import { type CertificateSet, ensureCertificates } from "./certificates.ts";
import { FrontProxyTrust } from "./front-proxy.ts";
import { type Listener, listen } from "./listener.ts";

const REVIEW = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });

let folder: string;
let proxy: CertificateSet;
let stranger: CertificateSet;
let server: ApiServer;
let listener: Listener;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "front-proxy-"));
  proxy = await ensureCertificates(join(folder, "proxy"), [], systemClock);
  stranger = await ensureCertificates(join(folder, "stranger"), [], systemClock);
  server = await createApiServer({ name: "backend", clock: systemClock, logger: silentLogger });
  listener = await open(["front-proxy-client"]);
});

afterAll(async () => {
  await listener.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

function open(allowedNames: readonly string[]): Promise<Listener> {
  return listen(server, {
    host: "127.0.0.1",
    port: 0,
    directory: join(folder, "pki"),
    clock: systemClock,
    logger: silentLogger,
    requestHeader: { caPem: proxy.frontProxy.caPem, allowedNames },
    tokens: (token) => (token === "good" ? { name: "ann", groups: [] } : undefined),
  });
}

/** Who the server takes the caller for; the status when it is nobody. */
function whoAmI(
  at: Listener,
  credentials: KeyPair | undefined,
  headers: Readonly<Record<string, string | string[]>>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const tls = credentials === undefined ? {} : { cert: credentials.certificate, key: credentials.key };
    const sent = request(
      `${at.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
      {
        method: "POST",
        ca: at.caPem,
        agent: false,
        ...tls,
        headers: { "content-type": "application/json", ...headers } as Record<string, string>,
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on("end", () => {
          resolve(response.statusCode === 201 ? JSON.parse(text).status.userInfo : response.statusCode);
        });
      },
    );
    sent.on("error", reject);
    // As bytes: with a text as the body, Node encodes the headers along with it.
    sent.end(Buffer.from(REVIEW));
  });
}

describe("a listener behind a front proxy", () => {
  it("takes the proxy's word for who the user is", async () => {
    const headers = {
      "X-Remote-User": "Zoë",
      "X-Remote-Uid": "1",
      "X-Remote-Group": ["devs", "a, b"],
      "X-Remote-Extra-Example.org%2fScopes": ["read", "write"],
    };
    const encoded = { ...headers, "X-Remote-User": Buffer.from("Zoë").toString("latin1") };

    expect(await whoAmI(listener, proxy.frontProxy.client, encoded)).toEqual({
      username: "Zoë",
      uid: "1",
      groups: ["devs", "a, b", "system:authenticated"],
      extra: { "example.org/scopes": ["read", "write"] },
    });
  });

  it("knows its own users as before", async () => {
    expect(await whoAmI(listener, undefined, { authorization: "Bearer good" })).toMatchObject({ username: "ann" });
  });

  it("takes nobody else's word", async () => {
    const headers = { "X-Remote-User": "root", "X-Remote-Group": "system:masters" };
    const { admin } = await ensureCertificates(join(folder, "pki"), [], systemClock);

    expect(await whoAmI(listener, undefined, headers)).toBe(403);
    expect(await whoAmI(listener, undefined, { ...headers, authorization: "Bearer good" })).toMatchObject({
      username: "ann",
    });
    // Certificates of our own authority, of another proxy's, and of the proxy's owner but for something else.
    expect(await whoAmI(listener, admin, headers)).toMatchObject({ username: "admin" });
    expect(await whoAmI(listener, stranger.frontProxy.client, headers)).toBe(401);
    expect(await whoAmI(listener, proxy.admin, headers)).toBe(401);
  });

  it("does not know the proxy itself as a user", async () => {
    expect(await whoAmI(listener, proxy.frontProxy.client, {})).toBe(401);
  });

  it("minds the name of the certificate", async () => {
    const other = await open(["somebody"]);
    const any = await open([]);

    expect(await whoAmI(other, proxy.frontProxy.client, { "X-Remote-User": "zoe" })).toBe(401);
    expect(await whoAmI(any, proxy.frontProxy.client, { "X-Remote-User": "zoe" })).toMatchObject({ username: "zoe" });
    await other.close();
    await any.close();
  });
});

describe("FrontProxyTrust", () => {
  it("refuses an authority without certificates", () => {
    expect(() => new FrontProxyTrust({ caPem: "none", allowedNames: [] }, () => 0)).toThrow(/no readable certificate/);
  });
});
