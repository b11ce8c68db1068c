import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { suite as binding } from "./suites/binding.ts";
import { suite as interpreterCustom } from "./suites/interpreter-custom.ts";
import { suite as interpreterNative } from "./suites/interpreter-native.ts";
import { suite as interpreterThirdParty } from "./suites/interpreter-thirdparty.ts";
import { suite as naming } from "./suites/naming.ts";
import { suite as override } from "./suites/override.ts";
import { suite as status } from "./suites/status.ts";
import { suite as work } from "./suites/work.ts";

const vectors = join(import.meta.dirname, "vectors", "karmada");

describe("answers recorded from Karmada", () => {
  const suites = {
    binding,
    "interpreter-custom": interpreterCustom,
    "interpreter-native": interpreterNative,
    "interpreter-thirdparty": interpreterThirdParty,
    naming,
    override,
    status,
    work,
  };

  it.each(Object.entries(suites))("are ours too: %s", async (_name, suite) => {
    const failed: string[] = [];
    let count = 0;
    for await (const result of suite.run({ vectors })) {
      count++;
      if (!result.passed) failed.push(`${result.id}: ${result.details ?? ""}`);
    }

    expect(failed).toEqual([]);
    expect(count).toBeGreaterThan(0);
  });

  it("differ on purpose in the cases of custom resources that are listed beside them, and in no other", async () => {
    const listed: unknown = JSON.parse(readFileSync(join(vectors, "interpreter-thirdparty.deviates.json"), "utf8"));
    const found: Record<string, string> = {};
    for await (const { id, deviates } of interpreterThirdParty.run({ vectors })) {
      if (deviates !== undefined) found[id] = deviates;
    }

    expect(found).toEqual(listed);
  });
});
