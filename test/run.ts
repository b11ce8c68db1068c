// npm test: runs the whole suite and ends with `N passed, N failed`.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "flaghoist-test-"));
const reportFile = join(folder, "report.json");
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const reporter = process.stdout.isTTY ? "default" : "dot";
const child = spawn(
  process.execPath,
  [
    vitest,
    "run",
    `--reporter=${reporter}`,
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ],
  { stdio: "inherit", cwd: root },
);
child.on("exit", (code) => {
  let report: Report;
  try {
    // The file that vitest was just told to write.
    report = JSON.parse(readFileSync(reportFile, "utf8")) as Report;
  } catch {
    process.stdout.write("vitest wrote no report: the run did not get to its end\n0 passed, 1 failed\n");
    process.exit(code ?? 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // A file that fails to load has no tests that could fail.
  const failed = Math.max(report.numFailedTests, report.success ? 0 : 1);
  const skipped = report.numPendingTests > 0 ? `, ${report.numPendingTests} skipped` : "";
  process.stdout.write(`${report.numPassedTests} passed, ${failed} failed${skipped}\n`);
  process.exit(failed > 0 ? 1 : (code ?? 1));
});
