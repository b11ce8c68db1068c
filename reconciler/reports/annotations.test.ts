import { describe, expect, it } from "vitest";
import type { PlanReport } from "../../api/plan-report.ts";
import { type Annotation, planAnnotations, repositoryPath } from "./annotations.ts";
import { codeQuality } from "./code-quality.ts";
import { sarif } from "./sarif.ts";
import { clusterNames, objectOf } from "./testing/sample-parts.ts";
import { SAMPLES } from "./testing/sample-reports.ts";
import { workflowCommands } from "./workflow-commands.ts";

const finding = (line: number, severity: "error" | "warning" | "notice", rest = {}) => ({
  rule: "immutable-field",
  severity,
  message: `message ${line}`,
  place: { file: "apps/web.yaml", line },
  ...rest,
});
const reportWith = (findings: PlanReport["findings"]): PlanReport => ({ ...SAMPLES.unchanged(), findings });

const one: Annotation = {
  path: "deploy/50%,a:b.yaml",
  startLine: 3,
  endLine: 4,
  level: "failure",
  title: "mass-prune, again: 100%",
  message: "first line: 30 %\nsecond, line",
  rule: "mass-prune",
};

describe("planAnnotations", () => {
  it("stands on lines, the severest first", () => {
    const annotations = planAnnotations(SAMPLES.regionLoss());

    expect(
      annotations.map(({ path, startLine, endLine, level, title }) => [path, startLine, endLine, level, title]),
    ).toEqual([
      ["deploy/policies.yaml", 22, 22, "failure", "survives-no-loss"],
      ["tests/shop.fleet.yaml", 4, 4, "failure", "fleet-test"],
      ["deploy/policies.yaml", 3, 12, "notice", "policy-never-wins"],
    ]);
    expect(annotations[0]?.message).toBe(
      "Deployment shop/cart would be down if region eu-west fails\n→ let policy shop/eu-only choose a cluster of another region as well",
    );
  });

  it("prefers lines that the pull request changes among equals, and leaves the least severe out", () => {
    const report = reportWith([
      finding(1, "warning"),
      finding(2, "warning"),
      finding(3, "error"),
      finding(4, "notice"),
    ]);
    const annotations = planAnnotations(report, { most: 3, touches: (_, line) => line === 2 || line === 4 });

    expect(annotations.map(({ startLine }) => startLine)).toEqual([3, 2, 1]);
  });

  it("stands where the object is written when the finding has no place of its own", () => {
    const { place: _, ...without } = finding(1, "error", { object: objectOf("apps/v1 Deployment shop/cart") });

    expect(planAnnotations({ ...SAMPLES.regionLoss(), findings: [without], tests: [] })).toMatchObject([
      { path: "apps/shop/cart.yaml", startLine: 1, message: "Deployment shop/cart: message 1" },
    ]);
  });

  it("says what refuses an object that no cluster takes", () => {
    const [annotation] = planAnnotations(SAMPLES.unplaced());

    expect(annotation).toMatchObject({ path: "apps/shop/cart.yaml", level: "failure" });
    expect(annotation?.message.split("\n")).toHaveLength(4);
    expect(annotation?.message).toContain("\nparis-2: region is not set, wanted eu-west → set the region");
  });

  it("names some clusters of many", () => {
    const [annotation] = planAnnotations(reportWith([finding(1, "error", { clusters: clusterNames("edge", 40) })]));

    expect(annotation?.message).toBe("message 1\nIn edge-001, edge-002, edge-003, edge-004, edge-005 and 35 more.");
  });

  it("leaves out what has no place in the repository", () => {
    const files = ["../x.yaml", "/etc/passwd", "a//b", "a/./b", "a\nb", ""];
    const findings = files.map((file) => finding(1, "error", { place: { file, line: 1 } }));

    expect(planAnnotations(reportWith(findings))).toEqual([]);
    expect(repositoryPath("./deploy/a b.yaml")).toBe("deploy/a b.yaml");
  });

  it("bounds number and length, and shows what cannot be seen", () => {
    const long = finding(1, "error", { message: `\u202E${"x".repeat(10_000)}` });
    const annotations = planAnnotations(reportWith(Array.from({ length: 80 }, () => long)));

    expect(annotations).toHaveLength(50);
    expect(annotations[0]?.message.length).toBeLessThanOrEqual(4_000);
    expect(annotations[0]?.message.startsWith("\\u202Ex")).toBe(true);
  });
});

describe("workflowCommands", () => {
  it("escapes what would end a property or the message", () => {
    expect(workflowCommands([one])).toBe(
      "::error file=deploy/50%25%2Ca%3Ab.yaml,line=3,endLine=4,title=mass-prune%2C again%3A 100%25" +
        "::first line: 30 %25%0Asecond, line\n",
    );
  });

  it("writes one line for each annotation, whatever a repository wrote", () => {
    const annotations = planAnnotations(SAMPLES.hostile());
    const lines = workflowCommands(annotations).trimEnd().split("\n");

    expect(annotations.length).toBeGreaterThan(20);
    expect(lines).toHaveLength(annotations.length);
    expect(
      lines.filter((line) => !/^::(?:error|warning|notice) file=[^,:]+,line=\d+,endLine=\d+,title=[^,:]+::/.test(line)),
    ).toEqual([]);
  });
});

describe("codeQuality", () => {
  it("has what GitLab asks of an issue, and a fingerprint of its own for each", () => {
    const issues = JSON.parse(codeQuality([one, one, { ...one, startLine: 90, endLine: 90 }]));

    expect(issues[0]).toEqual({
      description: "first line: 30 %\nsecond, line",
      check_name: "mass-prune",
      fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      severity: "critical",
      location: { path: "deploy/50%,a:b.yaml", lines: { begin: 3, end: 4 } },
    });
    expect(new Set(issues.map(({ fingerprint }: { fingerprint: string }) => fingerprint)).size).toBe(3);
  });

  it("knows an issue again whose line has moved", () => {
    const fingerprint = (annotation: Annotation) => JSON.parse(codeQuality([annotation]))[0].fingerprint;

    expect(fingerprint({ ...one, startLine: 90, endLine: 90 })).toBe(fingerprint(one));
    expect(fingerprint({ ...one, message: "other" })).not.toBe(fingerprint(one));
  });
});

describe("sarif", () => {
  it("tells of each result's rule, level, place and message", () => {
    const { $schema, version, runs } = JSON.parse(sarif([one, { ...one, rule: "a-b", level: "notice" }, one], "0.1.0"));

    expect([$schema, version]).toEqual(["https://json.schemastore.org/sarif-2.1.0.json", "2.1.0"]);
    expect(runs[0].tool.driver).toEqual({
      name: "Flaghoist",
      version: "0.1.0",
      rules: [
        { id: "mass-prune", name: "MassPrune", shortDescription: { text: "Mass prune" } },
        { id: "a-b", name: "AB", shortDescription: { text: "A b" } },
      ],
    });
    expect(runs[0].results[0]).toEqual({
      ruleId: "mass-prune",
      ruleIndex: 0,
      level: "error",
      message: { text: "first line: 30 %\nsecond, line" },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "deploy/50%25%2Ca%3Ab.yaml", uriBaseId: "%SRCROOT%" },
            region: { startLine: 3, endLine: 4 },
          },
        },
      ],
      partialFingerprints: { "flaghoist/v1": expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    expect(
      runs[0].results.map(({ ruleIndex, level }: { ruleIndex: number; level: string }) => [ruleIndex, level]),
    ).toEqual([
      [0, "error"],
      [1, "note"],
      [0, "error"],
    ]);
  });
});
