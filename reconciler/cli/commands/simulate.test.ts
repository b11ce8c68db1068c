// What documents show of `flaghoist simulate` is what it prints. After a change that is meant:
// UPDATE_TRANSCRIPTS=1, and this test writes the documents anew.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runFlaghoist } from "../../../test/run-flaghoist.ts";
import { EXIT } from "../command.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DOCUMENTS = ["README.md", "examples/policy-sets/README.md"];
const TRANSCRIPT = /```console\n\$ flaghoist (simulate [^\n]*)\n([^`]*)```/g;
const FLEET = join(ROOT, "examples/policy-sets/fleet.yaml");
const LONG = 300_000;

const scratch = mkdtempSync(join(tmpdir(), "flaghoist-simulate-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const transcripts = DOCUMENTS.flatMap((document) =>
  [...readFileSync(join(ROOT, document), "utf8").matchAll(TRANSCRIPT)].map(
    ([, command = "", shown = ""]) => [document, command, shown] as const,
  ),
);

describe("flaghoist simulate", () => {
  it.each(transcripts)(
    "prints what %s shows: %s",
    async (document, command, shown) => {
      const ran = await runFlaghoist(command.split(" "), { cwd: ROOT });

      if (process.env["UPDATE_TRANSCRIPTS"] !== undefined) {
        const file = join(ROOT, document);
        const text = readFileSync(file, "utf8");
        writeFileSync(
          file,
          text.replace(`$ flaghoist ${command}\n${shown}`, () => `$ flaghoist ${command}\n${ran.out}`),
        );
        return;
      }
      expect(ran).toEqual({ code: EXIT.ok, out: shown, err: "" });
    },
    LONG,
  );

  it("is shown in every document that has to show it", () => {
    expect(new Set(transcripts.map(([document]) => document))).toEqual(new Set(DOCUMENTS));
  });

  it("asks for a fleet, and for something that it has", async () => {
    const folder = join(ROOT, "examples/policy-sets/active-active");
    const without = await runFlaghoist(["simulate", folder], { cwd: scratch });
    const unknown = await runFlaghoist(["simulate", folder, "--fleet", FLEET, "--fail", "region/us-eest"], {
      cwd: scratch,
    });

    expect(without).toMatchObject({ code: EXIT.usage, out: "" });
    expect(without.err).toContain("on which fleet? --fleet FILE");
    expect(unknown.code).toBe(EXIT.failed);
    expect(unknown.err).toContain("the fleet has no region us-eest; did you mean region/us-east?");
  });

  it(
    "says which workload does not come up while all is well, and why",
    async () => {
      writeFileSync(join(scratch, "web.yaml"), readFileSync(join(ROOT, "examples/policy-sets/app/web.yaml")));

      const { code, err } = await runFlaghoist(["simulate", ".", "--fleet", FLEET, "--fail", "cluster/oregon-1"], {
        cwd: scratch,
      });

      expect(code).toBe(EXIT.failed);
      expect(err).toContain(
        "before anything failed, Deployment default/web had 0 of 12 replicas serving: no policy selects it",
      );
    },
    LONG,
  );
});
