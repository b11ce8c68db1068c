import { describe, expect, it } from "vitest";
import {
  formatLabelSelector,
  matchesLabelSelector,
  matchesRequirements,
  parseLabelSelector,
  requirementsOf,
} from "./selectors.ts";

const OBJECTS: Record<string, Record<string, string>> = {
  a: { env: "prod", tier: "web" },
  b: { env: "dev", tier: "web" },
  d: { env: "prod" },
  e: {},
  f: { env: "", n: "1", "x.io/y": "z" },
};

function selected(text: string): string {
  const requirements = parseLabelSelector(text);
  return Object.keys(OBJECTS)
    .filter((name) => matchesRequirements(requirements, OBJECTS[name]))
    .join("");
}

describe("parseLabelSelector", () => {
  it.each([
    ["", "abdef"],
    ["env=prod", "ad"],
    ["env==prod", "ad"],
    ["env!=prod", "bef"],
    ["env", "abdf"],
    ["!env", "e"],
    ["env in (prod,dev)", "abd"],
    ["env notin (prod)", "bef"],
    ["env in ()", "f"],
    ["env in (,prod)", "adf"],
    ["env in (prod,)", "adf"],
    ["env=prod,!tier", "d"],
    ["x.io/y=z", "f"],
    ["n>0", "f"],
    ["n<1", ""],
    ["env>1", ""],
    ["env!=", "abde"],
    ["  env  in  ( prod , dev ) ", "abd"],
    ["env=prod,env=dev", ""],
    ["in=x", ""],
    ["!in", "abdef"],
  ])("%s selects %s", (text, names) => {
    expect(selected(text)).toBe(names);
  });

  it.each([
    ["env in (prod", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["=x", "found '=', expected: !, identifier, or 'end of string'"],
    ["env=prod,,tier", "found ',', expected: identifier after ','"],
    ["env=prod,", "found '', expected: identifier after ','"],
    [",", "found ',', expected: !, identifier, or 'end of string'"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["a=b c", "found 'c', expected: ',' or 'end of string'"],
    ["env in prod", "unable to parse requirement: found 'prod' expected: '('"],
    ["a==", undefined],
    ["a=(b)", "unable to parse requirement: found '(', expected: identifier"],
    [
      "a>x",
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    [
      "-x=1",
      `unable to parse requirement: <nil>: Invalid value: "-x": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
    [
      "x.io/y/z=1",
      `unable to parse requirement: <nil>: Invalid value: "x.io/y/z": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
    [
      `k=${"v".repeat(64)}`,
      `unable to parse requirement: values[0][k]: Invalid value: "${"v".repeat(64)}": must be no more than 63 bytes`,
    ],
  ])("answers %s as the server does", (text, message) => {
    let thrown: string | undefined;
    try {
      parseLabelSelector(text);
    } catch (error) {
      thrown = error instanceof Error ? error.message : String(error);
    }
    expect(thrown).toBe(message);
  });

  it("does not find labels that are only inherited properties", () => {
    expect(selected("constructor")).toBe("");
    expect(selected("!toString")).toBe("abdef");
  });
});

describe("matchesLabelSelector", () => {
  it("matches nothing without a selector and everything with an empty one", () => {
    expect(matchesLabelSelector(undefined, { a: "b" })).toBe(false);
    expect(matchesLabelSelector({}, undefined)).toBe(true);
  });

  it("needs every label and every expression", () => {
    const selector = {
      matchLabels: { env: "prod" },
      matchExpressions: [{ key: "tier", operator: "DoesNotExist" }],
    };

    expect(matchesLabelSelector(selector, OBJECTS["d"])).toBe(true);
    expect(matchesLabelSelector(selector, OBJECTS["a"])).toBe(false);
  });

  it("refuses an unknown operator", () => {
    const selector = { matchExpressions: [{ key: "a", operator: "Like", values: ["b"] }] };

    expect(() => matchesLabelSelector(selector, {})).toThrow('"Like" is not a valid label selector operator');
  });

  it("prints as selector text", () => {
    const selector = {
      matchLabels: { z: "1" },
      matchExpressions: [
        { key: "b", operator: "NotIn", values: ["y", "x", "x"] },
        { key: "a", operator: "Exists" },
      ],
    };

    expect(formatLabelSelector(requirementsOf(selector))).toBe("a,b notin (x,y),z=1");
  });
});
