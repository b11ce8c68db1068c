import { describe, expect, it } from "vitest";
import type { Invocation } from "./command.ts";
import { UsageError } from "./command.ts";
import { readSkipSettings } from "./skip-settings.ts";

function given(values: Record<string, string>): Invocation {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  return { positionals: [], values, io, signal: new AbortController().signal, runCommand: async () => 0 };
}

describe("readSkipSettings", () => {
  it("leaves the defaults where nothing is said", () => {
    expect(readSkipSettings(given({}))).toEqual({});
  });

  it("reads APIs by semicolon and namespaces by comma", () => {
    const settings = readSkipSettings(
      given({
        "skipped-propagating-apis": "example.io; apps/v1/Deployment,StatefulSet",
        "skipped-propagating-namespaces": "kube-.*, team-[ab]",
      }),
    );

    expect(settings).toEqual({
      skippedApis: ["example.io", "apps/v1/Deployment,StatefulSet"],
      skippedNamespaces: ["kube-.*", "team-[ab]"],
    });
  });

  it("takes an empty list for no namespace at all", () => {
    expect(readSkipSettings(given({ "skipped-propagating-namespaces": "" }))).toEqual({ skippedNamespaces: [] });
  });

  it.each([
    ["skipped-propagating-apis", "apps/v1/Deployment/web", "apps/v1/Deployment/web"],
    ["skipped-propagating-namespaces", "kube-.*,team-[", "team-["],
  ])("names the option and the part that makes no sense: --%s %s", (option, value, part) => {
    const read = (): unknown => readSkipSettings(given({ [option]: value }));

    expect(read).toThrow(UsageError);
    expect(read).toThrow(`--${option}: "${part}"`);
  });
});
