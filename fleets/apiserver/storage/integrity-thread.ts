// Runs in a worker thread: looks at all pages of a file that another connection of this process has open.
import { parentPort, workerData } from "node:worker_threads";
import { openForReading } from "./database-file.ts";
import { failedCheck, type IntegrityReply, pageProblem } from "./integrity.ts";

function check(path: string): IntegrityReply {
  try {
    const database = openForReading(path);
    try {
      const problem = pageProblem(database);
      return problem === undefined ? { type: "whole" } : { type: "damaged", message: problem };
    } finally {
      database.close();
    }
  } catch (error) {
    return failedCheck(error);
  }
}

parentPort?.postMessage(check(String(workerData)));
