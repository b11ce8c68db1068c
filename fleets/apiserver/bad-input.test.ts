// What clients should never send, over the listener that they reach: answered in the reference's words, and nothing lost.
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2, constants } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseYaml } from "../../kube/yaml.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { type Listener, listen } from "./http/listener.ts";
import { type ApiServer, createApiServer } from "./server.ts";
import type { LooseObject } from "./test-server.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS = "/apis/bad.example.com/v1/namespaces/default/widgets";
const JSON_TYPE = "application/json";
const APPLY = "application/apply-patch+yaml";
const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";
const PROTOBUF = "application/vnd.kubernetes.protobuf";

let folder: string;
let server: ApiServer;
let listener: Listener;
let credentials: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bad-input-"));
  server = await createApiServer({
    name: "bad",
    clock: systemClock,
    logger: silentLogger,
    authorization: "rbac",
    tokens: (token) => (token === "alice" ? { name: "alice", groups: [] } : undefined),
  });
  listener = await listen(server, {
    host: "127.0.0.1",
    port: 0,
    directory: folder,
    clock: systemClock,
    logger: silentLogger,
  });
  // A kubeconfig of ours has one user.
  const config = parseYaml(listener.adminKubeconfig()) as { users: { user: Record<string, string> }[] };
  const decode = (name: string): string => Buffer.from(config.users[0]!.user[name]!, "base64").toString();
  credentials = { cert: decode("client-certificate-data"), key: decode("client-key-data") };
  await send(
    "POST",
    CRDS,
    definition({
      type: "object",
      properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    }),
  );
});

afterAll(async () => {
  await listener.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  await send("DELETE", `${CONFIG_MAPS}/base`);
  await send("POST", CONFIG_MAPS, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "base" },
    data: { a: "x".repeat(1000) },
  });
});

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: LooseObject;
}

type Body = string | Uint8Array | object;

function send(
  method: string,
  path: string,
  body?: Body,
  type = JSON_TYPE,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const bytes =
    body === undefined
      ? undefined
      : typeof body === "string" || body instanceof Uint8Array
        ? body
        : JSON.stringify(body);
  const identity = headers["authorization"] === undefined ? credentials : {};
  return new Promise((resolve, reject) => {
    const length =
      bytes === undefined ? {} : { "content-length": String(Buffer.byteLength(bytes)), "content-type": type };
    const options = {
      ...identity,
      ca: listener.caPem,
      agent: false,
      method,
      host: "127.0.0.1",
      port: listener.port,
      path,
      headers: { ...length, ...headers },
    };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = text.startsWith("{");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          // See LooseObject.
          body: (isJson ? JSON.parse(text.split("\n")[0] ?? "") : {}) as LooseObject,
        });
      });
    });
    sent.on("error", reject);
    if (bytes !== undefined) sent.write(bytes);
    sent.end();
  });
}

