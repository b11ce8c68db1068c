// The forms in which a plan is printed.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { PlanReport } from "../../api/plan-report.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { planAnnotations } from "../reports/annotations.ts";
import { codeQuality } from "../reports/code-quality.ts";
import { planHtml } from "../reports/html/plan-html.ts";
import { junitXml } from "../reports/junit.ts";
import { DIALECTS, type DialectName } from "../reports/markdown/dialects.ts";
import { planMarkdown } from "../reports/markdown/plan-markdown.ts";
import { sarif } from "../reports/sarif.ts";
import { workflowCommands } from "../reports/workflow-commands.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";
import { dataText, print } from "./output.ts";

/** A file may hold more than a host shows. */
const MOST_IN_FILE = 1_000;

type Write = (report: PlanReport, dialect: DialectName) => string;

/** Beside json and yaml. */
const FORMATS: Readonly<Record<string, Write>> = {
  html: (report) => planHtml(report),
  markdown: (report, dialect) => `${planMarkdown(report, { dialect })}\n`,
  annotations: (report) => workflowCommands(planAnnotations(report)),
  "code-quality": (report) => codeQuality(planAnnotations(report, { most: MOST_IN_FILE })),
  sarif: (report) => sarif(planAnnotations(report, { most: MOST_IN_FILE }), report.made.version),
  junit: junitXml,
};
const NAMES = ["json", "yaml", ...Object.keys(FORMATS)];

export const PLAN_OUTPUT_OPTIONS: Readonly<Record<string, CommandOption>> = {
  output: {
    type: "string",
    short: "o",
    value: "FORMAT",
    help: `print the plan as ${NAMES.join(", ")} instead of text (html: a page of one file; annotations: lines that GitHub Actions reads)`,
  },
  report: {
    type: "string",
    multiple: true,
    value: "FORMAT=FILE",
    help: "also write the plan to a file, in a format of -o: html=plan.html; may be repeated",
  },
  dialect: {
    type: "string",
    value: "HOST",
    help: `whose Markdown is written, and how much of it fits a comment there: ${Object.keys(DIALECTS).join(", ")} (default: github)`,
  },
};

/** How the plan is to be printed. Throws a `UsageError` for what is not known, before anything is planned. */
export function planPrinter(invocation: Invocation): (report: PlanReport, text: () => string) => void {
  const format = stringOption(invocation, "output");
  const dialect = stringOption(invocation, "dialect") ?? "github";
  if (!isDialect(dialect))
    throw new UsageError(`--dialect takes ${Object.keys(DIALECTS).join(", ")}, not "${dialect}"`);
  if (format !== undefined && !NAMES.includes(format))
    throw new UsageError(`-o takes ${NAMES.join(", ")}, not "${format}"`);
  const write = format === undefined ? undefined : FORMATS[format];
  const files = reportFiles(invocation);
  return (report, text) => {
    if (write === undefined) print(invocation, report, text);
    else invocation.io.out(write(report, dialect));
    for (const { form, path } of files)
      writeReport(path, dataText(form, report) ?? FORMATS[form]?.(report, dialect) ?? "");
  };
}

/** What `--report` asks for. */
function reportFiles({ io, values }: Invocation): { readonly form: string; readonly path: string }[] {
  const { report = [] } = values;
  const given: readonly unknown[] = Array.isArray(report) ? report : [report];
  return given.map((one) => {
    const [, form = "", file = ""] = /^([^=]*)=(.+)$/s.exec(String(one)) ?? [];
    if (!NAMES.includes(form))
      throw new UsageError(
        `--report takes FORMAT=FILE such as html=plan.html, not "${one}"; formats are ${NAMES.join(", ")}`,
      );
    return { form, path: resolve(io.cwd, file) };
  });
}

function writeReport(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new AppError("report-not-written", `the report could not be written to ${path}: ${messageOf(cause)}`, {
      recovery: "stall",
      cause,
    });
  }
}

function isDialect(name: string): name is DialectName {
  return Object.hasOwn(DIALECTS, name);
}
