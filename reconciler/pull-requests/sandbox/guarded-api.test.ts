import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApiServer } from "../../../fleets/apiserver/server.ts";
import { collectionPath, KubeClient } from "../../../kube/client/kube-client.ts";
import type { ApiRequest, ApiResponse, Transport } from "../../../kube/client/transport.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { Random } from "../../../runtime/random.ts";
import { binding, cluster, deployment, overridePolicy, policy } from "../../../test/builders.ts";
import { openQuietPlane, type QuietPlane } from "../../../test/quiet-plane.ts";
import { testSeed } from "../../../test/seed.ts";
import { GuardedApi } from "./guarded-api.ts";

const { signal } = new AbortController();
const NOTHING = new Uint8Array();
const DRY = "?fieldManager=flaghoist&dryRun=All&force=true";
const APPLY = "application/apply-patch+yaml";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

let plane: QuietPlane;
let member: Awaited<ReturnType<typeof createApiServer>>;
beforeAll(async () => {
  plane = await openQuietPlane();
  member = await createApiServer({ name: "paris", clock: systemClock, logger: silentLogger });
}, 60_000);
afterAll(async () => {
  await plane.close();
  await member.close();
});

function guarded(transport: Transport = plane.client.transport): GuardedApi {
  return new GuardedApi({
    transport,
    connect: async () => ({ client: new KubeClient(member.handle), close: async () => {} }),
  });
}

async function read(api: GuardedApi, path: string, of?: string): Promise<string> {
  const { body } = await api.answer(of, { method: "GET", path, contentType: undefined }, NOTHING, signal);
  return Buffer.from(body).toString();
}

function apply(api: GuardedApi, object: object, path: string): Promise<{ status: number; body: string }> {
  const asked = { method: "PATCH", path: `${path}${DRY}`, contentType: APPLY };
  return api
    .answer(undefined, asked, Buffer.from(JSON.stringify(object)), signal)
    .then(({ status, body }) => ({ status, body: Buffer.from(body).toString() }));
}

