// The files of deploy/ci: what they hand to `flaghoist report`.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseYaml } from "../../kube/yaml.ts";
import { parseArguments } from "./command.ts";
import { reportCommand } from "./commands/report.ts";

const CI = join(import.meta.dirname, "../../deploy/ci");

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly runs: {
    readonly using: string;
    readonly steps: readonly {
      readonly shell: string;
      readonly env: Readonly<Record<string, string>>;
      readonly run: string;
    }[];
  };
}

interface Job {
  readonly rules: readonly { readonly if: string }[];
  readonly variables: Readonly<Record<string, string>>;
  readonly script: readonly string[];
}

function read(name: string): unknown {
  return parseYaml(readFileSync(join(CI, name), "utf8"), { file: name });
}

describe("deploy/ci", () => {
  let flaghoist: string;
  beforeAll(() => {
    flaghoist = mkdtempSync(join(tmpdir(), "flaghoist-ci-"));
    mkdirSync(join(flaghoist, "bin"));
    writeFileSync(join(flaghoist, "bin/flaghoist.js"), "console.log(JSON.stringify(process.argv.slice(2)))");
  });
  afterAll(() => rmSync(flaghoist, { recursive: true, force: true }));

  /** The command line that a script runs; each of its words is known to the command. */
  function commandLine(shell: string, script: string, env: Readonly<Record<string, string>>) {
    const path = process.env["PATH"] ?? "";
    const out = execFileSync(shell, ["-e", "-c", script], { env: { PATH: path, ...env }, encoding: "utf8" });
    const [name, ...words] = JSON.parse(out) as string[];
    expect(name).toBe("report");
    const { positionals, values } = parseArguments(words, reportCommand);
    return { positionals, values: { ...values } };
  }

  describe("the GitHub action", () => {
    const action = read("github/action.yml") as Action;
    const [step] = action.runs.steps;

    /** As GitHub fills it in. */
    function environment(given: Readonly<Record<string, string>>): Record<string, string> {
      const value = (name: string) => given[name] ?? action.inputs[name]?.default ?? "";
      return Object.fromEntries(
        Object.entries(step?.env ?? {}).map(([name, text]) => [
          name,
          text.replace(/\$\{\{ inputs\.([a-z-]+) \}\}/g, (_, input: string) => value(input)),
        ]),
      );
    }

    it("hands over every input by a variable, and none in its script", () => {
      expect(action.runs.using).toBe("composite");
      const used = Object.values(step?.env ?? {}).map((text) => /inputs\.([a-z-]+)/.exec(text)?.[1]);
      expect(used.toSorted()).toEqual(Object.keys(action.inputs).toSorted());
      expect(step?.run).not.toContain("${{");
      for (const name of Object.keys(step?.env ?? {}).filter((one) => one.startsWith("IN_")))
        expect(step?.run).toContain(`$${name}`);
    });

    it("runs report with what is given, whatever is in it", () => {
      const given = {
        flaghoist,
        path: "apps/a b; $(exit 1)",
        snapshot: "fleet.snapshot",
        kubeconfig: "k",
        context: "c",
        base: "main",
        sync: "shop/apps",
        name: 'it\'s "staging"',
        "pull-request": "7",
        "no-drift": "true",
        "no-check": "true",
        "dry-run": "true",
        "exit-code": "true",
      };

      const { positionals, values } = commandLine("bash", step?.run ?? "", environment(given));

      const { flaghoist: _, path, ...options } = given;
      expect(positionals).toEqual([path]);
      expect(values).toEqual(
        Object.fromEntries(Object.entries(options).map(([name, value]) => [name, value === "true" ? true : value])),
      );
    });

    it("runs report on everything when nothing is given", () => {
      expect(commandLine("bash", step?.run ?? "", environment({ flaghoist }))).toEqual({
        positionals: ["."],
        values: {},
      });
    });
  });

  describe("the GitLab job", () => {
    const job = (read("gitlab/flaghoist.yml") as Record<string, Job>)[".flaghoist-report"];

    it("is for merge requests, with their whole history", () => {
      expect(job?.rules).toEqual([{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }]);
      expect(job?.variables["GIT_DEPTH"]).toBe("0");
    });

    it("runs report with its variables", () => {
      const script = job?.script.join("\n") ?? "";
      const env = { ...job?.variables, FLAGHOIST_FOLDER: flaghoist };
      expect(commandLine("sh", script, env)).toEqual({ positionals: ["."], values: {} });
      const more = { FLAGHOIST_PATH: "a b", FLAGHOIST_SNAPSHOT: "s", FLAGHOIST_SYNC: "n/s", FLAGHOIST_NAME: "x" };
      expect(commandLine("sh", script, { ...env, ...more })).toEqual({
        positionals: ["a b"],
        values: { snapshot: "s", sync: "n/s", name: "x" },
      });
    });
  });
});
