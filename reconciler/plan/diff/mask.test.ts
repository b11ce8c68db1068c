import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { configMap, overridePolicy } from "../../../test/builders.ts";
import { isCredentialName, Mask, secretTexts } from "./mask.ts";

const mask = new Mask("key");
const secret = (data: object, more: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "db", namespace: "shop" },
  data,
  ...more,
});
const container = (parts: object): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p" },
  spec: { containers: [{ name: "web", ...parts }] },
});
const text = (object: unknown): string => JSON.stringify(object);

describe("Mask", () => {
  it("lets equal values look equal and a change show, under its own key only", () => {
    const [a, b, c] = ["aHVudGVy", "aHVudGVy", "b3RoZXI="].map((p) => text(mask.object(secret({ p }))));

    expect(a).toBe(b);
    expect(a).not.toBe(c);
    expect(a).toMatch(/"p":"\(hidden [0-9a-f]{8}\)"/);
    expect(text(new Mask("other key").object(secret({ p: "aHVudGVy" })))).not.toBe(a);
  });

  it("hides every value of a Secret of whatever shape and keeps its keys", () => {
    const odd = mask.object(
      secret({ a: 12345, b: { c: ["deep-value"] }, d: true, e: null }, { stringData: "plain-text", type: "Opaque" }),
    );

    expect(text(odd)).not.toMatch(/12345|deep-value|plain-text|true/);
    expect(odd).toMatchObject({ type: "Opaque", data: { b: { c: [expect.stringMatching(/^\(hidden/)] }, e: null } });
  });

  it("hides annotations that repeat values", () => {
    const annotations = {
      "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"p":"aHVudGVyMg=="}}',
      note: "the password is hunter2",
      team: "shop",
    };

    const masked = mask.object(secret({ p: "aHVudGVyMg==" }, { metadata: { name: "db", annotations } }));

    expect(text(masked)).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(masked.metadata.annotations).toMatchObject({ team: "shop" });
  });

  it("hides Secrets within Works, and what overrides write into Secrets", () => {
    const work = {
      apiVersion: "work.karmada.io/v1alpha1",
      kind: "Work",
      metadata: { name: "w" },
      spec: { workload: { manifests: [secret({ p: "aHVudGVyMg==" })] } },
    };
    const policy = overridePolicy({
      name: "o",
      selects: [{ apiVersion: "v1", kind: "Secret" }],
      rules: [
        {
          overriders: {
            plaintext: [
              { path: "/data/p", operator: "replace", value: "aHVudGVyMg==" },
              { path: "/metadata/labels/a", operator: "add", value: "shown" },
            ],
            fieldOverrider: [
              { fieldPath: "/data/f", yaml: [{ subPath: "/x", operator: "replace", value: { deep: "hunter2" } }] },
            ],
          },
        },
      ],
    });

    expect(text(mask.object(work))).not.toContain("aHVudGVyMg");
    const masked = text(mask.object(policy));
    expect(masked).not.toMatch(/aHVudGVyMg|hunter2/);
    expect(masked).toContain("shown");
  });

  it("hides variables and flags that are called like a credential, and no others", () => {
    const masked = text(
      mask.object(
        container({
          env: [
            { name: "DB_PASSWORD", value: "hunter2" },
            { name: "MODE", value: "fast" },
            { name: "API_TOKEN", valueFrom: { secretKeyRef: { name: "db", key: "token" } } },
          ],
          args: ["--api-key=hunter2", "--password", "hunter2", "--mode=slow", "--token-file=/run/token"],
        }),
      ),
    );

    expect(masked).not.toContain("hunter2");
    for (const kept of ["fast", "slow", '"key":"token"', "/run/token", "--api-key=(hidden"])
      expect(masked).toContain(kept);
  });

  it("hides who logs in to a URL", () => {
    const masked = text(
      mask.object(
        configMap("c", {
          a: "connect to postgres://app:hunter2@db:5432/shop now",
          b: "https://ghp_hunter2@example.com/x",
          c: "ssh://git@example.com/x",
          d: "oci://registry/app@sha256:00",
          e: `${"a".repeat(100_000)}://`,
        }),
      ),
    );

    expect(masked).not.toContain("hunter2");
    for (const kept of ["@db:5432/shop now", "ssh://git@example.com", "app@sha256:00"]) expect(masked).toContain(kept);
  });

  it("masks one value as it would be in its object", () => {
    const pod = container({ env: [{ name: "DB_PASSWORD", value: "hunter2" }] });
    const keys = ["spec", "containers", 0, "env", 0, "value"];

    expect(mask.at(pod, keys, "hunter2")).toMatch(/^\(hidden [0-9a-f]{8}\)$/);
    expect(mask.at(pod, ["spec", "containers", 0, "env"], [{ name: "A_TOKEN", value: "hunter2" }])).toEqual([
      { name: "A_TOKEN", value: mask.token("hunter2") },
    ]);
    expect(mask.at(pod, ["spec", "nodeName"], "n")).toBe("n");
  });

  it("takes values out of messages, as they are written and as they are meant", () => {
    const secrets = secretTexts([secret({ p: "aHVudGVyMg==", n: 4711 }, { stringData: { s: "first\nsecond" } })]);

    const message = mask.message('data.p: "aHVudGVyMg==" (hunter2), 4711, second: bad; see https://u:p@h/x', secrets);

    expect(message).not.toMatch(/aHVudGVyMg|hunter2|4711|second|u:p/);
    expect(message).toContain("bad; see https://(hidden");
    const short = secretTexts([secret({}, { stringData: { a: "up", b: 'say "hello"' } })]);
    expect(mask.message('setting up: "up" is wrong, so is "say \\"hello\\""', short)).toMatch(
      /^setting up: \(hidden [0-9a-f]{8}\) is wrong, so is "\(hidden [0-9a-f]{8}\)"$/,
    );
  });
});

describe("isCredentialName", () => {
  it.each([
    "PASSWORD",
    "DB_PASSWORD",
    "dbPassword",
    "api-key",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "client_secret",
  ])("knows %s", (name) => expect(isCredentialName(name)).toBe(true));
  it.each(["TOKEN_TTL", "PASSWORD_FILE", "KEY", "MODE", "SECRET_NAME", "COMPASS", "token-url"])("lets %s be", (name) =>
    expect(isCredentialName(name)).toBe(false),
  );
});
