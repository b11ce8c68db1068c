import { describe, expect, it } from "vitest";
import { CUSTOMIZATION_OPERATIONS, type CustomizationRules } from "../../../api/config.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { failureOf } from "../../../test/failure-of.ts";
import { AnswerPending } from "../answers.ts";
import type { Compatibility } from "../betterments.ts";
import type { InterpreterLevel } from "../interpreter.ts";
import { CustomizationIndex } from "./customization-index.ts";
import { customizationLevel } from "./customization-level.ts";

const MACHINE: KubeObject = {
  apiVersion: "acme.dev/v1",
  kind: "Machine",
  metadata: { name: "press", namespace: "shop" },
  spec: { units: 2, free: {} },
};

type Script = (...args: readonly unknown[]) => readonly unknown[];

/** A level whose scripts are functions: their text is the place in this list. */
function levelOf(
  rules: Partial<Record<keyof CustomizationRules, Script | readonly Script[]>>,
  compatibility: Compatibility = "flaghoist",
): InterpreterLevel & Required<InterpreterLevel> {
  const scripts: Script[] = [];
  const index = new CustomizationIndex();
  for (const { rule } of CUSTOMIZATION_OPERATIONS) {
    const given = rules[rule];
    for (const script of given === undefined ? [] : [given].flat()) {
      const luaScript = String(scripts.push(script) - 1);
      index.set({
        apiVersion: "config.karmada.io/v1alpha1",
        kind: "ResourceInterpreterCustomization",
        metadata: { name: `machine-${luaScript}` },
        spec: { target: { apiVersion: "acme.dev/v1", kind: "Machine" }, customizations: { [rule]: { luaScript } } },
      });
    }
  }
  const runner = {
    run: ({ source }: { source: string }, args: readonly unknown[]) => scripts[Number(source)]?.(...args) ?? [],
  };
  // The level has every method.
  return customizationLevel({ scripts: index, runner, compatibility }) as Required<InterpreterLevel>;
}

