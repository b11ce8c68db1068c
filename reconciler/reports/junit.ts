// Fleet tests and findings as JUnit XML, which every CI shows.
import type { PlanReport, TestResult } from "../../api/plan-report.ts";
import { cleanContent, linesOf } from "./clean-text.ts";
import { placeText } from "./plan-words.ts";
import { planRemarks, type Remark } from "./remarks.ts";
import { objectName } from "./words.ts";

/**
 * Two suites: the fleet tests, and the findings, of which errors are failures. `report` without tests has the second
 * only. Of the form that Jenkins, GitLab and Azure DevOps read alike.
 */
export function junitXml(report: PlanReport): string {
  const { tests = [] } = report;
  const suites = [
    ...(tests.length === 0 ? [] : [suiteXml("fleet tests", tests.map(testCase))]),
    suiteXml("findings", planRemarks(report).map(remarkCase)),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="flaghoist">\n${suites.join("")}</testsuites>\n`;
}

interface Case {
  readonly name: string;
  readonly className: string;
  readonly file: string | undefined;
  readonly outcome: TestResult["outcome"];
  readonly message: string;
  readonly details: readonly string[];
}

function testCase({ name, outcome, message, details = [], place }: TestResult): Case {
  const where = place === undefined ? [] : [placeText(place)];
  return {
    name,
    className: place?.file ?? "fleet tests",
    file: place?.file,
    outcome,
    message: message ?? outcome,
    details: [...details, ...where],
  };
}

function remarkCase({ severity, rule, message, advice, object, place }: Remark): Case {
  const known = object === undefined || message.includes(objectName(object));
  const about = known ? "" : `${objectName(object)}: `;
  return {
    name: `${about}${message}`,
    className: rule,
    file: place?.file,
    outcome: severity === "error" ? "failed" : "passed",
    message,
    details: [...(advice === undefined ? [] : [advice]), ...(place === undefined ? [] : [placeText(place)])],
  };
}

function suiteXml(name: string, cases: readonly Case[]): string {
  const count = (outcome: Case["outcome"]) => cases.filter((one) => one.outcome === outcome).length;
  const attributes = attributesXml({
    name,
    tests: String(cases.length),
    failures: String(count("failed")),
    errors: "0",
    skipped: String(count("skipped")),
  });
  return `  <testsuite${attributes}>\n${cases.map(caseXml).join("")}  </testsuite>\n`;
}

function caseXml({ name, className, file, outcome, message, details }: Case): string {
  const attributes = attributesXml({ name, classname: className, ...(file === undefined ? {} : { file }) });
  if (outcome === "passed") return `    <testcase${attributes}/>\n`;
  if (outcome === "skipped")
    return `    <testcase${attributes}>\n      <skipped${attributesXml({ message })}/>\n    </testcase>\n`;
  // As GitLab: only the content is shown.
  const content = escapeXml([message, ...details].join("\n"));
  return `    <testcase${attributes}>\n      <failure${attributesXml({ message })}>${content}</failure>\n    </testcase>\n`;
}

function attributesXml(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeXml(value).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;")}"`)
    .join("");
}

/** Characters that XML cannot have in any form become their names. */
function escapeXml(text: string): string {
  return linesOf(text)
    .map(cleanContent)
    .join("\n")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
