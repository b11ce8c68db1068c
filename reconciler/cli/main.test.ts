import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { table } from "../reports/table.ts";
import { EXIT, type ExitCode, type Io, parseArguments } from "./command.ts";
import { COMMANDS, loadCommands } from "./commands/table.ts";
import { commandHelp, completionScript, overview } from "./help.ts";
import { runCli } from "./main.ts";
import { paint, print } from "./output.ts";

async function run(...args: string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  let out = "";
  let err = "";
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTerminal: false,
    env: {},
    cwd: import.meta.dirname,
  };
  const code = await runCli(args, io, new AbortController().signal);
  return { code, out, err };
}

const ALL = await loadCommands();

describe("runCli", () => {
  it.each([[[]], [["help"]], [["--help"]], [["-h"]]])("shows the commands for %j", async (args) => {
    expect(await run(...args)).toEqual({ code: EXIT.ok, out: overview(ALL), err: "" });
  });

  it.each(ALL.map((command) => [command.name, command] as const))("explains %s", async (name, command) => {
    const help = commandHelp(command);

    expect(await run(...name.split(" "), "--help")).toEqual({ code: EXIT.ok, out: help, err: "" });
    expect(await run("help", ...name.split(" "))).toEqual({ code: EXIT.ok, out: help, err: "" });
    for (const [example] of command.examples) expect(`${example} `.startsWith(`${name} `)).toBe(true);
  });

  it.each([
    ["explian", "explain"],
    ["pla", "plan"],
    ["rendr", "render"],
    ["unjion", "unjoin"],
  ])("suggests for %s the command %s", async (word, meant) => {
    const { code, err } = await run(word);

    expect(code).toBe(EXIT.usage);
    expect(err).toContain(`there is no command "${word}"; did you mean "${meant}"?`);
  });

  it.each([[["quux"]], [["help", "quux"]]])("suggests nothing far off for %j", async (args) => {
    const { code, err } = await run(...args);

    expect(code).toBe(EXIT.usage);
    expect(err).toContain('there is no command "quux"\n');
  });

  it.each([
    [["plan", "--nonsense"], "--nonsense"],
    [["get", "clusters", "-o", "xml"], '-o takes json or yaml, not "xml"'],
    [["get", "--kubeconfig"], "--kubeconfig"],
    [["plan", "--exit-code=maybe"], '--exit-code takes true or false, not "maybe"'],
    [["up", "--tls-san", "a.example,b c"], '--tls-san takes names and addresses, not "b c"'],
    [["up", "--store", "k", "--tls-san", "a.example"], "--tls-san is for the embedded endpoint"],
    [["completion", "tcsh"], "which shell? bash, zsh or fish"],
    [["completion"], "which shell? bash, zsh or fish"],
  ])("answers %j with what is wrong, how it goes, and code 2", async (args, words) => {
    const { code, out, err } = await run(...args);

    expect(code).toBe(EXIT.usage);
    expect(err).toContain(words);
    expect(err).toContain(`usage: flaghoist ${args[0]}`);
    expect(out).toBe("");
  });

  it("knows every command by the name it is listed under", () => {
    expect(ALL.map(({ name }) => name)).toEqual(COMMANDS.map(({ name }) => name));
  });

  it.each([
    [["--exit-code=false", "--base=x", "apps"], { "exit-code": false, base: "x" }, ["apps"]],
    [["--exit-code", "--exit-code=0"], { "exit-code": false }, []],
    [["--exit-code=false", "--exit-code=T"], { "exit-code": true }, []],
    [["-o=json"], { output: "json" }, []],
    [["-o="], { output: "" }, []],
    [["-ojson", "-o", "yaml"], { output: "yaml" }, []],
    [["--", "--exit-code=false", "-o=x"], {}, ["--exit-code=false", "-o=x"]],
  ])("takes options as Go writes them: %j", (args, values, positionals) => {
    const plan = ALL.find(({ name }) => name === "plan")!;

    expect(parseArguments(args, plan)).toEqual({ values, positionals });
  });

  it("prints its version for --version too", async () => {
    const { code, out } = await run("--version");

    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/\d+\.\d+\.\d+/);
  });
});

