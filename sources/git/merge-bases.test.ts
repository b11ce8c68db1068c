import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../runtime/random.ts";
import { GitFixture } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { testSeed } from "../../test/seed.ts";
import { findMergeBases, type MergeBases } from "./merge-bases.ts";
import { ObjectStore } from "./object-store.ts";

const SEED = testSeed();
const HISTORIES = Number(process.env["TEST_CASES"] ?? 2);
const COMMITS = 150;
const PAIRS = 10;

const signal = new AbortController().signal;

describe.skipIf(!hasGit())("findMergeBases", () => {
  let fixture: GitFixture;
  beforeEach(() => {
    fixture = new GitFixture();
  });
  afterEach(() => fixture.remove());

  function bases(left: string, right: string): Promise<MergeBases> {
    return findMergeBases(new ObjectStore(join(fixture.work, ".git", "objects")), left, right, signal);
  }

  it("names both candidates after merges in both directions, the newest first", async () => {
    const root = fixture.commit("root", { r: "0" });
    fixture.git("checkout", "-q", "-b", "topic");
    const onTopic = fixture.commit("on topic", { t: "0" });
    fixture.git("checkout", "-q", "main");
    const onMain = fixture.commit("on main", { m: "0" });
    fixture.git("merge", "-q", "--no-ff", "-m", "topic into main", onTopic);
    const main = fixture.commit("main goes on", { m: "1" });
    fixture.git("checkout", "-q", "topic");
    fixture.git("merge", "-q", "--no-ff", "-m", "main into topic", onMain);
    const topic = fixture.commit("topic goes on", { t: "1" });

    expect(await bases(main, topic)).toEqual({ bases: [onMain, onTopic], left: undefined, right: undefined });
    expect(fixture.git("merge-base", main, topic)).toBe(onMain);
    expect((await bases(topic, root)).bases).toEqual([root]);
    expect((await bases(root, topic)).bases).toEqual([root]);
    expect((await bases(main, main)).bases).toEqual([main]);
  });

  it("finds none where two histories never met", async () => {
    const one = fixture.commit("one", { a: "1" });
    fixture.git("checkout", "-q", "--orphan", "other");
    const other = fixture.commit("other", { b: "1" });

    expect(await bases(one, other)).toEqual({ bases: [], left: undefined, right: undefined });
  });

  it.each(Array.from({ length: HISTORIES }, (_, i) => SEED + i))(
    "agrees with git in a random history, and is sure of nothing else when less of it is here (seed %d)",
    async (seed) => {
      const random = new Random(seed);
      const oids = makeHistory(fixture, randomHistory(random));
      const full = new ObjectStore(join(fixture.work, ".git", "objects"));
      let sure = 0;
      for (let pair = 0; pair < PAIRS; pair++) {
        const left = random.pick(oids.slice(-40));
        const right = random.pick(oids.slice(-80));
        const told = mergeBasesOf(fixture, left, right);

        const found = await findMergeBases(full, left, right, signal);
        expect(new Set(found.bases)).toEqual(new Set(told));
        expect(found).toMatchObject({ left: undefined, right: undefined });

        for (const depth of [1, 2, 4, 8, 16, 32]) {
          const cut = new CutStore(full, [left, right], depth);
          const some = await findMergeBases(cut, left, right, signal);
          if (some.left !== undefined || some.right !== undefined) continue;
          sure++;
          expect(some.bases[0], `${left} ${right} at depth ${depth}`).toBe(found.bases[0]);
        }
      }
      full.close();
      expect(sure).toBeGreaterThan(PAIRS);
    },
  );

  it("drops a candidate that another follows by way of a clock that was late", async () => {
    const [old = "", , near = "", left = "", right = ""] = makeHistory(fixture, [
      { at: 100, parents: [] },
      { at: 90, parents: [0] },
      { at: 110, parents: [1] },
      { at: 120, parents: [2, 0] },
      { at: 120, parents: [0, 2] },
    ]);

    expect((await bases(left, right)).bases).toEqual([near]);
    expect(mergeBasesOf(fixture, left, right)).toEqual([near]);
    expect((await bases(left, old)).bases).toEqual([old]);
  });

  it("is not sure while a branch of about that time ends whose clock may have been late", async () => {
    const [old = "", right = "", , end = "", left = ""] = makeHistory(fixture, [
      { at: 10, parents: [] },
      { at: 99, parents: [0] },
      { at: 96, parents: [1] },
      { at: 95, parents: [2] },
      { at: 120, parents: [0, 3] },
    ]);
    const full = new ObjectStore(join(fixture.work, ".git", "objects"));

    const found = await findMergeBases(new CutStore(full, [left, right], 2), left, right, signal);

    expect(found).toMatchObject({ bases: [old], left: { commits: [end] }, right: undefined });
    expect((await bases(left, right)).bases).toEqual([right]);
  });

  it("says of a history that is not here how far it is and when it ends", async () => {
    for (let i = 0; i < 6; i++) fixture.commit(`old ${i}`, { a: `${i}` });
    fixture.git("checkout", "-q", "-b", "topic");
    for (let i = 0; i < 5; i++) fixture.commit(`topic ${i}`, { t: `${i}` });
    const topic = fixture.git("rev-parse", "HEAD");
    fixture.git("checkout", "-q", "main");
    const main = fixture.commit("main", { a: "new" });
    const full = new ObjectStore(join(fixture.work, ".git", "objects"));

    const found = await findMergeBases(new CutStore(full, [main, topic], 3), main, topic, signal);

    const [end = "", other = ""] = fixture.git("rev-parse", "topic~2", "main~2").split("\n");
    expect(found).toEqual({
      bases: [],
      right: { depth: 3, timeMs: full.readCommit(end).committer.timeMs, commits: [end] },
      left: { depth: 3, timeMs: full.readCommit(other).committer.timeMs, commits: [other] },
    });
  });
});

