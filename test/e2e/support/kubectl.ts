// The real kubectl, run against an endpoint.
import { spawn, spawnSync } from "node:child_process";

export interface KubectlResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Whether kubectl is on the path. Prints the reason when tests have to be skipped. */
export function hasKubectl(): boolean {
  const found = spawnSync("kubectl", ["version", "--client"]).status === 0;
  if (!found) console.warn("skipped: kubectl is not installed");
  return found;
}

/** Runs commands as one user with one kubeconfig. */
export class Kubectl {
  readonly #kubeconfig: string;
  readonly #home: string;

  /** `home` takes the caches of discovery, apart from those of the person who runs the tests. */
  constructor(kubeconfig: string, home: string) {
    this.#kubeconfig = kubeconfig;
    this.#home = home;
  }

  /** Runs to the end, whatever it is. `input` goes to its standard input. */
  async try(
    args: readonly string[],
    options: { readonly input?: string; readonly env?: Record<string, string> } = {},
  ): Promise<KubectlResult> {
    const child = spawn("kubectl", args, {
      env: { PATH: process.env["PATH"], HOME: this.#home, KUBECONFIG: this.#kubeconfig, ...options.env },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.stdin.end(options.input ?? "");
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return { code, out, err };
  }

  /** Runs and answers with the output; throws what it said when it failed. */
  async run(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.try(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}:\n${err}${out}`);
    return out;
  }
}