describe("the program", () => {
  const start = join(import.meta.dirname, "../../bin/flaghoist.js");
  const shell = (script: string, folder: string) =>
    spawnSync("bash", ["-c", script, "bash", process.execPath, start, folder], { encoding: "utf8" });
  let folder: string;
  // More than any pipe holds.
  const large = "x".repeat(3_000_000);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "main-"));
    writeFileSync(join(folder, "kustomization.yaml"), `configMapGenerator: [{name: a, files: [large]}]\n`);
    writeFileSync(join(folder, "large"), large);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("writes all of a large output to a slow reader", () => {
    const { stdout } = shell('"$1" "$2" render "$3" | { read -r first; wc -c; }', folder);

    expect(Number(stdout)).toBeGreaterThan(large.length);
  });

  it("ends quietly when its reader has seen enough", () => {
    const { stdout, stderr } = shell('"$1" "$2" render "$3" | head -1', folder);

    expect({ stdout, stderr }).toEqual({ stdout: "apiVersion: v1\n", stderr: "" });
  });

  it.runIf(existsSync("/dev/full"))("says that its output found no room", () => {
    const { status, stderr } = shell('"$1" "$2" render "$3" > /dev/full', folder);

    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^flaghoist: the output cannot be written: ENOSPC/),
    });
  });
});

describe("completionScript", () => {
  it("for bash parses, and completes commands and their options", () => {
    const script = completionScript("bash", ALL) ?? "";
    const complete = (...words: string[]): string[] => {
      const text = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _flaghoist; echo "\${COMPREPLY[@]}"`;
      return spawnSync("bash", ["-c", text], { encoding: "utf8" }).stdout.trim().split(/\s+/);
    };

    expect(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    expect(complete("flaghoist", "expl")).toEqual(["explain"]);
    expect(complete("flaghoist", "get", "--kube")).toEqual(["--kubeconfig"]);
    expect(complete("flaghoist", "nonsense", "")).toEqual(["--help"]);
    expect(complete("flaghoist", "fleet", "fau")).toEqual(["fault", "faults"]);
    expect(complete("flaghoist", "fleet", "fault", "--out")).toEqual(["--outage"]);
  });

  it("for zsh parses as bash does", () => {
    const script = completionScript("zsh", ALL) ?? "";

    expect(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it("for fish has a line for each command and option, with balanced quotes", () => {
    const lines = (completionScript("fish", ALL) ?? "").trim().split("\n");

    for (const command of ALL) {
      expect(lines.some((line) => line.includes(` -a ${command.name.split(" ").at(-1)} `))).toBe(true);
      for (const name of Object.keys(command.options))
        expect(lines.some((line) => line.includes(`from ${command.name.split(" ").at(-1)}' -l ${name} `))).toBe(true);
    }
    for (const line of lines) expect(line.replaceAll(/\\['\\]/g, "").split("'").length % 2).toBe(1);
  });

  it("for another shell is none", () => {
    expect(completionScript("tcsh", ALL)).toBeUndefined();
  });
});

describe("print", () => {
  function printed(format: string | undefined, data: unknown): string {
    const parts: string[] = [];
    const io: Io = { out: (text) => void parts.push(text), err: () => {}, isTerminal: false, env: {}, cwd: "" };
    const invocation = {
      positionals: [],
      values: { output: format },
      io,
      signal: new AbortController().signal,
      runCommand: async () => EXIT.ok,
    };
    print(invocation, data, () => "text");
    return parts.join("");
  }

  it.each([
    [undefined, "text\n"],
    ["json", '{\n  "big": 9007199254740993,\n  "name": "web"\n}\n'],
    ["yaml", "big: 9007199254740993\nname: web\n"],
  ])("as %s", (format, expected) => {
    expect(printed(format, { big: 9_007_199_254_740_993n, name: "web", none: undefined })).toBe(expected);
  });
});

describe("table", () => {
  it("aligns columns and leaves no space at the ends of lines", () => {
    expect(
      table([
        ["NAME", "READY", "MESSAGE"],
        ["paris-1", "True", ""],
      ]),
    ).toBe("NAME     READY  MESSAGE\nparis-1  True");
  });
});

describe("paint", () => {
  it.each([
    [true, {}, "\u001b[31mx\u001b[0m"],
    [true, { NO_COLOR: "" }, "x"],
    [true, { TERM: "dumb" }, "x"],
    [false, {}, "x"],
  ])("colours on a terminal only: %s %j", (isTerminal, env, expected) => {
    const io: Io = { out: () => {}, err: () => {}, isTerminal, env, cwd: "" };

    expect(paint({ io }).red("x")).toBe(expected);
  });
});
