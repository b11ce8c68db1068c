// From a signing request to a client that is known by its certificate, over a real listener.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { type Listener, listen } from "../http/listener.ts";
import { type ApiServer, createApiServer } from "../server.ts";
import type { LooseObject } from "../test-server.ts";

const REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const MASTER: UserInfo = { name: "root", groups: ["system:masters", "system:authenticated"] };
const alice: UserInfo = { name: "alice", groups: ["system:authenticated"] };

let folder: string;
let server: ApiServer;
let listener: Listener;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "signing-"));
  server = await createApiServer({ name: "root", clock: systemClock, logger: silentLogger, authorization: "rbac" });
  listener = await listen(server, {
    host: "127.0.0.1",
    port: 0,
    directory: folder,
    clock: systemClock,
    logger: silentLogger,
  });
});

afterEach(async () => {
  await listener.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Keys {
  readonly pem: string;
  readonly key: string;
}

async function makeRequest(subject: string): Promise<Keys> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: keys as never,
    signingAlgorithm: ALGORITHM,
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return { pem: request.toString("pem"), key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` };
}

async function call(user: UserInfo, method: string, path: string, object?: unknown, type?: string) {
  const headers = type === undefined ? {} : { "content-type": type };
  const answer = await server.handle({ method, path, user, headers, ...(object === undefined ? {} : { object }) });
  return { status: answer.status, body: answer.parsed as LooseObject };
}

function submit(pem: string, spec: object = {}, user: UserInfo = alice) {
  const request = Buffer.from(pem).toString("base64");
  return call(user, "POST", REQUESTS, {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "alice" },
    spec: { request, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"], ...spec },
  });
}

function decide(type: string, user: UserInfo = MASTER, subresource = "approval") {
  const conditions = [{ type, status: "True", reason: "Test", message: "by hand" }];
  return call(
    user,
    "PATCH",
    `${REQUESTS}/alice/${subresource}`,
    { status: { conditions } },
    "application/merge-patch+json",
  );
}

/** The certificate once it is there; undefined when the signer had its turn and made none. */
async function signed(turns = 50): Promise<string | undefined> {
  for (let turn = 0; turn < turns; turn++) {
    const { body } = await call(MASTER, "GET", `${REQUESTS}/alice`);
    const certificate = body["status"]?.["certificate"];
    if (certificate !== undefined) return Buffer.from(String(certificate), "base64").toString();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}

function whoAmI(cert: string, key: string): Promise<LooseObject> {
  const body = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });
  const url = `${listener.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
  return new Promise((resolve, reject) => {
    const options = {
      ca: listener.caPem,
      cert,
      key,
      agent: false,
      method: "POST",
      headers: { "content-type": "application/json" },
    };
    const sent = httpsRequest(url, options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve(JSON.parse(text) as LooseObject));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function letAliceAsk(): Promise<void> {
  const group = "rbac.authorization.k8s.io";
  const rules = [
    {
      apiGroups: ["certificates.k8s.io"],
      resources: ["certificatesigningrequests", "certificatesigningrequests/approval"],
      verbs: ["create", "patch", "get"],
    },
  ];
  await call(MASTER, "POST", `/apis/${group}/v1/clusterroles`, {
    apiVersion: `${group}/v1`,
    kind: "ClusterRole",
    metadata: { name: "csr" },
    rules,
  });
  await call(MASTER, "POST", `/apis/${group}/v1/clusterrolebindings`, {
    apiVersion: `${group}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "csr" },
    roleRef: { apiGroup: group, kind: "ClusterRole", name: "csr" },
    subjects: [{ kind: "User", name: "alice", apiGroup: group }],
  });
}

describe("a CertificateSigningRequest", () => {
  it("becomes a certificate by which the API knows its holder, once somebody approved it", async () => {
    const { pem, key } = await makeRequest("O=dev,CN=carol");
    const created = await submit(pem, { username: "forged", expirationSeconds: 3600 }, MASTER);
    expect([created.status, created.body["spec"]!["username"]]).toEqual([201, "root"]);
    expect(await signed()).toBeUndefined();

    expect((await decide("Approved")).status).toBe(200);

    const certificate = await signed(100_000);
    const { status } = await whoAmI(certificate ?? "", key);
    expect(status!["userInfo"]).toMatchObject({ username: "carol", groups: ["dev", "system:authenticated"] });
  });

  it("stays without certificate when it is denied, and the decision stands", async () => {
    const { pem } = await makeRequest("CN=carol");
    await submit(pem, {}, MASTER);

    expect((await decide("Denied")).status).toBe(200);

    expect(await signed()).toBeUndefined();
    const { status, body } = await decide("Approved");
    expect([status, String(body["message"])]).toEqual([
      422,
      expect.stringContaining('may not remove a condition of type "Denied"'),
    ]);
  });

  it("is approved by those only who may approve for its signer, and not through its status", async () => {
    await letAliceAsk();
    await submit((await makeRequest("CN=carol")).pem);

    const own = await decide("Approved", alice);
    const throughStatus = await decide("Approved", MASTER, "status");

    expect([own.status, String(own.body["message"])]).toEqual([
      403,
      expect.stringContaining(
        'user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
      ),
    ]);
    expect([throughStatus.status, String(throughStatus.body["message"])]).toEqual([
      422,
      expect.stringContaining('updates may not add a condition of type "Approved"'),
    ]);
  });

  it("makes nobody a master", async () => {
    const { status, body } = await submit((await makeRequest("O=system:masters,CN=carol")).pem, {}, MASTER);

    expect(status).toBe(403);
    expect(body["message"]).toContain("signer with system:masters group is not allowed");
  });

  it("fails for usages that a client certificate has not", async () => {
    await submit((await makeRequest("CN=carol")).pem, { usages: ["server auth", "client auth"] }, MASTER);
    await decide("Approved");
    expect(await signed()).toBeUndefined();
    const { body } = await call(MASTER, "GET", `${REQUESTS}/alice`);

    expect(body["status"]!["conditions"]!.map((each) => each["type"])).toEqual(["Approved", "Failed"]);
  });

  it.each([
    [
      "no PEM",
      { request: "aGVsbG8=" },
      'spec.request: Invalid value: "aGVsbG8=": PEM block type must be CERTIFICATE REQUEST',
    ],
    ["no usage", { usages: [] }, "spec.usages: Required value"],
    ["an unknown usage", { usages: ["bogus"] }, 'spec.usages[0]: Unsupported value: "bogus"'],
    [
      "a signer that is no path",
      { signerName: "foo" },
      "must be a fully qualified domain and path of the form 'example.com/signer-name'",
    ],
    ["a time too short", { expirationSeconds: 5 }, "may not specify a duration less than 600 seconds (10 minutes)"],
  ])("is refused with %s", async (_what, spec, message) => {
    const { status, body } = await submit((await makeRequest("CN=carol")).pem, spec, MASTER);

    expect(status).toBe(422);
    expect(body["message"]).toContain(message);
  });
});
