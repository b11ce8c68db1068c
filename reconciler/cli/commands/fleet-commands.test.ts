import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runCli } from "../main.ts";

// The library that makes certificates takes seconds to load where much else runs.
vi.setConfig({ testTimeout: 60_000 });

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const EXAMPLE = join(import.meta.dirname, "../../../examples/fleets/provider-outage.yaml");

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder in which a fleet runs, and commands that are run there. */
async function start(...args: readonly string[]) {
  const cwd = mkdtempSync(join(tmpdir(), "flaghoist-fleet-"));
  closers.push(() => rmSync(cwd, { recursive: true, force: true }));
  const abort = new AbortController();
  const ready = Promise.withResolvers<void>();
  const io = { isTerminal: false, env: {}, cwd };
  let errors = "";
  const running = runCli(
    ["fleet", "up", ...args],
    {
      ...io,
      out: (text) => {
        if (text.includes("KUBECONFIG")) ready.resolve();
      },
      err: (text) => {
        errors += text;
      },
    },
    abort.signal,
  );
  closers.push(async () => {
    abort.abort();
    await running;
  });
  const run = async (...words: readonly string[]): Promise<Said> => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCli(
      ["fleet", ...words],
      { ...io, out: (text) => void out.push(text), err: (text) => void err.push(text) },
      new AbortController().signal,
    );
    return { code, out: out.join(""), err: err.join("") };
  };
  await Promise.race([
    ready.promise,
    running.then((code) => Promise.reject(new Error(`ended with ${code}: ${errors}`))),
  ]);
  return { cwd, run };
}

describe("flaghoist fleet", () => {
  it("starts a fleet, lets things go wrong in it and ends them", async () => {
    const { cwd, run } = await start("--clusters", "2", "--nodes", "1", "--level", "fast", "--clock", "stepped");
    expect(statSync(join(cwd, ".flaghoist/fleet/kubeconfig")).mode & 0o777).toBe(0o600);

    expect((await run("fault", "member1", "--down", "--for", "5m", "--name", "cable")).out).toMatch(
      /^cable active in member1 until /,
    );
    expect((await run("status")).out).toMatch(/member1 .*cable\nmember2 .* -$/m);
    expect(await run("fault", "*", "--slow")).toMatchObject({
      code: 1,
      err: expect.stringContaining("contradicts cable (down): cluster member1 cannot both refuse connections"),
    });
    expect((await run("advance", "5m")).code).toBe(0);
    expect((await run("faults")).out).toBe("nothing is wrong in the fleet\n");

    await run("fault", "member1", "--hang");
    await run("fault", "member1", "--clock-skew=90s");
    expect((await run("fault", "member1", "--end")).out.match(/^ended /gm)).toHaveLength(2);
    expect(JSON.parse((await run("faults", "--all", "-o", "json")).out)).toHaveLength(3);
  });

  it("plays a scenario, and tells what it let happen", async () => {
    const { run } = await start("-f", EXAMPLE, "--clock", "stepped");

    await run("advance", "6m");
    const { out } = await run("status");

    expect(out).toMatch(/gcp-2 .* outage-1$/m);
    expect(out).toContain("5m  gcp is gone");
  });

  it.each<[string[], number, string]>([
    [["up", "-f", EXAMPLE, "--clusters", "3"], 2, "the file says which clusters there are: leave --clusters out"],
    [["up", "-f", "/nowhere.yaml"], 1, "/nowhere.yaml cannot be read"],
    [["up", "--clusters", "no"], 2, '--clusters takes a number from 1 to 1000, not "no"'],
    [["up", "--level", "slow"], 2, '--level takes full, fast, idle, not "slow"'],
    [["up", "--clock", "-1"], 2, "--clock"],
    [["fault", "member1"], 2, "say what is to happen"],
    [["fault", "member1", "--dwn"], 2, "--dwn"],
    [["advance", "soon"], 2, 'by how much? A duration such as 10m, not "soon"'],
    [["status", "--kubeconfig", "/nowhere"], 1, "/nowhere cannot be read"],
    [["status"], 1, "no fleet found: start one with 'flaghoist fleet up'"],
    [["fualt"], 2, 'there is no command "fleet fualt"; did you mean "fleet fault"?'],
  ])("says what is wrong with %j", async (words, code, message) => {
    const said: string[] = [];
    const io = {
      out: () => {},
      err: (text: string) => void said.push(text),
      isTerminal: false,
      env: {},
      cwd: tmpdir(),
    };

    expect(await runCli(["fleet", ...words], io, new AbortController().signal)).toBe(code);
    expect(said.join("")).toContain(message);
  });
});
