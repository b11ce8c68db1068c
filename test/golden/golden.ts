// Outputs that a person has read, kept in files beside their test.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";

/**
 * Compares an output with `test/golden/<path>`. With `UPDATE_GOLDEN=1` it becomes the file: look at the difference before
 * it is committed.
 */
export function expectGolden(path: string, output: string): void {
  const file = join(import.meta.dirname, path);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, output);
    return;
  }
  expect(existsSync(file), `there is no ${file}: run with UPDATE_GOLDEN=1 and read what it wrote`).toBe(true);
  expect(output).toBe(readFileSync(file, "utf8"));
}
