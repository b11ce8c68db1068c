// What examples/fleet-tests/README.md shows of `flaghoist test` is what it prints. After a change that is meant:
// UPDATE_TRANSCRIPTS=1, and this test writes the page anew.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeFleetSnapshot } from "../../../test/fleet-snapshot.ts";
import { GitFixture } from "../../../test/git-fixture.ts";
import { runFlaghoist } from "../../../test/run-flaghoist.ts";
import { EXIT } from "../command.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = join(ROOT, "examples/fleet-tests/README.md");
const TRANSCRIPT = /```console\n\$ flaghoist (test [^\n]*)\n([^`]*)```/g;
const LONG = 60_000;

const scratch = mkdtempSync(join(tmpdir(), "flaghoist-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

beforeAll(async () => {
  await writeFleetSnapshot(join(scratch, "fleet.snapshot"), [
    { name: "paris", region: "eu", provider: "aws" },
    { name: "dublin", region: "eu", provider: "gcp" },
    { name: "oregon", region: "us", provider: "gcp" },
    { name: "virginia", region: "us", provider: "azure" },
  ]);
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

  it(
    "looks at what a change leaves as it is, though it was never applied",
    async () => {
      const repository = new GitFixture();
      const files = Object.fromEntries(
        readdirSync(join(ROOT, "examples/fleet-tests"))
          .filter((name) => name.endsWith(".yaml"))
          .map((name) => [`apps/${name}`, readFileSync(join(ROOT, "examples/fleet-tests", name), "utf8")]),
      );
      repository.commit("The examples", files);
      const more = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: default}\ndata: {a: b}\n";
      const resources = "resources: [shop.yaml, policies.yaml, more.yaml]\n";
      repository.commit("Something else", { "apps/more.yaml": more, "apps/kustomization.yaml": resources });
      const inCommits = ["--base", "HEAD~1..HEAD", "--snapshot", join(scratch, "fleet.snapshot"), "-o", "json"];

      const ran = await runFlaghoist(["test", "apps", ...inCommits], { cwd: repository.work });
      const planned = await runFlaghoist(["plan", "apps", "--no-drift", ...inCommits], { cwd: repository.work });
      repository.remove();

      const { tests } = JSON.parse(ran.out) as { tests: { outcome: string; base: string }[] };
      expect(tests.map(({ outcome, base }) => `${outcome}, before ${base}`)).toEqual([
        "passed, before passed",
        "failed, before failed",
        ...Array.from({ length: 3 }, () => "passed, before passed"),
      ]);
      const { objects } = JSON.parse(planned.out) as { objects: { object: { name: string } }[] };
      expect(objects.map(({ object }) => object.name)).toEqual(["more"]);
    },
    LONG,
  );

  it(
    "warns of a test that a change takes away and would not pass",
    async () => {
      const repository = new GitFixture();
      const folder = join(ROOT, "examples/fleet-tests");
      const files = Object.fromEntries(
        readdirSync(folder)
          .filter((name) => name.endsWith(".yaml"))
          .map((name) => [`apps/${name}`, readFileSync(join(folder, name), "utf8")]),
      );
      repository.commit("The examples", files);
      const text = files["apps/shop.fleet.yaml"] ?? "";
      const [head = "", first = "", , ...others] = text.split(/^(?= {2}- name: )/m);
      repository.commit("Fewer tests", { "apps/shop.fleet.yaml": [head, first, ...others].join("") });

      const planned = await runFlaghoist(
        [
          "plan",
          "apps",
          "--no-drift",
          "--base",
          "HEAD~1..HEAD",
          "--snapshot",
          join(scratch, "fleet.snapshot"),
          "-o",
          "json",
        ],
        { cwd: repository.work },
      );
      repository.remove();

      const { findings } = JSON.parse(planned.out) as {
        findings: { rule: string; severity: string; message: string }[];
      };
      expect(findings.filter(({ rule }) => rule === "test-weakened")).toEqual([
        expect.objectContaining({
          severity: "warning",
          message: expect.stringMatching(
            /^the change takes away the fleet test ".*" of apps\/shop\.fleet\.yaml; as it was it would fail: /,
          ),
        }),
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
