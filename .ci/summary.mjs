/**
 * Prints one line, `N passed, N failed`, from vitest's JSON report, and exits
 * with 1 unless everything passed. No report means that the tests did not run.
 */
import { readFileSync } from "node:fs";

const [file = ""] = process.argv.slice(2);

function readReport() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

const report = readReport();
if (report === undefined) {
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
} else {
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  // A file that can't be loaded, or whose hooks fail, may have no failed test of its own.
  const brokenFiles = report.testResults.filter(
    (result) =>
      result.status === "failed" &&
      !result.assertionResults.some((test) => test.status === "failed"),
  ).length;
  let failed = report.numFailedTests + brokenFiles;
  // Errors outside of any test (an unhandled rejection) only show here.
  if (failed === 0 && (!report.success || passed === 0)) failed = 1;
  const skips = skipped > 0 ? `, ${skipped} skipped` : "";
  console.log(`${passed} passed, ${failed} failed${skips}`);
  if (failed > 0) process.exitCode = 1;
}
