import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import type { Frame } from "./frames.ts";
import type { PlanLimits } from "./plan-job.ts";
import { runInSandbox, type SandboxTask } from "./sandbox-process.ts";

const MEBIBYTE = 1024 ** 2;
const LIMITS: PlanLimits = { timeoutMs: 20_000, memoryBytes: 512 * MEBIBYTE, outputBytes: 2 * MEBIBYTE };
const ENTRY = join(import.meta.dirname, "testdata/hostile-child.ts");
const NOTHING = new Uint8Array();

const scratch = mkdtempSync(join(tmpdir(), "flaghoist-sandbox-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(header: Frame["header"], more: Partial<SandboxTask> = {}): Promise<Frame> {
  return runInSandbox({
    entry: ENTRY,
    folders: [],
    task: { header, payload: NOTHING },
    serve: async () => undefined,
    limits: LIMITS,
    mostMessageBytes: MEBIBYTE,
    clock: systemClock,
    logger: silentLogger,
    signal: new AbortController().signal,
    ...more,
  });
}

async function failure(header: Frame["header"], more: Partial<SandboxTask> = {}): Promise<string> {
  const error = await run(header, more).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof AppError ? `${error.code}: ${error.message}` : `no failure: ${error}`;
}

describe("runInSandbox", () => {
  it("lets the process reach neither files, network, programs, threads nor an environment", async () => {
    const secretFile = join(scratch, "kubeconfig");
    writeFileSync(secretFile, "token: t0ken");
    const server = createServer((socket) => socket.destroy());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;

    const { payload } = await run({ act: "attempts", secretFile, port });
    server.close();

    const denied = "ERR_ACCESS_DENIED";
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      env: "{}",
      read: denied,
      "read of the environment": denied,
      list: denied,
      write: denied,
      database: "ERR_UNKNOWN_BUILTIN_MODULE",
      connection: denied,
      "local connection": denied,
      fetch: denied,
      name: denied,
      server: denied,
      program: denied,
      thread: denied,
      addon: "ERR_DLOPEN_DISABLED",
      code: "EvalError: Code generation from strings disallowed for this context",
    });
    expect(existsSync(`${secretFile}.new`)).toBe(false);
  });

  it.runIf(existsSync("/bin/sh"))("lets compiled code be used, and no byte of it be written", async () => {
    const folder = mkdtempSync(join(scratch, "code-"));
    const file = join(folder, "code");
    writeFileSync(file, "compiled");

    const { payload } = await run(
      { act: "attempts", secretFile: file, port: 9 },
      { code: { folder, isFilled: false } },
    );

    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ read: "done: compiled", write: "EFBIG" });
    expect(readFileSync(`${file}.new`, "utf8")).toBe("");
    expect(readFileSync(file, "utf8")).toBe("compiled");
  });

  it("ends work that takes too long", async () => {
    expect(await failure({ act: "endless" }, { limits: { ...LIMITS, timeoutMs: 1_500 } })).toBe(
      "plan-timed-out: the plan was not made within 1.5s: change less at once, or raise spec.pullRequests.limits.timeout of the Reporter",
    );
  });

  it.each(["heap", "buffers"])("ends a process that takes too much memory (%s)", async (act) => {
    const limits = { ...LIMITS, memoryBytes: 192 * MEBIBYTE };

    expect(await failure({ act }, { limits })).toBe(
      "plan-out-of-memory: the plan needs more memory than 192Mi: change less at once, or raise spec.pullRequests.limits.memory of the Reporter",
    );
  });

  it.each([
    ["output that nobody reads", { act: "output" }, "plan-too-large: the report of the plan is larger than 2Mi"],
    [
      "a message that never ends",
      { act: "endless-message" },
      "plan-too-large: the report of the plan is larger than 2Mi",
    ],
    ["a large message", { act: "message" }, "plan-too-large: "],
    ["a large result", { act: "result", bytes: 2 * MEBIBYTE + 1 }, "plan-too-large: "],
    ["what is no message", { act: "garbage" }, "plan-crashed: "],
    [
      "an end of its own",
      { act: "exit" },
      "plan-crashed: the program that makes the plan ended by itself (exit code 7)",
    ],
  ])("ends at %s", async (_, header, message) => {
    expect(await failure(header)).toContain(message);
  });

  it("takes a result as large as it may be", async () => {
    const { payload } = await run({ act: "result", bytes: LIMITS.outputBytes });

    expect(payload.length).toBe(LIMITS.outputBytes);
  });

  it("tells the log where a process broke, and nothing of what it had read", async () => {
    const lines: string[] = [];
    const note = (message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
    const logger = { ...silentLogger, warn: note, error: note };

    expect(await failure({ act: "throw" }, { logger })).toContain("plan-crashed");
    expect(lines.join()).toContain("hostile-child.ts");
    expect(lines.join()).not.toContain("hunter2");
  });

  it("ends the process when it is not needed any more", async () => {
    const aborted = new AbortController();
    let pid = 0;
    const serve = async ({ header }: Frame): Promise<undefined> => {
      pid = Number(header["pid"]);
      aborted.abort(new Error("the head moved"));
    };

    await expect(run({ act: "idle" }, { signal: aborted.signal, serve })).rejects.toThrow("the head moved");
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("listens no more to a process that asks faster than it is answered", async () => {
    const answered = new AbortController();
    let asked = 0;
    const serve = (): Promise<undefined> => {
      asked++;
      return new Promise((resolve) => answered.signal.addEventListener("abort", () => resolve(undefined)));
    };
    const running = failure({ act: "requests" }, { serve, limits: { ...LIMITS, timeoutMs: 3_000 } });
    await running;
    answered.abort();

    // What came with the chunk that filled it up is taken still.
    expect(asked).toBeGreaterThan(63);
    expect(asked).toBeLessThan(5_000);
  });

  it.skipIf(process.platform === "win32")(
    "outlives no parent, even while it computes",
    async () => {
      const parent = spawn(
        process.execPath,
        ["--no-warnings", join(import.meta.dirname, "testdata/killed-parent.ts")],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      const [chunk] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(String(chunk));
      parent.kill("SIGKILL");

      expect(pid).toBeGreaterThan(0);
      await isGone(pid);
    },
    60_000,
  );
});

async function isGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await delay(100);
  }
  throw new Error(`process ${pid} is still there`);
}
