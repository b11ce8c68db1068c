import { describe, expect, it } from "vitest";
import { parseFleetTests } from "../../../api/parse-fleet-test.ts";
import type { TestResult } from "../../../api/plan-report.ts";
import type { FleetTestFile } from "./test-files.ts";
import { formerTests, weakenedTests } from "./weakened-tests.ts";

const WEB = "objects: {kind: Deployment, name: web}";

function file(path: string, ...tests: string[]): FleetTestFile {
  const text = `apiVersion: test.flaghoist.io/v1alpha1\nkind: FleetTest\ntests:\n${tests.join("")}`;
  const parsed = parseFleetTests(text, path);
  if (parsed.problems !== undefined) throw new Error(parsed.problems[0]?.words);
  return { file: path, parsed };
}

function test(name: string, atLeast: number, more = ""): string {
  return `- {name: ${name}, ${WEB}, ${more}expect: {replicas: {atLeast: ${atLeast}}}}\n`;
}

function namesOf(files: readonly FleetTestFile[]): string[] {
  return files.flatMap(({ file: path, parsed }) => (parsed.tests ?? []).map((one) => `${path} ${one.test.name}`));
}

describe("formerTests", () => {
  it("are those that the head does not have in the same words", () => {
    const base = [file("a.fleet.yaml", test("kept", 2), test("altered", 6), test("gone", 1), test("skipped", 3))];
    const head = [file("a.fleet.yaml", test("kept", 2), test("altered", 1), test("skipped", 3, 'skip: "later", '))];

    expect(namesOf(formerTests(base, head))).toEqual([
      "a.fleet.yaml altered",
      "a.fleet.yaml gone",
      "a.fleet.yaml skipped",
    ]);
  });

  it("are none when tests only moved to another file, or were skipped before", () => {
    const base = [file("a.fleet.yaml", test("web", 2), test("idle", 2, 'skip: "never ran", '))];

    expect(formerTests(base, [file("b.fleet.yaml", test("web", 2))])).toEqual([]);
  });
});

describe("weakenedTests", () => {
  const head = [file("a.fleet.yaml", test("altered", 1), test("idle", 3, 'skip: "later", '))];
  const place = { file: "a.fleet.yaml", line: 9 };
  const failed: TestResult = { name: "altered", place, outcome: "failed", message: "web has 2 replicas, not 6" };

  it("warn of one that would fail as it was, on the line where it stands now", () => {
    expect(weakenedTests([failed], head)).toEqual([
      {
        rule: "test-weakened",
        severity: "warning",
        place: { file: "a.fleet.yaml", line: 4 },
        message:
          'the change alters the fleet test "altered" of a.fleet.yaml; as it was it would fail: web has 2 replicas, not 6',
        advice: "change the test in a change of its own, where it can be weighed",
      },
    ]);
  });

  it("warn without a line of one that is taken away", () => {
    const [finding] = weakenedTests([{ ...failed, name: "gone" }], head);

    expect(finding).toMatchObject({ severity: "warning", message: expect.stringContaining("takes away") });
    expect(finding).not.toHaveProperty("place");
  });

  it("notice one that would pass and is not run any more, and none that was reworded", () => {
    const passed = (name: string): TestResult => ({ name, place, outcome: "passed" });

    const findings = weakenedTests([passed("gone"), passed("idle"), passed("altered")], head);

    expect(findings.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'notice: the change takes away the fleet test "gone" of a.fleet.yaml; it would pass',
      'notice: the change skips the fleet test "idle" of a.fleet.yaml; it would pass',
    ]);
  });
});
