// What examples/fleet-tests/README.md shows of `flaghoist test` is what it prints. After a change that is meant:
// UPDATE_TRANSCRIPTS=1, and this test writes the page anew.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { karmadaCrds } from "../../../api/crd.ts";
import { SnapshotWriter } from "../../../fleets/simulator/snapshot/snapshot-file.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { cluster } from "../../../test/builders.ts";
import { runFlaghoist } from "../../../test/run-flaghoist.ts";
import { EXIT } from "../command.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = join(ROOT, "examples/fleet-tests/README.md");
const TRANSCRIPT = /```console\n\$ flaghoist (test [^\n]*)\n([^`]*)```/g;
const LONG = 60_000;

const scratch = mkdtempSync(join(tmpdir(), "flaghoist-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

beforeAll(async () => {
  const fleet = [
    cluster({ name: "paris", region: "eu", provider: "aws" }),
    cluster({ name: "dublin", region: "eu", provider: "gcp" }),
    cluster({ name: "oregon", region: "us", provider: "gcp" }),
    cluster({ name: "virginia", region: "us", provider: "azure" }),
  ];
  const head = { flaghoist: "test", takenAt: "2026-01-01T00:00:00Z" };
  const writer = new SnapshotWriter(join(scratch, "fleet.snapshot"), head, false);
  const kinds = karmadaCrds().map((object) => ({ plural: "customresourcedefinitions", object }));
  // A Cluster has all that an object has.
  const members = fleet.map((object) => ({ plural: "clusters", object: object as unknown as KubeObject }));
  const objects = [...kinds, ...members].map(({ plural, object }, at) => {
    const uid = `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`;
    const metadata = { ...object.metadata, uid, resourceVersion: `${at + 1}`, creationTimestamp: head.takenAt };
    return { plural, object: { ...object, metadata } };
  });
  await writer.part({ source: "control-plane", name: "" }, objects);
  await writer.finish();
  cpSync(join(ROOT, "examples/fleet-tests"), join(scratch, "examples/fleet-tests"), { recursive: true });
});

const transcripts = [...readFileSync(PAGE, "utf8").matchAll(TRANSCRIPT)].map(
  ([, command = "", shown = ""]) => [command, shown] as const,
);

describe("flaghoist test", () => {
  it.each(transcripts)(
    "prints what the page of examples shows: %s",
    async (command, shown) => {
      const ran = await runFlaghoist(command.split(" "), { cwd: scratch });

      if (process.env["UPDATE_TRANSCRIPTS"] !== undefined) {
        const text = readFileSync(PAGE, "utf8");
        const fresh = text.replace(`$ flaghoist ${command}\n${shown}`, () => `$ flaghoist ${command}\n${ran.out}`);
        writeFileSync(PAGE, fresh);
        return;
      }
      expect(ran).toEqual({ code: EXIT.failed, out: shown, err: "" });
    },
    LONG,
  );

  it("is shown on the page of examples", () => {
    expect(transcripts).not.toEqual([]);
  });

  it(
    "says file and line of what is wrong with a file, and runs the others",
    async () => {
      const folder = join(scratch, "broken");
      cpSync(join(ROOT, "examples/fleet-tests"), folder, { recursive: true });
      const good = readFileSync(join(folder, "shop.fleet.yaml"), "utf8");
      writeFileSync(join(folder, "bad.fleet.yaml"), good.replace("spread:", "spraed:"));

      const ran = await runFlaghoist(["test", "broken", "--snapshot", "fleet.snapshot", "-o", "json"], {
        cwd: scratch,
      });

      expect(ran.code).toBe(EXIT.failed);
      const { tests, passed } = JSON.parse(ran.out) as { tests: { message?: string }[]; passed: number };
      expect(tests[0]?.message).toBe(
        "broken/bad.fleet.yaml:29:7: tests[3].expect.spraed: there is no such field. Did you mean spread?",
      );
      expect(passed).toBeGreaterThan(0);
    },
    LONG,
  );

  it(
    "is in the report of a plan",
    async () => {
      const ran = await runFlaghoist(
        ["plan", "examples/fleet-tests", "--snapshot", "fleet.snapshot", "-o", "json", "--no-drift"],
        { cwd: scratch },
      );

      expect(ran.code).toBe(EXIT.ok);
      const { tests } = JSON.parse(ran.out) as { tests: { outcome: string; base: string }[] };
      expect(tests.map(({ outcome, base }) => `${outcome}, before ${base}`)).toEqual([
        "passed, before failed",
        "failed, before failed",
        ...Array.from({ length: 3 }, () => "passed, before failed"),
      ]);
    },
    LONG,
  );

  it("says so when there are no tests", async () => {
    const ran = await runFlaghoist(["test", join(ROOT, "examples/shop"), "--snapshot", "fleet.snapshot"], {
      cwd: scratch,
    });

    expect(ran.code).toBe(EXIT.failed);
    expect(ran.err).toContain("there are no fleet tests (*.fleet.yaml) in");
  });
});
