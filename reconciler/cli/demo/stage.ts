// What the demo prints, and how it waits.
import { sleep, systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Invocation } from "../command.ts";
import { type Paint, paint } from "../output.ts";

const POLL_MS = 25;
const PATIENCE_MS = 20_000;

/** Narrates to the standard output of a command. */
export class DemoStage {
  readonly #invocation: Invocation;
  readonly paint: Paint;
  #scene = 0;
  readonly #startedAt = performance.now();

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
    this.paint = paint(invocation);
  }

  get invocation(): Invocation {
    return this.#invocation;
  }

  /** A fact at the left margin. */
  say(text: string): void {
    this.#invocation.io.out(`${this.paint.green("▸")} ${text}\n`);
  }

  /** The next numbered scene. */
  scene(title: string): void {
    this.#scene++;
    this.#invocation.io.out(`\n${this.paint.bold(String(this.#scene))}  ${this.paint.bold(title)}\n`);
  }

  /** A line of the scene; `ms` is put at its end. */
  line(text: string, ms?: number): void {
    const took = ms === undefined ? "" : this.paint.dim(`  ${formatMs(ms)}`);
    this.#invocation.io.out(`     ${text}${took}\n`);
  }

  /** Text of another command, indented. */
  quote(text: string): void {
    for (const line of text.trimEnd().split("\n")) this.#invocation.io.out(`     ${this.paint.dim("│")} ${line}\n`);
  }

  /** Time since the demo began. */
  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Waits until `probe` answers something; answers with that and the time it took. Throws `demo-stuck` when it never does. */
  async until<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<{ value: T; ms: number }> {
    const start = performance.now();
    for (;;) {
      const value = await probe();
      if (value !== undefined && value !== false) return { value, ms: performance.now() - start };
      if (performance.now() - start > PATIENCE_MS) {
        throw new AppError("demo-stuck", `waited ${PATIENCE_MS / 1000} s in vain: ${what}`, { recovery: "stall" });
      }
      await sleep(systemClock, POLL_MS, this.#invocation.signal);
    }
  }
}

export function formatMs(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)}ms` : `${(ms / 1_000).toFixed(1)}s`;
}
