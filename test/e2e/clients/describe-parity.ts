// A test for every command of a script: the embedded server answers as a real one does.
import { beforeAll, describe, expect, it } from "vitest";
import { type Compared, compare, planComparison } from "./comparison.ts";

/** Commands whose words may differ, and why. They must end alike all the same, unless `anyEnd`. */
export interface Difference {
  readonly command: RegExp;
  readonly why: string;
  readonly anyEnd?: boolean;
}

export interface ParityOptions {
  /** Lines that are left out on both sides. */
  readonly ignoredLines?: RegExp;
  readonly differences?: readonly Difference[];
}

const TIME_LIMIT_MS = 400_000;

function endOf(block: string): string | undefined {
  return /^= \d+$/m.exec(block)?.[0];
}

export function describeParity(script: string, options: ParityOptions = {}): void {
  const { ignoredLines, differences = [] } = options;
  const plan = planComparison(script);

  function compared(block: string): string {
    const lines = block.split("\n");
    return lines.filter((line) => ignoredLines === undefined || !ignoredLines.test(line)).join("\n");
  }

  describe.runIf(plan !== undefined)(`${script} on the embedded server and on a real one`, () => {
    let results: Compared[];

    beforeAll(async () => {
      results = await compare(plan!);
    }, TIME_LIMIT_MS);

    it.each((plan?.commands ?? []).map((command, index) => ({ command, index })))("$command", ({ command, index }) => {
      const { real, embedded } = results[index]!;
      const difference = differences.find((each) => each.command.test(command));
      if (difference === undefined) expect(compared(embedded)).toBe(compared(real));
      else if (difference.anyEnd !== true) expect(endOf(embedded)).toBe(endOf(real));
    });
  });
}
