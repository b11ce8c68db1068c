// Kills a durable API server at random moments while clients write and watch, and checks each time what is left.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CertificateSet, ensureCertificates } from "../../fleets/apiserver/http/certificates.ts";
import { sleep, systemClock } from "../../runtime/clock.ts";
import { LoadClient } from "../benchmark/support-apiserver-client.ts";
import { eventually } from "../e2e/support/eventually.ts";
import { freePorts } from "../e2e/support/real-api-server.ts";
import { Mirror } from "./support-mirror.ts";
import { randomFrom } from "./support-random.ts";
import { COLLECTION, type Known, textOf, Writer } from "./support-writer.ts";

const SERVER = join(import.meta.dirname, "support-server.ts");
const WRITERS = 6;
const MIRRORS = 2;
const MOST_ACKNOWLEDGED = 200;
const LONGEST_LIFE_MS = 300;
const KILLED_AT_START = 0.1;

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  readonly onProgress?: (text: string) => void;
}

export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Writes without an answer that turned out to have happened, and not to. */
  readonly openHappened: number;
  readonly openLost: number;
  readonly resumed: number;
  readonly expired: number;
  /** What must not be; empty when all is well. */
  readonly violations: readonly string[];
}

/** Kills the server `kills` times; stops at the first round with a violation. */
export async function killServer(options: KillOptions): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-chaos-"));
  const certificates = await ensureCertificates(join(folder, "pki"), ["localhost", "127.0.0.1"], systemClock);
  const [port = 0] = await freePorts(1);
  const world = new World(folder, port, certificates, randomFrom(options.seed));
  try {
    for (let round = 1; round <= options.kills && world.violations.length === 0; round++) {
      await world.round(round);
      if (round % 50 === 0) options.onProgress?.(`${round} kills, ${world.report().acknowledged} acknowledged writes`);
    }
    return world.report();
  } finally {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class World {
  readonly #folder: string;
  readonly #port: number;
  readonly #certificates: CertificateSet;
  readonly #random: () => number;
  readonly #writers: readonly Writer[];
  readonly #mirrors = Array.from({ length: MIRRORS }, () => new Mirror());
  readonly violations: string[] = [];
  #child: ChildProcess | undefined;
  #kills = 0;
  #openHappened = 0;
  #openLost = 0;

  constructor(folder: string, port: number, certificates: CertificateSet, random: () => number) {
    this.#folder = folder;
    this.#port = port;
    this.#certificates = certificates;
    this.#random = random;
    this.#writers = Array.from({ length: WRITERS }, (_, id) => new Writer(id, randomFrom(random() * 2 ** 32)));
  }

  /** One life of the server: what the last one left is checked, then it is killed amid new writes. */
  async round(number: number): Promise<void> {
    if (this.#random() < KILLED_AT_START) await this.#killAtStart();
    await this.#start();
    const client = this.#client("1.1");
    const watching = this.#client("2");
    try {
      await this.#check(client, number);
      for (const mirror of this.#mirrors) await mirror.resume(watching);
      await this.#checkMirrors(client, number);
      const child = this.#child!;
      const byCount = this.#random() < 0.5;
      let left = 1 + Math.floor(this.#random() * MOST_ACKNOWLEDGED);
      const writing = this.#writers.map((writer) =>
        writer.writeUntilGone(
          (method, path, body, type) => client.send(method, path, body, type, true),
          () => {
            left -= 1;
            if (byCount && left === 0) child.kill("SIGKILL");
          },
        ),
      );
      if (!byCount) {
        await sleep(systemClock, this.#random() * LONGEST_LIFE_MS);
        child.kill("SIGKILL");
      }
      await Promise.all(writing);
      await this.#gone();
      for (const { surprises } of [...this.#writers, ...this.#mirrors])
        for (const text of surprises) this.#violation(number, text);
    } finally {
      await client.close();
      await watching.close();
    }
  }

  report(): KillReport {
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      kills: this.#kills,
      acknowledged: sum(this.#writers.map((writer) => writer.acknowledged)),
      openHappened: this.#openHappened,
      openLost: this.#openLost,
      resumed: sum(this.#mirrors.map((mirror) => mirror.resumed)),
      expired: sum(this.#mirrors.map((mirror) => mirror.expired)),
      violations: this.violations,
    };
  }

  async close(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#gone();
  }

  #client(version: "1.1" | "2"): LoadClient {
    const endpoint = { url: `https://127.0.0.1:${this.#port}`, certificates: this.#certificates };
    return new LoadClient(endpoint, { version, connections: version === "2" ? 1 : WRITERS });
  }

  #violation(round: number, text: string): void {
    this.violations.push(`kill ${round}: ${text}`);
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [SERVER, this.#folder, String(this.#port)], {
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(tmpdir(), "flaghoist-chaos-cache"),
      },
    });
    this.#child = child;
    return child;
  }

  async #start(): Promise<void> {
    const child = this.#spawn();
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`the server ended with ${code} at its start`)));
    });
  }

  async #killAtStart(): Promise<void> {
    const child = this.#spawn();
    const listening = new Promise<void>((resolve) => child.stdout?.once("data", () => resolve()));
    await Promise.race([listening, sleep(systemClock, this.#random() * 600)]);
    child.kill("SIGKILL");
    await this.#gone();
  }

  async #gone(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
    this.#child = undefined;
    this.#kills += 1;
  }

  /** Every acknowledged write is there; every other one is there as a whole or not at all. */
  async #check(client: LoadClient, round: number): Promise<void> {
    const { status, text } = await client.send("GET", COLLECTION, undefined, undefined, true);
    if (status !== 200) {
      this.#violation(round, `the list was answered with ${status}`);
      return;
    }
    const list = JSON.parse(text) as { metadata: { resourceVersion: string }; items: readonly StoredMap[] };
    const present = new Map(list.items.map((item) => [item.metadata.name, item]));
    for (const writer of this.#writers) {
      for (const [name, known] of writer.known) this.#checkObject(round, name, known, present.get(name));
    }
    for (const mirror of this.#mirrors) {
      if (mirror.revision > Number(list.metadata.resourceVersion))
        this.#violation(
          round,
          `a watch told of revision ${mirror.revision}, the list has ${list.metadata.resourceVersion}`,
        );
    }
  }

  #checkObject(round: number, name: string, known: Known, found: StoredMap | undefined): void {
    const sequence = found === undefined ? undefined : Number(found.data["sequence"]);
    if (found !== undefined && sequence !== undefined) {
      const whole = found.metadata.labels["sequence"] === String(sequence) && found.data["text"] === textOf(sequence);
      if (!whole)
        this.#violation(round, `${name} is half in state ${sequence}: ${JSON.stringify(found).slice(0, 300)}`);
    }
    const { acknowledged, open } = known;
    const revision = found?.metadata.resourceVersion;
    const isAcknowledged =
      sequence === acknowledged.sequence &&
      (acknowledged.revision === undefined || acknowledged.revision === revision || open?.sequence === sequence);
    const isOpen = open !== undefined && sequence === open.sequence;
    if (!isAcknowledged && !isOpen) {
      const told = `acknowledged ${acknowledged.sequence} at ${acknowledged.revision}, open ${open?.sequence}`;
      this.#violation(round, `${name} is ${sequence} at ${revision}; ${told}`);
    }
    if (open !== undefined && open.sequence !== acknowledged.sequence) {
      if (isOpen) this.#openHappened += 1;
      else this.#openLost += 1;
    }
    // From here on this is what everybody was told.
    known.acknowledged = { sequence, revision };
    known.open = undefined;
  }

  /** A copy that goes on, or begins anew, is what the server has. */
  async #checkMirrors(client: LoadClient, round: number): Promise<void> {
    const { text } = await client.send("GET", COLLECTION, undefined, undefined, true);
    const { items } = JSON.parse(text) as { items: readonly StoredMap[] };
    const expected = items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).join(", ");
    for (const mirror of this.#mirrors) {
      const shown = (): string =>
        [...mirror.revisions]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, revision]) => `${name} ${revision}`)
          .join(", ");
      await eventually(() => shown() === expected, { withinMs: 2000 }).catch(() =>
        this.#violation(round, `a watch's copy is ${shown()}; the list is ${expected}`),
      );
    }
  }
}

interface StoredMap {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly data: Readonly<Record<string, string>>;
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { kills: { type: "string", default: "100" }, seed: { type: "string", default: String(Date.now() % 1e9) } },
  });
  const options = { kills: Number(values.kills), seed: Number(values.seed) };
  if (!(options.kills >= 1) || !Number.isInteger(options.seed)) {
    process.stderr.write("usage: npm run chaos -- apiserver-kills [--kills N] [--seed N]\n");
    process.exitCode = 2;
    return;
  }
  process.stdout.write(`seed ${options.seed}\n`);
  const report = await killServer({ ...options, onProgress: (text) => process.stdout.write(`${text}\n`) });
  const allThere = report.violations.length === 0 ? "all there" : "not all there";
  process.stdout.write(
    `${report.kills} kills; ${report.acknowledged} acknowledged writes, ${allThere}; of the writes without an answer ` +
      `${report.openHappened} happened as a whole and ${report.openLost} did not; ` +
      `watches: ${report.resumed} went on, ${report.expired} had to list again\n`,
  );
  for (const violation of report.violations) process.stdout.write(`VIOLATION (seed ${options.seed}) ${violation}\n`);
  if (report.violations.length > 0) process.exitCode = 1;
}
