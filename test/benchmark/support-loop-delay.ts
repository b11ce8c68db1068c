// How long the event loop of this process was kept from its next turn.
const EVERY_MS = 4;

export interface DelayReport {
  /** Longest turns, by the clock on the wall; other programs of the machine are in it. Milliseconds. */
  readonly wallMaxMs: number;
  readonly wallP99Ms: number;
  /** Longest turn by the processor time of this thread: what the program itself is to blame for. Milliseconds. */
  readonly cpuMaxMs: number;
  readonly cpuP99Ms: number;
}

/**
 * A timer that is due every few milliseconds notes how late it is, and how much processor time this thread has used since
 * its last turn: no turn of the loop is longer than that.
 */
export class LoopDelay {
  #wall: number[] = [];
  #cpu: number[] = [];

  start(): void {
    let lastMs = performance.now();
    let lastCpu = threadMs();
    setInterval(() => {
      const now = performance.now();
      const cpu = threadMs();
      this.#wall.push(Math.max(0, now - lastMs - EVERY_MS));
      this.#cpu.push(cpu - lastCpu);
      lastMs = now;
      lastCpu = cpu;
    }, EVERY_MS).unref();
  }

  /** The figures since the last call. */
  take(): DelayReport {
    const wall = this.#wall.sort((a, b) => a - b);
    const cpu = this.#cpu.sort((a, b) => a - b);
    this.#wall = [];
    this.#cpu = [];
    return {
      wallMaxMs: wall.at(-1) ?? 0,
      wallP99Ms: wall[Math.floor(wall.length * 0.99)] ?? 0,
      cpuMaxMs: cpu.at(-1) ?? 0,
      cpuP99Ms: cpu[Math.floor(cpu.length * 0.99)] ?? 0,
    };
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