function secret(name: string, data: Record<string, string>, more: object = {}): KubeObject {
  const encoded = Object.entries(data).map(([key, text]) => [key, base64(text)]);
  const metadata = { name, namespace: "shop", ...more };
  return { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data: Object.fromEntries(encoded) };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Values as people have them. Each is found nowhere else. */
class Values {
  readonly all: string[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): string {
    const random = this.#random;
    const word = (): string =>
      Array.from({ length: 12 }, () => random.pick([..."abcdefghkmnpqrstuvwxyz23456789"])).join("");
    const value = random.pick([
      () => word(),
      () => `Bearer ${word()}.${word()}.${word()}`,
      () => `-----BEGIN KEY-----\n${word()}${word()}\n${word()}\n-----END KEY-----\n`,
      () => `pa"ss\\${word()}'`,
      () => `${word()}ü€${word()}`,
      () => JSON.stringify({ auths: { host: { auth: base64(word()) } } }),
      () => base64(word() + word()),
      () => `postgres://shop:${word()}@db:5432/shop`,
    ])();
    this.all.push(value);
    return value;
  }
}

/** What of a value must not stand anywhere: it, its encodings and its telling lines. */
function tracesOf(value: string): string[] {
  const lines = value.split("\n").filter((line) => line.length >= 8 && !line.startsWith("-----"));
  const plain = [value, ...lines];
  return [...plain, ...plain.map((text) => JSON.stringify(text).slice(1, -1)), base64(value), base64(base64(value))];
}

function leaks(text: string, values: readonly string[]): string[] {
  // What is encoded once more is no better hidden.
  const inner = [...text.matchAll(/[A-Za-z0-9+/]{12,}={0,2}/g)].map(([part]) => Buffer.from(part, "base64").toString());
  const told = [text, ...inner].join("\n");
  return values.filter((value) => tracesOf(value).some((trace) => told.includes(trace)));
}

function conditions(text: string): object {
  return {
    conditions: [
      { type: "Applied", status: "False", reason: "Failed", message: text, lastTransitionTime: "2026-01-01T00:00:00Z" },
    ],
  };
}

/** Everything in which a control plane or a member has values of Secrets. */
function secretive(run: number, values: Values): { plane: object[]; member: object[] } {
  const value = (): string => values.next();
  const quoting = (text: string): string =>
    `Secret "db" is invalid: data: Invalid value: ${JSON.stringify(text)}: too odd`;
  const repeated = value();
  const annotated = secret(
    `annotated-${run}`,
    { password: repeated, other: value() },
    {
      annotations: {
        [LAST_APPLIED]: JSON.stringify(secret("annotated", { password: repeated })),
        "example.com/note": `it is ${repeated}, or ${base64(repeated)}`,
      },
    },
  );
  const within = value();
  const work = {
    apiVersion: "work.karmada.io/v1alpha1",
    kind: "Work",
    metadata: {
      name: `db-${run}`,
      namespace: "karmada-es-paris",
      annotations: { [LAST_APPLIED]: JSON.stringify({ data: { a: base64(within) } }) },
    },
    spec: {
      workload: {
        manifests: [
          secret(
            "db",
            { password: within },
            {
              annotations: {
                [LAST_APPLIED]: JSON.stringify(secret("db", { password: within })),
                "policy.karmada.io/applied-overrides": JSON.stringify([
                  { overriders: { plaintext: [{ path: "/data/password", value: base64(value()) }] } },
                ]),
                "example.com/note": within,
              },
            },
          ),
          { apiVersion: "v1", kind: "List", items: [secret("listed", { token: value() })] },
        ],
      },
    },
    status: {
      ...conditions(quoting(within)),
      manifestStatuses: [
        {
          identifier: { ordinal: 0, version: "v1", kind: "Secret", resource: "secrets", name: "db" },
          status: { conditions: [{ message: within }], lastError: within },
        },
      ],
    },
  };
  const bound = binding({
    template: secret(`db-${run}`, {}),
    policy: policy({ name: "all" }),
    clusters: [{ name: "paris" }],
    status: { aggregatedStatus: [{ clusterName: "paris", applied: false, appliedMessage: quoting(repeated) }] },
  });
  const override = overridePolicy({
    name: `passwords-${run}`,
    selects: [{ apiVersion: "v1", kind: "Secret" }],
    rules: [{ overriders: { plaintext: [{ path: "/data/password", operator: "replace", value: base64(value()) }] } }],
  });
  const sync = {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "Sync",
    metadata: { name: `apps-${run}`, namespace: "shop" },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, path: "apps" },
    status: conditions(quoting(repeated)),
  };
  const source = {
    apiVersion: "gitops.flaghoist.io/v1alpha1",
    kind: "GitRepository",
    metadata: { name: `shop-${run}`, namespace: "shop" },
    spec: { url: `https://bot:${value().replaceAll(/[^a-z0-9]/g, "x")}@git.example.com/shop.git`, interval: "1m" },
  };
  const paris = cluster({ name: `paris-${run}` });
  const proxied = {
    ...paris,
    spec: {
      ...paris.spec,
      proxyURL: "http://proxy.example.com",
      proxyHeader: { "Proxy-Authorization": `Basic ${base64(value())}` },
    },
  };
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `odd-${run}`, namespace: "shop" },
    involvedObject: {},
    message: quoting(repeated),
  };
  const live = deployment({ name: `web-${run}` });
  return {
    plane: [
      annotated,
      secret(`plain-${run}`, { a: value(), b: value() }),
      work,
      bound,
      override,
      sync,
      source,
      proxied,
      event,
    ],
    member: [
      secret(
        `db-${run}`,
        { password: within, more: value() },
        { annotations: { [LAST_APPLIED]: JSON.stringify({ data: base64(within) }) } },
      ),
      { ...live, status: { conditions: [{ type: "Available", status: "False", message: quoting(within) }] } },
    ],
  };
}

async function everythingOf(api: GuardedApi, client: KubeClient, of?: string): Promise<string[]> {
  const texts = [await read(api, "/api", of), await read(api, "/apis", of)];
  for (const info of (await client.mapper.all()).filter(({ verbs }) => verbs.includes("list"))) {
    const path = collectionPath(info, undefined);
    texts.push(await read(api, `${path}?limit=250`, of));
    for (const { metadata } of (
      await client.list(`${info.group}${info.group === "" ? "" : "/"}${info.version}`, info.kind)
    ).items)
      texts.push(
        await read(api, `${collectionPath(info, metadata.namespace)}/${encodeURIComponent(metadata.name ?? "")}`, of),
      );
  }
  return texts;
}

