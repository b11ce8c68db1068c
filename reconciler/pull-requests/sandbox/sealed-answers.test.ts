import { describe, expect, it } from "vitest";
import { Mask } from "../../plan/diff/mask.ts";
import type { AskedResource } from "./request-gate.ts";
import { AnswerSeal } from "./sealed-answers.ts";

const seal = new AnswerSeal(new Mask("key"));
const SECRETS: AskedResource = { group: "", plural: "secrets", namespace: "shop", name: undefined };
const SECRET: AskedResource = { ...SECRETS, name: "db" };
const TOKEN = /^\(hidden [0-9a-f]{8}\)$/;

describe("AnswerSeal", () => {
  it.each([
    ["whose items come without a kind, as servers send them", { kind: "SecretList" }],
    ["that says nothing of what it is", {}],
    ["that says it is something else", { kind: "ConfigMapList" }],
  ])("knows Secrets in a list %s", (_, list) => {
    const items = [{ metadata: { name: "db" }, data: { password: "aHVudGVyMg==" }, type: "Opaque" }];

    expect(seal.answer({ apiVersion: "v1", ...list, items, odd: "hunter2" }, SECRETS)).toEqual({
      apiVersion: "v1",
      ...list,
      metadata: undefined,
      items: [
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "db" },
          data: { password: expect.stringMatching(TOKEN) },
          type: "Opaque",
        },
      ],
    });
  });

  it("knows items of other lists by the kind of these", () => {
    const items = [{ metadata: { name: "a" }, spec: { replicas: 1 } }];
    const resource = { group: "apps", plural: "deployments", namespace: undefined, name: undefined };

    expect(seal.answer({ apiVersion: "apps/v1", kind: "DeploymentList", items }, resource)).toMatchObject({
      items: [{ apiVersion: "apps/v1", kind: "Deployment", spec: { replicas: 1 } }],
    });
  });

  it("leaves what is written on a Secret, but for what repeats its values", () => {
    const sealed = seal.answer(
      {
        kind: "Secret",
        metadata: { annotations: { "example.com/team": "shop", "example.com/hint": "hunter2!" } },
        data: { password: "aHVudGVyMg==" },
      },
      SECRET,
    );
    const bare = seal.answer({ kind: "Secret", metadata: { annotations: { "example.com/team": "shop" } } }, SECRET);

    expect(sealed).toMatchObject({
      metadata: {
        annotations: {
          "example.com/team": "shop",
          "example.com/hint": expect.stringMatching(/^\(hidden [0-9a-f]{8}\)!$/),
        },
      },
    });
    expect(bare).toMatchObject({ metadata: { annotations: { "example.com/team": "shop" } } });
  });

  it("does not look for long in what was made to be looked at for long", () => {
    const data = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, `dmFsdWUg${at}`]));
    const annotations = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => [`example.com/a${at}`, "v".repeat(250)]),
    );
    const object = { kind: "Secret", metadata: { annotations }, data };
    const blanks = { kind: "Secret", metadata: {}, data: { a: `a${" ".repeat(1_000_000)}!` } };
    const message = "v".repeat(1_000_000);
    const started = performance.now();

    const sealed = seal.answer(object, SECRET);
    const refusal = seal.refusal({ kind: "Status", message }, 422, [object, blanks]);

    expect(performance.now() - started).toBeLessThan(3_000);
    expect(sealed).toMatchObject({ metadata: { annotations: { "example.com/a999": expect.stringMatching(TOKEN) } } });
    expect(refusal["message"]).toMatch(TOKEN);
  });
});
