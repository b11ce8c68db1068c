import { describe, expect, it } from "vitest";
import type { Area, GeneratedKustomization } from "./area.ts";
import { buildOurs } from "./our-kustomize.ts";
import { fuzzKustomize } from "./run.ts";

/** Several files of which one field of one object matters. */
const area: Area = {
  name: "planted",
  generate(random) {
    const value = random.pick(["plain", "other", "defect"]);
    return {
      path: "overlay",
      args: ["--reorder", "none"],
      files: {
        "overlay/kustomization.yaml": "namePrefix: p-\nresources:\n- ../base\n- extra.yaml\n",
        "overlay/extra.yaml": object("extra", "nothing"),
        "base/kustomization.yaml": "resources:\n- a.yaml\n- b.yaml\ncommonAnnotations:\n  note: here\n",
        "base/a.yaml": `${object("a", "plain")}---\n${object("c", value)}`,
        "base/b.yaml": object("b", "plain"),
      },
    };
  },
};

function object(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  labels:\n    app: x\ndata:\n  first: "1"\n  key: ${value}\n`;
}

/** Our renderer with a fault. */
function broken(input: GeneratedKustomization): ReturnType<typeof buildOurs> {
  const outcome = buildOurs(input);
  return outcome.output === undefined ? outcome : { ...outcome, output: outcome.output.replace("defect", "wrong") };
}

describe("fuzzKustomize", () => {
  it("finds a planted defect and makes its input small", async () => {
    const report = await fuzzKustomize({
      areas: [area],
      cases: 12,
      seed: 1,
      real: buildOurs,
      ours: broken,
      mostShown: 1,
    });

    expect(report.failed).toBeGreaterThan(0);
    expect(report.passed + report.failed).toBe(12);
    const { difference, input } = report.found[0]!;
    expect(difference.kind).toBe("output at key / key");
    expect(difference.text).toContain("key: defect");
    expect(difference.text).toContain("key: wrong");
    expect(Object.keys(input.files)).toEqual(["overlay/kustomization.yaml", "base/kustomization.yaml", "base/a.yaml"]);
    expect(input.files["overlay/kustomization.yaml"]).toBe("resources:\n- ../base\n");
    expect(input.files["base/kustomization.yaml"]).toBe("resources:\n- a.yaml\n");
    expect(input.files["base/a.yaml"]).toBe("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  key: defect\n");
    expect(input.args).toBeUndefined();
  });

  it("makes the same case again from its area and seed", async () => {
    const options = { areas: [area], real: buildOurs, ours: broken, mostShown: 0 };
    const whole = await fuzzKustomize({ ...options, cases: 12, seed: 1, mostShown: 12 });

    const again = await fuzzKustomize({ ...options, cases: 1, seed: whole.found[0]!.seed });

    expect(again.failed).toBe(1);
  });

  it("passes over what kustomize answers now this way, now that", async () => {
    let calls = 0;
    const report = await fuzzKustomize({
      areas: [area],
      cases: 2,
      seed: 1,
      real: () => ({ output: String(calls++), warnings: [] }),
      ours: buildOurs,
    });

    expect(report).toMatchObject({ passed: 2, failed: 0, undecided: 2 });
  });

  it("tells failures of another category, and failures of one side", async () => {
    const failing = { failure: { category: "cycle", message: "cycle detected" }, warnings: [] };
    const other = { failure: { category: "missing-file", message: "it is not there" }, warnings: undefined };
    const options = { areas: [area], cases: 1, seed: 1 };

    const categories = await fuzzKustomize({ ...options, real: () => failing, ours: () => other });
    const oneSide = await fuzzKustomize({ ...options, real: () => failing, ours: buildOurs });

    expect(categories.found[0]?.difference.kind).toBe("category: cycle, ours missing-file");
    expect(oneSide.found[0]?.difference.kind).toBe("only kustomize fails: cycle");
  });
});