describe("GuardedApi", () => {
  it("answers with no byte of a value of a Secret, wherever servers have it", async () => {
    const random = new Random(testSeed());
    const values = new Values(random);
    const namespaces = ["shop", "karmada-es-paris"].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    }));
    await plane.create(namespaces);
    const inMember = new KubeClient(member.handle);
    await inMember.create(namespaces[0] as unknown as KubeObject);
    for (let run = 0; run < 25; run++) {
      const made = secretive(run, values);
      await plane.create(made.plane);
      for (const object of made.member as KubeObject[]) {
        const { uid: _, ...metadata } = object.metadata;
        const { status, ...created } = { ...object, metadata } as KubeObject;
        const stored = await inMember.create(created as KubeObject);
        if (status !== undefined) await inMember.update({ ...stored, status } as KubeObject, { subresource: "status" });
      }
    }
    const api = guarded();

    const texts = [...(await everythingOf(api, plane.client)), ...(await everythingOf(api, inMember, "paris"))];

    const whole = texts.join("\n");
    expect(whole).toContain("annotated-24");
    expect(whole).toContain("(hidden ");
    expect(leaks(whole, values.all)).toEqual([]);
    // The check itself can find something.
    const raw = JSON.stringify((await plane.client.list("v1", "Secret")).items);
    expect(leaks(raw, values.all).length).toBeGreaterThan(50);
  }, 120_000);

  it("keeps equal values equal, also between servers, and lets a change show", async () => {
    await plane.create([
      secret("one", { a: "same value", b: "one value" }),
      secret("two", { a: "same value", b: "other value" }),
    ]);
    await new KubeClient(member.handle).create(secret("three", { a: "same value", b: "one value" }));
    const api = guarded();

    const [one, two, three] = (
      await Promise.all([
        read(api, "/api/v1/namespaces/shop/secrets/one"),
        read(api, "/api/v1/namespaces/shop/secrets/two"),
        read(api, "/api/v1/namespaces/shop/secrets/three", "paris"),
      ])
    ).map((text) => JSON.parse(text).data);

    expect(one.a).toMatch(/^\(hidden [0-9a-f]{8}\)$/);
    expect(two.a).toBe(one.a);
    expect(two.b).not.toBe(one.b);
    expect(three).toEqual(one);
    expect(JSON.parse(await read(guarded(), "/api/v1/namespaces/shop/secrets/one")).data.a).not.toBe(one.a);
  });

  it("says what a dry run comes to, and stores nothing", async () => {
    await plane.create([secret("dry", { kept: "kept value", changed: "first value" })]);
    const api = guarded();
    const path = "/api/v1/namespaces/shop/secrets/dry";

    const before = JSON.parse(await read(api, path));
    const { body } = await apply(api, secret("dry", { changed: "second value" }), path);
    const after = JSON.parse(body);

    expect(after.data.kept).toBe(before.data.kept);
    expect(after.data.changed).not.toBe(before.data.changed);
    expect(leaks(body, ["kept value", "first value", "second value"])).toEqual([]);
    expect(
      (await plane.client.get({ apiVersion: "v1", kind: "Secret", namespace: "shop", name: "dry" }))["data"],
    ).toEqual(secret("dry", { kept: "kept value", changed: "first value" })["data"]);
  });

  it("tells why a dry run is refused, without what the refusal quotes of a Secret", async () => {
    await plane.create([secret("quoted", { a: "live value here" })]);
    const refuse = (request: ApiRequest): Promise<ApiResponse> => {
      if (request.method === "GET") return plane.client.transport(request);
      const message = `Secret "quoted" is invalid: data[a]: Invalid value: "live value here" (${base64("live value here")}): not "wanted value here"`;
      const status = {
        kind: "Status",
        code: 422,
        reason: "Invalid",
        message,
        details: { causes: [{ field: "data[a]", message }], extra: message },
      };
      return Promise.resolve({ status: 422, headers: {}, body: Buffer.from(JSON.stringify(status)) });
    };

    const { status, body } = await apply(
      guarded(refuse),
      secret("quoted", { a: "wanted value here" }),
      "/api/v1/namespaces/shop/secrets/quoted",
    );

    expect(status).toBe(422);
    expect(JSON.parse(body).message).toMatch(
      /^Secret "quoted" is invalid: data\[a\]: Invalid value: "\(hidden [0-9a-f]{8}\)" \(\(hidden [0-9a-f]{8}\)\): not "\(hidden [0-9a-f]{8}\)"$/,
    );
    expect(leaks(body, ["live value here", "wanted value here"])).toEqual([]);
  });

  it("does not let one Secret be tried for long", async () => {
    await plane.create([secret("tried", { pin: "4711" })]);
    const api = guarded();
    const path = "/api/v1/namespaces/shop/secrets/tried";

    const statuses = [];
    for (let pin = 0; pin < 12; pin++)
      statuses.push((await apply(api, secret("tried", { pin: `${4_700 + pin}` }), path)).status);

    expect(statuses).toEqual([...Array(8).fill(200), ...Array(4).fill(403)]);
  });

  it("only reads in members, by the cluster that the control plane knows", async () => {
    const asked: string[] = [];
    const api = new GuardedApi({
      transport: plane.client.transport,
      connect: async (name) => {
        asked.push(name);
        return { client: new KubeClient(member.handle), close: async () => {} };
      },
    });
    const tried = await api.answer(
      "paris",
      { method: "PATCH", path: `/api/v1/namespaces/shop/secrets/one${DRY}`, contentType: APPLY },
      Buffer.from(JSON.stringify(secret("one", {}))),
      signal,
    );

    expect(tried.status).toBe(403);
    expect(asked).toEqual([]);
    await expect(read(api, "/api/v1/secrets", "../paris")).rejects.toMatchObject({ code: "cluster-unknown" });
    await expect(read(guarded(), "/api/v1/secrets?limit=1", "paris")).resolves.toContain("SecretList");
  });
});
