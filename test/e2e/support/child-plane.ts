// A control plane in a process of its own, to be killed.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type HttpTransport, openHttpTransportFile } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { eventually } from "./eventually.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** On machines that may be busy. */
const START_LIMIT_MS = 40_000;

export class ChildPlane {
  readonly #folder: string;
  readonly #port: number;
  readonly #options: readonly string[];
  #child: ChildProcess | undefined;
  #transport: HttpTransport | undefined;
  /** What the process said, for failing tests. */
  log = "";

  /** `options` are further ones of `flaghoist up`. */
  constructor(folder: string, port: number, options: readonly string[] = []) {
    this.#folder = folder;
    this.#port = port;
    this.#options = options;
  }

  get client(): KubeClient {
    if (this.#transport === undefined) throw new Error("the control plane does not run");
    return new KubeClient(this.#transport.send);
  }

  /** Starts `flaghoist up`; resolves when the endpoint answers. */
  async start(): Promise<void> {
    const args = ["up", "--data", this.#folder, "--port", String(this.#port), "--log-level", "warn", ...this.#options];
    const child = spawn(process.execPath, [join(root, "reconciler/cli/main.ts"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    process.once("exit", () => child.kill("SIGKILL"));
    let ready = false;
    child.stdout.on("data", (chunk: Buffer) => {
      this.log += chunk.toString();
      if (this.log.includes("KUBECONFIG=")) ready = true;
    });
    this.log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    this.#child = child;
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`flaghoist up ended with ${child.exitCode}:\n${this.log}`);
        return ready && existsSync(join(this.#folder, "kubeconfig"));
      },
      { what: "a running control plane", withinMs: START_LIMIT_MS },
    );
    this.#transport = await openHttpTransportFile(join(this.#folder, "kubeconfig"));
  }

  /** Sends a signal and leaves it at that. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it without a word of warning. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    const gone = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const code = await gone;
    this.#child = undefined;
    await this.#transport?.close();
    this.#transport = undefined;
    return code;
  }
}