describe("customizationLevel", () => {
  it("knows the operations that have a script", () => {
    const level = levelOf({ retention: () => [] });
    const gvk = { group: "acme.dev", version: "v1", kind: "Machine" };

    expect(level.hookEnabled(gvk, "Retain")).toBe(true);
    expect(level.hookEnabled(gvk, "InterpretHealth")).toBe(false);
    expect(level.hookEnabled({ ...gvk, kind: "Robot" }, "Retain")).toBe(false);
  });

  it("reads replicas, cut to whole ones, and requirements with canonical quantities", () => {
    const level = levelOf({
      replicaResource: () => [
        2.7,
        { NodeClaim: { nodeSelector: [] }, resourceRequest: { cpu: 1.5, memory: "1024Mi" }, extra: 1 },
      ],
    });

    expect(level.getReplicas(MACHINE)).toEqual({
      replicas: 2,
      requirements: { nodeClaim: {}, resourceRequest: { cpu: "1500m", memory: "1Gi" } },
    });
  });

  it("has no requirements when the script returns none, and empty ones for an empty table", () => {
    expect(levelOf({ replicaResource: () => [3] }).getReplicas(MACHINE)).toEqual({ replicas: 3 });
    expect(levelOf({ replicaResource: () => [3, []] }).getReplicas(MACHINE)).toEqual({ replicas: 3, requirements: {} });
  });

  it.each([
    [["3"], "the script returned a text as replicas, not a number"],
    [[], "the script returned nil as replicas, not a number"],
    [[-1], "the script returned -1 as replicas of the object; from 0 to 2147483647 can be"],
    [[3e9], "the script returned 3000000000 as replicas of the object; from 0 to 2147483647 can be"],
    [[Number.NaN], "the script returned NaN as replicas of the object; from 0 to 2147483647 can be"],
    [[1, true], "the script returned true, not a table with the requirements of a replica as its second value"],
    [[1, [5]], "the script returned a list as requirements, not a table with named fields"],
    [
      [1, { resourceRequest: { cpu: true } }],
      'the script returned true as requirements.resourceRequest["cpu"], not a quantity',
    ],
    [
      [1, { nodeClaim: { tolerations: [{ tolerationSeconds: 1.5 }] } }],
      "the script returned the number 1.5 as requirements.nodeClaim.tolerations[0].tolerationSeconds, not an integer",
    ],
  ])("refuses %j for replicas", (results, words) => {
    const failure = failureOf(() => levelOf({ replicaResource: () => results }).getReplicas(MACHINE));

    expect(failure.message).toBe(
      `InterpretReplica of acme.dev/v1 Machine shop/press: ResourceInterpreterCustomization machine-0: ${words}`,
    );
    expect(failure).toMatchObject({ code: "customization-failed", recovery: "stall" });
  });

  it.each([
    [3e9, -2147483648],
    [-1.5, -1],
    [Number.NaN, -2147483648],
    [2147483647.9, 2147483647],
  ])("takes %d as Karmada does, on demand", (returned, replicas) => {
    expect(levelOf({ replicaResource: () => [returned] }, "karmada").getReplicas(MACHINE)).toEqual({ replicas });
  });

  it("reads components", () => {
    const level = levelOf({
      componentResource: () => [
        [
          { name: "main", replicas: 1, replicaRequirements: { namespace: "x", resourceRequest: { cpu: "1000m" } } },
          { name: "side" },
        ],
      ],
    });

    expect(level.getComponents(MACHINE)).toEqual([
      { name: "main", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "1" } } },
      { name: "side", replicas: 0 },
    ]);
    expect(levelOf({ componentResource: () => [] }).getComponents(MACHINE)).toEqual([]);
  });

  it("tells whose line fails", () => {
    const level = levelOf({
      healthInterpretation: () => {
        throw new AppError("lua-error", "attempt to index nil", { recovery: "stall", details: { line: 3 } });
      },
    });

    expect(failureOf(() => level.interpretHealth(MACHINE))).toMatchObject({
      message:
        "InterpretHealth of acme.dev/v1 Machine shop/press: ResourceInterpreterCustomization machine-0, line 3: attempt to index nil",
      details: {
        customization: "machine-0",
        operation: "InterpretHealth",
        line: 3,
        problem: "attempt to index nil",
      },
    });
  });

  it("lets questions through", () => {
    const level = levelOf({
      healthInterpretation: () => {
        throw new AnswerPending([]);
      },
    });

    expect(() => level.interpretHealth(MACHINE)).toThrow(AnswerPending);
  });

  it("takes only true and false for health", () => {
    expect(levelOf({ healthInterpretation: () => [true] }).interpretHealth(MACHINE)).toBe(true);
    expect(failureOf(() => levelOf({ healthInterpretation: () => [] }).interpretHealth(MACHINE)).message).toContain(
      "returned nil, not true or false",
    );
  });

  it("gives the script the object and the replicas, and repairs what it returns", () => {
    const level = levelOf({
      replicaRevision: (object, replicas) => [
        { ...(object as KubeObject), spec: { units: replicas, free: [], added: [] } },
      ],
    });

    expect(level.reviseReplica(MACHINE, 5)).toEqual({ ...MACHINE, spec: { units: 5, free: {} } });
  });

  it("repairs what is retained by the observed object, too", () => {
    const level = levelOf({ retention: (desired) => [{ ...(desired as KubeObject), spec: { gone: [], seen: [] } }] });

    expect(level.retain(MACHINE, { ...MACHINE, spec: { seen: {} } })).toEqual({ ...MACHINE, spec: { seen: {} } });
  });

  it.each([
    [{ ...MACHINE, metadata: { ...MACHINE.metadata, name: "other" } }, "metadata.name"],
    [{ ...MACHINE, metadata: { name: "press" } }, "metadata.namespace"],
    [{ kind: "Machine", metadata: MACHINE.metadata }, "apiVersion"],
    [{ ...MACHINE, kind: "Robot" }, "kind"],
    [{ ...MACHINE, metadata: "press" }, "metadata.name"],
  ])("refuses another object, of which Karmada would make a second copy", (returned, field) => {
    const script = (): readonly unknown[] => [returned];

    expect(failureOf(() => levelOf({ retention: script }).retain(MACHINE, MACHINE)).message).toContain(
      `the script returned an object with another ${field}`,
    );
    expect(levelOf({ retention: script }, "karmada").retain(MACHINE, MACHINE)).toEqual(returned);
  });

  it.each([[[]], [[5]], [{}], [{ kind: 5 }], [undefined], ["x"]])("refuses %j as an object", (returned) => {
    const level = levelOf({ statusAggregation: () => [returned] }, "karmada");

    expect(failureOf(() => level.aggregateStatus(MACHINE, [], "")).message).toContain(
      "ResourceInterpreterCustomization",
    );
  });

  it("reflects a status, an empty one too, but no list", () => {
    expect(levelOf({ statusReflection: () => [{ a: 1, b: [] }] }).reflectStatus(MACHINE)).toEqual({ a: 1 });
    expect(levelOf({ statusReflection: () => [[]] }).reflectStatus(MACHINE)).toEqual({});
    expect(failureOf(() => levelOf({ statusReflection: () => [[1]] }).reflectStatus(MACHINE)).message).toContain(
      "a list",
    );
    expect(failureOf(() => levelOf({ statusReflection: () => [] }).reflectStatus(MACHINE)).message).toContain("nil");
  });

  it("unites the dependencies of all scripts in order", () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "conf" };
    const labelled = { apiVersion: "v1", kind: "Secret", labelSelector: { matchLabels: { app: "press" } } };
    const level = levelOf({
      dependencyInterpretation: [
        () => [[{ ...labelled, extra: 1 }, config]],
        () => [[config, { apiVersion: "apps/v1", kind: "Deployment", name: "helper" }, labelled]],
        () => [[]],
      ],
    });

    expect(level.getDependencies(MACHINE)).toEqual([
      { apiVersion: "apps/v1", kind: "Deployment", name: "helper" },
      config,
      labelled,
      labelled,
    ]);
  });

  it("tells which script names a dependency that is none", () => {
    const level = levelOf({
      dependencyInterpretation: [() => [[]], () => [[{ kind: "ConfigMap", name: "conf" }]]],
    });

    expect(failureOf(() => level.getDependencies(MACHINE)).message).toContain(
      "ResourceInterpreterCustomization machine-1: InterpretDependency of acme.dev/v1 Machine shop/press: dependencies[0]: apiVersion is missing",
    );
  });
});
