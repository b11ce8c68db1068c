import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { NOTHING_REPORTED } from "../interpreter.ts";
import { rulesLevel } from "../kind-rules.ts";
import { createInterpreter } from "../levels.ts";
import { standardInterpreter } from "../standard-interpreter.ts";
import { KYVERNO_RULES } from "./kyverno.ts";

const interpreter = createInterpreter({ native: rulesLevel(KYVERNO_RULES) });
const READY = { type: "Ready", status: "True", reason: "Succeeded", message: "Ready" };

function policy(status?: unknown): KubeObject {
  return { apiVersion: "kyverno.io/v1", kind: "Policy", metadata: { name: "web" }, status };
}

describe("a Kyverno policy", () => {
  it("is healthy when it says so, else by its condition", () => {
    expect(interpreter.interpretHealth(policy({ ready: false, conditions: [READY] }))).toBe(false);
    expect(interpreter.interpretHealth(policy({ conditions: [READY] }))).toBe(true);
    expect(interpreter.interpretHealth(policy({ conditions: [{ ...READY, reason: "Failed" }] }))).toBe(false);
    expect(interpreter.interpretHealth(policy())).toBe(false);
    expect(() => interpreter.interpretHealth(policy({ ready: "yes" }))).toThrow("status.ready is not true or false");
  });

  it("is collected without the fields that say nothing", () => {
    expect(interpreter.reflectStatus(policy({ ready: true, autogen: {}, conditions: [], other: 1 }))).toEqual({
      ready: true,
    });
    expect(interpreter.reflectStatus(policy())).toEqual({});
  });

  it("counts the rules of all clusters, those that count nothing included", () => {
    const items = [
      { clusterName: "a", status: { ready: true, rulecount: { validate: 1, mutate: 2 }, conditions: [READY] } },
      { clusterName: "b", status: { ready: false, rulecount: { validate: 1, verifyimages: 1 } } },
      { clusterName: "c" },
    ];

    expect(interpreter.aggregateStatus(policy({ old: 1 }), items, "")["status"]).toEqual({
      ready: false,
      rulecount: { validate: 2, generate: 0, mutate: 2, verifyimages: 1 },
      conditions: [{ ...READY, message: "a=Ready" }],
    });
  });

  it("keeps its status while its binding has none", () => {
    const template = policy({ ready: true });

    expect(interpreter.aggregateStatus(template, NOTHING_REPORTED, "")).toBe(template);
  });
});

describe("a Kyverno policy beyond Karmada's rules", () => {
  const better = standardInterpreter("flaghoist");
  const status = (...items: readonly Record<string, unknown>[]): unknown =>
    better.aggregateStatus(
      policy(),
      items.map((item, index) => ({ clusterName: `member-${index}`, status: item })),
      "2026-01-01T00:00:00Z",
    )["status"];

  it("is ready when it is in every cluster, and has as many rules as in each", () => {
    const good = { ready: true, rulecount: { validate: 2 }, conditions: [READY] };

    expect(status(good, good)).toMatchObject({ ready: true, rulecount: { validate: 2 }, conditions: [READY] });
    expect(status(good, { ...good, ready: false })).toMatchObject({ ready: false });
    expect(status(good, {})).toMatchObject({ ready: false, conditions: [{ type: "Reconciling", status: "True" }] });
  });

  it("is healthy whatever the reason it is ready for, unless it says that it is not", () => {
    const ready = { ...READY, reason: "Loaded" };

    expect(better.interpretHealth(policy({ conditions: [ready] }))).toBe(true);
    expect(better.interpretHealth(policy({ ready: false, conditions: [ready] }))).toBe(false);
  });
});
