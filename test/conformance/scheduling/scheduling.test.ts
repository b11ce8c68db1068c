import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replayCase, type SchedulingCase } from "./scheduling-case.ts";

// Recorded with `KUBEBUILDER_ASSETS=DIR node_modules/.bin/node test/conformance/scheduling/record.ts`.
const FOLDER = join(import.meta.dirname, "../vectors/scheduling");

describe("the simulated scheduler", () => {
  it.each(readdirSync(FOLDER))("places Pods and explains itself as kube-scheduler does in %s", (file) => {
    const recorded = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as SchedulingCase;

    expect(recorded.steps.length).toBeGreaterThan(0);
    expect(replayCase(recorded)).toEqual([]);
  });
});
