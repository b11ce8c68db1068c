// The program that answers as Karmada does: ../karmada-oracle, built by the script there.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** One answer of the program; `panic` and `problem` exclude `answer`. */
export interface OracleResponse {
  readonly id: string;
  readonly answer?: Readonly<Record<string, unknown>>;
  /** What Karmada died of. */
  readonly panic?: string;
  /** Why it could not be asked. */
  readonly problem?: string;
}

/** Where a built program is: `KARMADA_ORACLE`, else where the build script puts it; undefined when there is none. */
export function findOracle(): string | undefined {
  const named = process.env["KARMADA_ORACLE"];
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const path = named ?? join(cache, "flaghoist", "karmada-oracle");
  return existsSync(path) ? path : undefined;
}

/** A running program. Questions are answered in the order in which they are asked. */
export class Oracle {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: { readonly answer: (response: OracleResponse) => void; readonly fail: (error: Error) => void }[] =
    [];
  #asked = 0;
  #ended = false;

  constructor(path: string) {
    this.#process = spawn(path, [], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      // The program writes this form.
      this.#waiting.shift()?.answer(JSON.parse(line) as OracleResponse);
    });
    const end = (why: string): void => {
      this.#ended = true;
      for (const { fail } of this.#waiting.splice(0)) fail(new Error(`the oracle ended: ${why}`));
    };
    this.#process.on("error", (error) => end(error.message));
    this.#process.on("exit", (code, signal) => end(`code ${code}, signal ${signal}`));
    this.#process.stdin.on("error", () => undefined);
  }

  ask(op: string, input: unknown): Promise<OracleResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<OracleResponse>();
    if (this.#ended) reject(new Error("the oracle has ended"));
    else {
      this.#waiting.push({ answer: resolve, fail: reject });
      this.#process.stdin.write(`${JSON.stringify({ id: String(this.#asked++), op, input })}\n`);
    }
    return promise;
  }

  close(): void {
    this.#process.stdin.end();
  }
}
