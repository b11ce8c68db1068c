import { describe, expect, it } from "vitest";
import { type Invocation, UsageError } from "./command.ts";
import { readMetadataSettings } from "./metadata-settings.ts";

function given(values: Record<string, string>): Invocation {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  return { positionals: [], values, io, signal: new AbortController().signal, runCommand: async () => 0 };
}

describe("readMetadataSettings", () => {
  it("leaves the default where nothing is said", () => {
    expect(readMetadataSettings(given({}))).toEqual({});
  });

  it("reads a list", () => {
    expect(readMetadataSettings(given({ "strip-metadata": "argocd, example.com/*" }))).toEqual({
      strippedMetadata: ["argocd", "example.com/*"],
    });
  });

  it("names the word that makes no sense", () => {
    const read = (): unknown => readMetadataSettings(given({ "strip-metadata": "default,argo" }));

    expect(read).toThrow(UsageError);
    expect(read).toThrow(/--strip-metadata: "argo"/);
  });
});
