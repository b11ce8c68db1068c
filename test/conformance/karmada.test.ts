import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { suite as binding } from "./suites/binding.ts";
import { suite as interpreterNative } from "./suites/interpreter-native.ts";
import { suite as naming } from "./suites/naming.ts";
import { suite as override } from "./suites/override.ts";
import { suite as status } from "./suites/status.ts";
import { suite as work } from "./suites/work.ts";

const vectors = join(import.meta.dirname, "vectors", "karmada");

describe("answers recorded from Karmada", () => {
  it.each(Object.entries({ binding, "interpreter-native": interpreterNative, naming, override, status, work }))(
    "are ours too: %s",
    async (_name, suite) => {
      const failed: string[] = [];
      let count = 0;
      for await (const result of suite.run({ vectors })) {
        count++;
        if (!result.passed) failed.push(`${result.id}: ${result.details ?? ""}`);
      }

      expect(failed).toEqual([]);
      expect(count).toBeGreaterThan(0);
    },
  );
});