function definition(schema: object, plural = "widgets") {
  const names = { plural, kind: plural.charAt(0).toUpperCase() + plural.slice(1, -1) };
  const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.bad.example.com` },
    spec: { group: "bad.example.com", names, scope: "Namespaced", versions },
  };
}

function configMap(fields: object = {}, metadata: object = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "base", ...metadata }, ...fields };
}

function expectRefusal(reply: Reply, status: number, message: string): void {
  expect([reply.status, String(reply.body["message"] ?? reply.text)]).toEqual([
    status,
    expect.stringContaining(message),
  ]);
}

async function expectUntouched(): Promise<void> {
  const { body } = await send("GET", `${CONFIG_MAPS}/base`);
  expect(body["data"]).toEqual({ a: "x".repeat(1000) });
}

describe("server-side apply refuses", () => {
  const path = `${CONFIG_MAPS}/base?fieldManager=m`;

  it.each([
    ["unknown fields", configMap({ dta: {} }), 500, ".dta: field not declared in schema"],
    ["another apiVersion", { ...configMap(), apiVersion: "v2" }, 400, "invalid object type: /v2, Kind=ConfigMap"],
    ["another kind", { ...configMap(), kind: "Secret" }, 400, "invalid object type: /v1, Kind=Secret"],
    [
      "forged managedFields",
      configMap({}, { managedFields: [{ manager: "x" }] }),
      400,
      "metadata.managedFields must be nil",
    ],
    ["a list", [], 400, "cannot unmarshal array into Go value of type map[string]interface {}"],
    ["nothing", "", 400, "invalid object type: /, Kind="],
  ])("%s", async (_what, body, status, message) => {
    expectRefusal(await send("PATCH", path, body, APPLY), status, message);
    await expectUntouched();
  });

  it("list items of the same key", async () => {
    const port = { port: 1, protocol: "TCP" };
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { ports: [port, port] } };

    const reply = await send("PATCH", "/api/v1/namespaces/default/services/s?fieldManager=m", service, APPLY);

    expectRefusal(reply, 500, "duplicate entries for key");
  });
});

describe("patches are refused", () => {
  const copies = (from: string) =>
    Array.from({ length: 40 }, (_, index) => ({ op: "copy", from, path: `/data/x${index}` }));

  it.each([
    [
      "whose test fails",
      JSON_PATCH,
      [{ op: "test", path: "/data/a", value: "no" }],
      422,
      "the server rejected our request due to an error",
    ],
    ["that copy without end", JSON_PATCH, copies("/data"), 422, "the server rejected our request due to an error"],
    [
      "of more than ten thousand operations",
      JSON_PATCH,
      new Array(10_001).fill({ op: "test", path: "/kind", value: "ConfigMap" }),
      413,
      "The allowed maximum operations in a JSON patch is 10000, got 10001",
    ],
    [
      "that are no operations",
      JSON_PATCH,
      ["x"],
      400,
      "cannot unmarshal string into Go value of type handlers.jsonPatchOp",
    ],
    [
      "that nest deeper than a body may",
      JSON_PATCH,
      Array.from({ length: 14 }, (_, index) => ({
        op: "copy",
        from: "/data",
        path: `/data${"/d".repeat(2 ** index)}`,
      })),
      422,
      "the server rejected our request",
    ],
    [
      "that replace the object by a list",
      JSON_PATCH,
      [{ op: "replace", path: "", value: [] }],
      422,
      "cannot unmarshal array",
    ],
    ["longer than 3 MiB", MERGE_PATCH, { data: { a: "x".repeat(3_200_000) } }, 413, "limit is 3145728"],
    ["that are no JSON", MERGE_PATCH, "{", 400, "error decoding patch: unexpected end of JSON input"],
  ])("%s", async (_what, type, patch, status, message) => {
    expectRefusal(await send("PATCH", `${CONFIG_MAPS}/base`, patch, type), status, message);
    await expectUntouched();
  });

  it("of the strategic kind, for custom resources", async () => {
    expectRefusal(
      await send("PATCH", `${WIDGETS}/w`, {}, STRATEGIC),
      415,
      "accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
  });

  it("through their keys' names, which reach no prototype", async () => {
    await send(
      "PATCH",
      `${CONFIG_MAPS}/base`,
      '{"metadata":{"annotations":{"x":"1"},"__proto__":{"polluted":"1"}}}',
      MERGE_PATCH,
    );
    await send("PATCH", `${CONFIG_MAPS}/base`, [{ op: "add", path: "/__proto__/polluted", value: 1 }], JSON_PATCH);

    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("managedFields that are forged in an update", () => {
  it.each([
    ["of no set", { manager: "evil", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: "zz" }],
    [
      "of an operation that does not exist",
      { manager: "evil", operation: "Foo", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": {} } },
    ],
    [
      "of a broken set",
      { manager: "evil", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "x:y": {} } },
    ],
  ])("are passed over: %s", async (_what, entry) => {
    const reply = await send("PUT", `${CONFIG_MAPS}/base`, configMap({ data: { a: "1" } }, { managedFields: [entry] }));

    expect(reply.status).toBe(200);
    expect(reply.text).not.toContain("evil");
  });
});

describe("revisions and pages", () => {
  it("refuses an update of an older state", async () => {
    const reply = await send("PUT", `${CONFIG_MAPS}/base`, configMap({}, { resourceVersion: "1" }));

    expectRefusal(
      reply,
      409,
      "the object has been modified; please apply your changes to the latest version and try again",
    );
    await expectUntouched();
  });

  it.each([
    ["watch=1&resourceVersion=abc", 500, 'strconv.ParseUint: parsing "abc": invalid syntax'],
    ["watch=1&resourceVersion=-1", 500, 'strconv.ParseUint: parsing "-1": invalid syntax'],
    ["resourceVersion=99999999999999999999999", 400, "value out of range"],
    ["limit=abc", 400, 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ["limit=9223372036854775808", 400, "value out of range"],
    ["continue=x", 400, "invalid continue token"],
    ["continue=bnVsbA", 400, "server does not recognize this encoded version"],
    [
      `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../../secrets"}').toString("base64url")}`,
      400,
      "continue key is not valid: ../../secrets",
    ],
    [`labelSelector=${encodeURIComponent("a in (")}`, 400, "unable to parse requirement"],
    ["labelSelector=!!", 400, "unable to parse requirement"],
    ["fieldSelector=spec.x%3D1", 400, "is not a known field selector"],
  ])("refuses %s", async (query, status, message) => {
    expectRefusal(await send("GET", `${CONFIG_MAPS}?${query}`), status, message);
  });

  it.each(["limit=-1", "limit=9223372036854775807"])("reads %s as no limit", async (query) => {
    expect((await send("GET", `${CONFIG_MAPS}?${query}`)).body["metadata"]!["continue"]).toBeUndefined();
  });

  it("tells a watch from a forgotten revision that it is too old", async () => {
    server.compact();

    const reply = await send("GET", `${CONFIG_MAPS}?watch=1&resourceVersion=1`);

    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  });
});

