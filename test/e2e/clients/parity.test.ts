// The real kubectl against the embedded server: every command of testdata/kubectl/script.sh says what it says of a real server.
import { beforeAll, describe, expect, it } from "vitest";
import { type Compared, compare, planComparison } from "./comparison.ts";

/** Kinds of the reference that the embedded server does not serve. */
const NOT_SERVED =
  /mutatingadmissionpolic|flowcontrol\.apiserver|flowschemas|prioritylevel|ipaddresses|servicecidrs|resource\.k8s\.io/;

/** Commands whose words may differ, and why. They still must end alike, unless `anyEnd`. */
const DIFFERENT: readonly { readonly command: RegExp; readonly why: string; readonly anyEnd?: boolean }[] = [
  { command: /^kubectl explain (deployment|pods)/, why: "built-in kinds are described without prose" },
  {
    command: /widget-bad|patch widget lamp --type=merge|describe widget/,
    why: "rules in CEL are not evaluated yet",
    anyEnd: true,
  },
];

function withoutUnserved(block: string): string {
  return block
    .split("\n")
    .filter((line) => !NOT_SERVED.test(line))
    .join("\n");
}

const plan = planComparison("kubectl");

describe.runIf(plan !== undefined)("kubectl on the embedded server and on a real one", () => {
  let compared: Compared[];

  beforeAll(async () => {
    compared = await compare(plan!);
  }, 400_000);

  it.each((plan?.commands ?? []).map((command, index) => ({ command, index })))("$command", ({ command, index }) => {
    const { real, embedded } = compared[index]!;
    const difference = DIFFERENT.find((each) => each.command.test(command));
    if (difference === undefined) expect(withoutUnserved(embedded)).toBe(withoutUnserved(real));
    else if (difference.anyEnd !== true) expect(/\n= \d+\n$/.exec(embedded)?.[0]).toBe(/\n= \d+\n$/.exec(real)?.[0]);
  });
});
