// Processes under measurement: pinned to a processor, and read from /proc.
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Clock ticks a second in /proc; Linux has had 100 on every platform for programs. */
const TICKS_PER_SECOND = 100;
const canPin = process.platform === "linux" && spawnSync("taskset", ["--version"]).status === 0;

// Asked once: this process itself is pinned later.
const several = availableParallelism() > 1;

/** Whether processes can be pinned to one processor here. */
export function pinning(): string {
  if (!canPin) return "not pinned (no taskset)";
  return several ? "each side pinned to processor 1, the client to 0" : "one processor for all";
}

/** Starts a program on one processor, where that is possible. */
export function spawnPinned(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child =
    canPin && several ? spawn("taskset", ["-c", "1", program, ...args], options) : spawn(program, args, options);
  // Were this process killed, it would stay behind.
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

/** Keeps this process and all its threads off the servers' processor. */
export function pinSelf(): void {
  if (canPin && several) spawnSync("taskset", ["-a", "-c", "-p", "0", String(process.pid)]);
}

/** Processor time that the processes have used in user and system mode, in microseconds. */
export function cpuMicros(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces; fields 14 and 15 of the line follow it as 12th and 13th.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

export interface Memory {
  /** Resident now, in bytes. */
  readonly resident: number;
  /** Of that, not backed by a file: what the database maps is not counted. */
  readonly anonymous: number;
  /** The most that was ever resident, in bytes. */
  readonly peak: number;
}

/** Memory of processes together. */
export function memoryOf(pids: readonly number[]): Memory {
  const sum = { resident: 0, anonymous: 0, peak: 0 };
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
    sum.resident += field("VmRSS");
    sum.anonymous += field("RssAnon");
    sum.peak += field("VmHWM");
  }
  return sum;
}

/** Ends a process without warning; resolves when it is gone. */
export async function endProcess(child: ChildProcess, signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(signal);
  await gone;
}