describe("bodies are refused", () => {
  const envelope = (hex: string) => Buffer.from(`6b387300${hex}`, "hex");
  const head = "0a0f0a0276311209436f6e6669674d6170";

  it.each([
    ["protobuf that is none", PROTOBUF, Buffer.from("hello"), 400, "expected prefix [107 56 115 0]"],
    ["protobuf that is cut short", PROTOBUF, envelope(`${head}12030a0561`), 400, "unexpected EOF"],
    [
      "protobuf whose length leads back",
      PROTOBUF,
      envelope(`${head}120b0af5ffffffffffffffff01`),
      400,
      "negative length found",
    ],
    [
      "protobuf of an unknown kind",
      PROTOBUF,
      envelope("0a0a0a02763112044e6f7065"),
      400,
      'no kind "Nope" is registered for version "v1"',
    ],
    ["protobuf of more than 3 MiB", PROTOBUF, Buffer.alloc(3_200_000, 1), 413, "limit is 3145728"],
    ["JSON within gzip", JSON_TYPE, gzipSync("{}"), 400, "invalid character '\\x1f' looking for beginning of value"],
    ["JSON nested without end", JSON_TYPE, "[".repeat(1_000_000), 400, "exceeded max depth"],
    ["YAML nested without end", "application/yaml", "[".repeat(1_000_000), 400, "nesting"],
    [
      "YAML that repeats itself",
      "application/yaml",
      `a: &a [${"x,".repeat(50)}]\n${"bcdefgh"
        .split("")
        .map((key, index) => `${key}: &${key} [${`*${"abcdefgh"[index]},`.repeat(50)}]`)
        .join("\n")}\n`,
      400,
      "aliases",
    ],
    [
      "a kind that is no text",
      JSON_TYPE,
      '{"apiVersion":"v1","kind":5}',
      400,
      "cannot unmarshal number into Go struct field .kind of type string",
    ],
  ])("that are %s", async (_what, type, body, status, message) => {
    const headers: Record<string, string> = body[0] === 0x1f ? { "content-encoding": "gzip" } : {};

    expectRefusal(await send("POST", CONFIG_MAPS, body, type, headers), status, message);
  });

  it("for a dry run of another kind than All", async () => {
    expectRefusal(
      await send("POST", `${CONFIG_MAPS}?dryRun=Foo`, configMap({}, { name: "dry" })),
      422,
      'dryRun: Unsupported value: ["Foo"]: supported values: "All"',
    );
  });
});

describe("definitions are refused", () => {
  function nested(depth: number): object {
    let schema: object = { type: "object" };
    for (let level = 0; level < depth; level++) schema = { type: "object", properties: { a: schema } };
    return schema;
  }

  it("whose schema is deeper than objects may be, and served when it is not", async () => {
    expectRefusal(
      await send("POST", `${CRDS}?dryRun=All`, definition(nested(600), "deeps")),
      400,
      "exceeded max depth",
    );
    expect((await send("POST", `${CRDS}?dryRun=All`, definition(nested(400), "deeps"))).status).toBe(201);
  });

  it("whose schema refers to itself", async () => {
    const schema = { type: "object", properties: { a: { $ref: "#/properties/a" } } };

    expectRefusal(await send("POST", CRDS, definition(schema, "loops")), 422, "$ref: Forbidden: $ref is not supported");
  });
});

