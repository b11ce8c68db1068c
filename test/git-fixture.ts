// A repository in a temporary folder, made with the `git` command, and a bare one that it pushes to.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export class GitFixture {
  /** Holds everything; a server's root. */
  readonly root: string = mkdtempSync(join(tmpdir(), "git-fixture-"));
  readonly work: string = join(this.root, "work");
  readonly bare: string = join(this.root, "repo.git");
  /** Seconds; every commit is a minute after the one before. */
  #time = 1_700_000_000;

  constructor() {
    mkdirSync(this.work);
    this.git("init", "-q", "-b", "main");
    execFileSync("git", ["init", "-q", "--bare", "-b", "main", this.bare]);
    this.git("remote", "add", "origin", this.bare);
  }

  git(...args: string[]): string {
    return this.gitAt(this.work, ...args);
  }

  gitAt(directory: string, ...args: string[]): string {
    return this.#run(directory, "git", args);
  }

  #run(directory: string, program: string, args: readonly string[]): string {
    const date = `${this.#time} +0000`;
    return execFileSync(program, args, {
      cwd: directory,
      encoding: "utf8",
      stdio: "pipe",
      maxBuffer: 1 << 28,
      env: {
        PATH: process.env["PATH"],
        HOME: this.root,
        GIT_CONFIG_NOSYSTEM: "1",
        // Nothing here has to survive a power cut.
        GIT_CONFIG_COUNT: "3",
        GIT_CONFIG_KEY_0: "core.fsync",
        GIT_CONFIG_VALUE_0: "none",
        GIT_CONFIG_KEY_1: "gc.auto",
        GIT_CONFIG_VALUE_1: "0",
        GIT_CONFIG_KEY_2: "transfer.unpackLimit",
        GIT_CONFIG_VALUE_2: "1",
        GIT_AUTHOR_NAME: "Ann",
        GIT_AUTHOR_EMAIL: "ann@example.com",
        GIT_COMMITTER_NAME: "Carl",
        GIT_COMMITTER_EMAIL: "carl@example.com",
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      },
    }).trimEnd();
  }

  /** Writes files without committing; a value of `{ link }` makes a symbolic link. */
  write(files: Readonly<Record<string, string | { readonly link: string }>>): void {
    for (const [path, content] of Object.entries(files)) {
      const target = join(this.work, path);
      mkdirSync(dirname(target), { recursive: true });
      rmSync(target, { force: true });
      if (typeof content === "string") writeFileSync(target, content);
      else symlinkSync(content.link, target);
    }
  }

  /** Writes and commits everything; the commit's name. */
  commit(message: string, files: Readonly<Record<string, string | { readonly link: string }>> = {}): string {
    this.#time += 60;
    this.write(files);
    // One process instead of three: starting one from a large process is what tests spend their time on.
    const script = 'git add -A && git commit -q --allow-empty -m "$1" && git rev-parse HEAD';
    return this.#run(this.work, "sh", ["-c", script, "sh", message]);
  }

  push(...refs: string[]): void {
    this.git("push", "-q", "--force", "origin", ...(refs.length === 0 ? ["HEAD"] : refs));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Many small manifests, different enough not to compress into nothing. */
export function manifests(count: number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let i = 0; i < count; i++) {
    const id = (i * 2654435761) % 4294967296;
    files[`apps/app-${i % 40}/object-${i}.yaml`] =
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: object-${i}\ndata:\n  id: "${id.toString(36)}"\n  other: "${(id * 7) % 99991}"\n`;
  }
  return files;
}
