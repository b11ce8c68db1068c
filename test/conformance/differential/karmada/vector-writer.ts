// Adding recorded cases to files in the form of the Karmada vectors.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Operation, Question, Recorded } from "./operation.ts";

const FLEETS = "scheduler-fleets.json";

interface Stored {
  readonly id: string;
}

/** Collects cases and writes them, one a line, when closed. A case whose id a file has already replaces the old one. */
export class VectorWriter {
  readonly #folder: string;
  readonly #files = new Map<string, Map<string, Stored>>();
  /** How many cases were taken for each tag, by file. */
  readonly #seen = new Map<string, number>();
  readonly #taken = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes the case while one of its tags is still rare, up to `limit` cases a file. */
  offer<Input>(operation: Operation<Input>, question: Question<Input>, recorded: Recorded<Input>, limit: number): void {
    const taken = this.#taken.get(operation.file) ?? 0;
    if (taken >= limit || JSON.stringify(question).length > 25_000) return;
    const keys = operation.tags(question, recorded).map((tag) => `${operation.file} ${tag}`);
    const rare = keys.filter((key) => (this.#seen.get(key) ?? 0) < limit / 6);
    // Enough of this sort; what is taken should show every feature, not the common ones over and over.
    if (rare.length === 0) return;
    for (const key of keys) this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
    this.#taken.set(operation.file, taken + 1);
    this.add(operation, question, recorded);
  }

  add<Input>(operation: Operation<Input>, question: Question<Input>, recorded: Recorded<Input>): void {
    const tags = operation.tags(question, recorded).toSorted();
    const { id, ...rest } = recorded;
    if (question.clusters === undefined) {
      this.#file(operation.file).set(id, { id, tags, ...rest } as Stored);
      return;
    }
    // Shrinking may have changed the fleet that other cases name, so each case has its own unless it is the same.
    const text = JSON.stringify(question.clusters);
    const fleets = this.#file(FLEETS);
    const same = [...fleets.values()].find((known) => "clusters" in known && JSON.stringify(known.clusters) === text);
    const fleet = same?.id ?? `fleet-${id}`;
    fleets.set(fleet, { id: fleet, clusters: question.clusters } as Stored);
    this.#file(operation.file).set(id, { id, tags, ...rest, input: { ...recorded.input, fleet } } as Stored);
  }

  close(): void {
    mkdirSync(this.#folder, { recursive: true });
    for (const [file, cases] of this.#files) {
      const lines = [...cases.values()].map((stored) => JSON.stringify(stored));
      writeFileSync(join(this.#folder, file), `[\n${lines.join(",\n")}\n]\n`);
    }
  }

  #file(name: string): Map<string, Stored> {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const path = join(this.#folder, name);
    // Written by this class.
    const stored = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as readonly Stored[]) : [];
    const cases = new Map(stored.map((one) => [one.id, one]));
    this.#files.set(name, cases);
    return cases;
  }
}