describe("headers", () => {
  it("carry no line that a field's name would add, in warnings as elsewhere", async () => {
    const reply = await send(
      "POST",
      `${CONFIG_MAPS}?dryRun=All`,
      '{"metadata":{"name":"w"},"a\\r\\nSet-Cookie: x":1,"é🦑":2}',
    );

    expect(reply.status).toBe(201);
    expect(reply.headers["set-cookie"]).toBeUndefined();
    expect(reply.headers["warning"]).toContain('unknown field \\"a\\\\r\\\\nSet-Cookie: x\\"');
  });

  it("are cut at no byte: a raw line feed ends the connection, or the request", async () => {
    const raw = await new Promise<string>((resolve, reject) => {
      const socket = connectTls(
        { host: "127.0.0.1", port: listener.port, ca: listener.caPem, ALPNProtocols: ["http/1.1"] },
        () => {
          socket.write("GET /version HTTP/1.1\r\nHost: x\r\nAudit-Id: a\rb\r\nConnection: close\r\n\r\n");
        },
      );
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });

    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("of Accept that nobody can serve are a 406, for discovery too", async () => {
    const garbage = { accept: "garbage" };
    const aggregated = { accept: "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList" };

    expect((await send("GET", `${CONFIG_MAPS}/base`, undefined, JSON_TYPE, garbage)).status).toBe(406);
    expect((await send("GET", "/apis", undefined, JSON_TYPE, garbage)).status).toBe(406);
    expect((await send("GET", "/apis", undefined, JSON_TYPE, aggregated)).status).toBe(406);
  });
});

describe("impersonation", () => {
  const path = `${CONFIG_MAPS}/base`;
  const ask = (headers: Record<string, string>) => send("GET", path, undefined, JSON_TYPE, headers);

  it("of nobody is as if it were not asked for, unless groups are", async () => {
    expect((await ask({ "impersonate-user": "" })).status).toBe(200);
    expectRefusal(await ask({ "impersonate-group": "system:masters" }), 400, "without impersonating a user name");
  });

  it("makes nobody a master who may not be one", async () => {
    const alice = { authorization: "Bearer alice" };

    expect((await ask({ ...alice, "impersonate-user": "x", "impersonate-group": "system:masters" })).status).toBe(403);
    expect((await ask({ "impersonate-user": "x", "impersonate-group": "system:masters" })).status).toBe(200);
  });

  it("of extra values bears broken escapes", async () => {
    expect((await ask({ "impersonate-user": "x", "impersonate-extra-%zz": "y" })).status).toBe(403);
  });
});

describe("paths", () => {
  it.each([
    ["a%2Fb", 404, "the server could not find the requested resource"],
    ["..", 400, `Name parameter invalid: "..": may not be '..'`],
    ["%2E%2E", 400, `Name parameter invalid: "..": may not be '..'`],
    ["a%25b", 400, `Name parameter invalid: "a%b": may not contain '%'`],
    ["a%0d%0ab", 404, 'configmaps "a\\r\\nb" not found'],
    ["__proto__", 404, 'configmaps "__proto__" not found'],
    ["%zz", 400, "400 Bad Request"],
  ])("of the name %s are answered with %i", async (name, status, message) => {
    expectRefusal(await send("GET", `${CONFIG_MAPS}/${name}`), status, message);
  });
});

describe("HTTP/2", () => {
  it("serves others while a client opens and resets streams", async () => {
    const session = connectHttp2(listener.url, { ca: listener.caPem, ...credentials });
    session.on("error", () => {});
    for (let round = 0; round < 2000 && !session.destroyed; round++) {
      const stream = session.request({ ":path": `${CONFIG_MAPS}?watch=1` });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (round % 100 === 0) expect((await send("GET", "/readyz")).text).toBe("ok");
    }
    session.destroy();

    expect((await send("GET", `${CONFIG_MAPS}/base`)).status).toBe(200);
  });
});
