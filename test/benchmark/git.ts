// Cloning a repository and reading every file of it, in CPU seconds, beside the `git` command.
// `npm run bench -- git [FILES]`

import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { openRepository } from "../../sources/git/repository.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { GitFixture, manifests } from "../git-fixture.ts";
import { hasGit } from "../git-server.ts";

interface Measured {
  readonly cpu: number;
  readonly wall: number;
}

/** The first argument is the number of files; 10,000 without one. */
export async function run(args: readonly string[]): Promise<void> {
  if (!hasGit()) return;
  const count = Number(args[0] ?? 10_000);
  const fixture = new GitFixture();
  const server = fork(join(import.meta.dirname, "support-git-server.ts"), [fixture.root]);
  try {
    const [address]: unknown[] = await once(server, "message");
    fixture.commit("first", manifests(count));
    fixture.push();
    fixture.gitAt(fixture.bare, "gc", "-q");
    const url = `${address}/repo.git`;
    console.log(`${count} files over HTTP, one commit; CPU seconds of the client (wall seconds)`);
    const repository = openRepository({ url, cacheDirectory: join(fixture.root, "cache") });
    const signal = new AbortController().signal;
    const branch = { branch: "main" };

    const [clone, first] = await measure(() => repository.fetchRevision(branch, { signal }));
    print("flaghoist  clone, checked and indexed", clone, `${first.bytes} bytes`);
    const [read, bytes] = await measure(async () => readAll(first.tree, ""));
    print("flaghoist  read every file", read, `${bytes} bytes`);
    const [same] = await measure(() => repository.fetchRevision(branch, { signal }));
    print("flaghoist  unchanged", same, "1 request");
    fixture.commit("second", { "apps/app-1/object-1.yaml": "changed: true\n" });
    fixture.push();
    const [next, second] = await measure(() => repository.fetchRevision(branch, { signal }));
    print("flaghoist  one file changed", next, `${second.bytes} bytes`);
    const [compared, paths] = await measure(async () => repository.changedPaths(first.commit, second.commit));
    print("flaghoist  which files changed", compared, `${paths.length} path`);
    repository.close();

    const bare = join(fixture.root, "git-bare");
    const list = `git -C ${bare} ls-tree -r HEAD | cut -c 13-52`;
    print("git        clone --bare --depth=1", await timed(`git clone -q --bare --depth=1 ${url} ${bare}`));
    print("git        read every file", await timed(`${list} | git -C ${bare} cat-file --batch > /dev/null`));
    print("git        clone --depth=1", await timed(`git clone -q --depth=1 ${url} ${fixture.root}/git-work`));
    print("git        ls-remote", await timed(`git ls-remote ${url} refs/heads/main > /dev/null`));
  } finally {
    server.disconnect();
    fixture.remove();
  }
}

function print(what: string, { cpu, wall }: Measured, note = ""): void {
  const line = `${what.padEnd(42)} ${cpu.toFixed(3).padStart(8)} (${wall.toFixed(3)})  ${note}`;
  console.log(line.trimEnd());
}

/** What the command and all that it started used, as bash counts it. */
async function timed(command: string): Promise<Measured> {
  const { stderr } = await promisify(execFile)("bash", ["-c", `TIMEFORMAT='%U %S %R'; time { ${command}; }`]);
  const [user = 0, system = 0, wall = 0] = stderr.trim().split("\n").at(-1)?.split(" ").map(Number) ?? [];
  return { cpu: user + system, wall };
}

function readAll(tree: SourceTree, path: string): number {
  let bytes = 0;
  for (const entry of tree.list(path) ?? []) {
    const below = path === "" ? entry.name : `${path}/${entry.name}`;
    bytes += entry.type === "directory" ? readAll(tree, below) : (tree.read(below)?.length ?? 0);
  }
  return bytes;
}

async function measure<T>(work: () => Promise<T>): Promise<readonly [Measured, T]> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const used = process.cpuUsage(cpu);
  return [{ cpu: (used.user + used.system) / 1e6, wall: (performance.now() - start) / 1000 }, result];
}
