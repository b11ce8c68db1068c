import { describe, expect, it } from "vitest";
import { gvkOf, type KubeObject } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import type { InterpreterLevel } from "./interpreter.ts";
import { createInterpreter } from "./levels.ts";
import { nativeLevel } from "./native.ts";

const widget: KubeObject = {
  apiVersion: "example.io/v1",
  kind: "Widget",
  metadata: { name: "w" },
  status: { phase: "Up" },
};
const deployment: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop" },
  spec: { replicas: 3 },
};

function answering(replicas: number): InterpreterLevel {
  return {
    hookEnabled: (gvk, operation) => operation === "InterpretReplica" && gvk.kind === "Deployment",
    getReplicas: () => ({ replicas }),
  };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.code;
  }
  return "";
}

describe("createInterpreter", () => {
  it("asks customizations before webhooks, third-party scripts and built-in rules", () => {
    const native = nativeLevel();

    expect(createInterpreter({ native }).getReplicas(deployment).replicas).toBe(3);
    expect(createInterpreter({ thirdParty: answering(4), native }).getReplicas(deployment).replicas).toBe(4);
    expect(
      createInterpreter({ webhook: answering(5), thirdParty: answering(4), native }).getReplicas(deployment).replicas,
    ).toBe(5);
    expect(
      createInterpreter({ customization: answering(6), webhook: answering(5), native }).getReplicas(deployment)
        .replicas,
    ).toBe(6);
  });

  it("does not fall through to a lower level when a higher one fails", () => {
    const failing: InterpreterLevel = {
      hookEnabled: () => true,
      getReplicas: () => {
        throw new AppError("script-failed", "no", { recovery: "stall" });
      },
    };

    expect(
      codeOf(() => createInterpreter({ customization: failing, native: nativeLevel() }).getReplicas(deployment)),
    ).toBe("script-failed");
  });

  it("has an answer about the status of every kind, and else says that it knows nothing", () => {
    const interpreter = createInterpreter({ native: nativeLevel() });

    expect(interpreter.reflectStatus(widget)).toEqual({ phase: "Up" });
    expect(interpreter.hookEnabled(gvkOf(widget), "InterpretHealth")).toBe(false);
    expect(codeOf(() => interpreter.interpretHealth(widget))).toBe("interpreter-not-found");
  });

  it("refuses dependencies that name nothing, whatever level they come from", () => {
    const vague: InterpreterLevel = {
      hookEnabled: (_, operation) => operation === "InterpretDependency",
      getDependencies: () => [{ apiVersion: "v1", kind: "Secret", namespace: "shop" }],
    };

    expect(
      codeOf(() => createInterpreter({ customization: vague, native: nativeLevel() }).getDependencies(widget)),
    ).toBe("interpreter-failed");
  });

  it("refuses an object whose fields have the wrong type", () => {
    const odd = { ...deployment, spec: { replicas: "three" } };

    expect(codeOf(() => createInterpreter({ native: nativeLevel() }).getReplicas(odd))).toBe(
      "interpreter-field-malformed",
    );
  });
});
