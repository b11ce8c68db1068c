// Files that are no snapshots, or were one once: an answer or a refusal that names the file, never anything else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { Random } from "../../../runtime/random.ts";
import { mutateBytes, mutateText } from "../../../test/fuzz/random.ts";
import { testSeed } from "../../../test/seed.ts";
import { readSnapshot, SnapshotWriter } from "./snapshot-file.ts";

let folder: string;
let good: Buffer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaghoist-snapshots-"));
  const file = join(folder, "good");
  const writer = new SnapshotWriter(file, { flaghoist: "0.1.0", takenAt: "2026-01-01T00:00:00Z" }, false);
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "default" },
    data: { a: "b" },
  };
  await writer.part({ source: "control-plane", name: "" }, [{ plural: "configmaps", object }]);
  await writer.part({ source: "cluster", name: "paris", version: "v1.36.3" }, [{ plural: "configmaps", object }]);
  await writer.part({ source: "cluster", name: "rome", unreachable: "connection refused" }, []);
  await writer.finish();
  good = readFileSync(file);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(content: string | Uint8Array): Promise<unknown> {
  const file = join(folder, "spoilt");
  writeFileSync(file, content);
  try {
    return await readSnapshot(file);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).message.startsWith(`${file}: `)).toBe(true);
    return error;
  }
}

const CASES = Number(process.env["TEST_CASES"] ?? 150);
const TOKENS = [
  "{",
  "}",
  '"object":',
  '"source":"cluster",',
  '"end":',
  "null",
  '"__proto__":',
  "\n",
  "1e999",
  "[]",
  '"',
];

describe("a file that is no whole snapshot", () => {
  const seed = testSeed();

  it(`is read or refused in words, whatever was done to it (seed ${seed})`, async () => {
    const random = new Random(seed);
    const text = gunzipSync(good).toString("utf8");
    for (let number = 0; number < CASES; number++) {
      if (random.chance(0.3)) await read(mutateBytes(random, good));
      else if (random.chance(0.5)) await read(mutateText(random, text, TOKENS));
      else await read(gzipSync(mutateText(random, text, TOKENS)));
    }
  });

  it.each([
    ["empty", ""],
    ["a list", "[]\n"],
    ["YAML", "apiVersion: config.flaghoist.io/v1alpha1\nkind: FleetSnapshot\n"],
    [
      "a head alone",
      '{"apiVersion":"config.flaghoist.io/v1alpha1","kind":"FleetSnapshot","format":1,"flaghoist":"x","takenAt":"x"}\n',
    ],
    ["a format that is no number", '{"kind":"FleetSnapshot","format":"one"}\n'],
  ])("is refused when it is %s", async (_what, content) => {
    expect(await read(content)).toBeInstanceOf(AppError);
  });
});