/** A store that has no more than so many commits from each tip. */
class CutStore extends ObjectStore {
  readonly #here = new Set<string>();

  constructor(full: ObjectStore, tips: readonly string[], depth: number) {
    super(full.directory);
    let level = [...tips];
    for (let i = 0; i < depth; i++) {
      for (const oid of level) this.#here.add(oid);
      level = level.flatMap((oid) => full.readCommit(oid).parents);
    }
  }

  override has(oid: string): boolean {
    return this.#here.has(oid);
  }
}

interface PlannedCommit {
  /** Hours. */
  readonly at: number;
  /** By their place among all. */
  readonly parents: readonly number[];
}

/** Makes commits without files, all at once; their names. */
function makeHistory(fixture: GitFixture, commits: readonly PlannedCommit[]): string[] {
  const marks = join(fixture.root, "marks");
  let script = "";
  for (const [place, { at, parents }] of commits.entries()) {
    // A second more for each, so that no two times are equal: git breaks ties by what it met first.
    const time = 1_700_000_000 + at * 3600 + place;
    script += `reset refs/heads/none\n\ncommit refs/heads/all-${place}\nmark :${place + 1}\n`;
    script += `committer C <c@example.com> ${time} +0000\ndata 2\n${place % 10}\n`;
    script += parents.map((parent, i) => `${i === 0 ? "from" : "merge"} :${parent + 1}\n`).join("");
    script += "\n";
  }
  const args = ["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", `--export-marks=${marks}`];
  execFileSync("git", args, { cwd: fixture.work, input: script });
  const oids: string[] = [];
  for (const line of readFileSync(marks, "utf8").trim().split("\n")) {
    const [mark = "", oid = ""] = line.split(" ");
    oids[Number(mark.slice(1)) - 1] = oid;
  }
  return oids;
}

/** Branches that begin, go on for some time and are merged; clocks that differ by hours. */
function randomHistory(random: Random): PlannedCommit[] {
  const commits: PlannedCommit[] = [];
  while (commits.length < COMMITS) {
    const recent = () => Math.max(0, commits.length - 1 - random.below(random.chance(0.1) ? 60 : 8));
    const isRoot = commits.length === 0 || random.chance(0.02);
    const parents = isRoot ? [] : [...new Set(random.chance(0.3) ? [recent(), recent()] : [recent()])];
    const latest = Math.max(0, ...parents.map((parent) => commits[parent]?.at ?? 0));
    commits.push({ at: latest + random.below(10) - 2, parents });
  }
  return commits;
}

function mergeBasesOf(fixture: GitFixture, left: string, right: string): string[] {
  const command = spawnSync("git", ["merge-base", "--all", left, right], { cwd: fixture.work, encoding: "utf8" });
  // It ends with 1 where there is none.
  expect([0, 1]).toContain(command.status);
  return command.stdout.split("\n").filter((line) => line !== "");
}
