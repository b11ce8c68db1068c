// Starts a process that computes for ever, says which, and waits to be killed.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { systemClock } from "../../../../runtime/clock.ts";
import { silentLogger } from "../../../../runtime/logger.ts";
import { runInSandbox } from "../sandbox-process.ts";

await runInSandbox({
  entry: join(import.meta.dirname, "hostile-child.ts"),
  folders: [],
  task: { header: { act: "endless" }, payload: new Uint8Array() },
  serve: async () => {
    const child = execFileSync("pgrep", ["-P", String(process.pid)], { encoding: "utf8" }).split("\n")[0];
    process.stdout.write(`${child}\n`);
    return undefined;
  },
  limits: { timeoutMs: 400, memoryBytes: 512 * 1024 ** 2, outputBytes: 1024 ** 2 },
  mostMessageBytes: 1024 ** 2,
  // Nothing here would end it in time.
  clock: { ...systemClock, after: () => ({ cancel: () => {} }) },
  logger: silentLogger,
  signal: new AbortController().signal,
});
