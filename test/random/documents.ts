// Random YAML and JSON texts as people keep them in ConfigMaps, with what parsers and printers treat differently.
import type { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";

const YAML_SCALARS = [
  "info",
  "y",
  "No",
  "on",
  "~",
  "null",
  "",
  "true",
  "TRUE",
  "'y'",
  '"no"',
  "1",
  "01",
  "0x1F",
  "0o17",
  "1_000",
  "1.0",
  "1.50",
  "1e3",
  "-0",
  ".5",
  "1.",
  "190:20:30",
  "9007199254740993",
  "18446744073709551615",
  "123456789012345678901234567890",
  "3.14159265358979",
  "12345678.5",
  "1e21",
  "2020-01-02",
  "2001-12-14t21:59:43.10-05:00",
  "a: b".replace(": ", ":"),
  "a #b",
  "a#b",
  '"line\\nbreak"',
  '"tab\\there"',
  '"\\u00e9"',
  "é",
  "日本",
  "😀",
  "'it''s'",
  "[a, y, 1]",
  "{a: 1, y: no}",
  "[]",
  "{}",
  "!!str 1",
  "!!int '3'",
  "=",
  "<<",
  "-",
  "- ",
  "@a",
  "%b",
  "`c",
  "*nothing",
  "a:",
  "? b",
  "|\n    two\n    lines\n",
  "|-\n    two\n    lines",
  ">\n    folded\n    text\n",
  "|+\n    kept\n\n",
  "a very long line that goes on and on and on so that the printer folds it at some place behind eighty",
  '"a very long line \\"quoted\\" that goes on and on and on so that the printer folds it at some place: "',
];
const KEYS = ["feature", "y", "b10", "b9", "1", "1.5", "true", "~", "'q'", "ключ", "a b", "n", "t", "B", '"x\\ty"'];

/** Mostly a map with `log` and `limits`; sometimes a list, several documents, or nothing at all. */
export function randomYamlText(dice: Dice): string {
  const roll = dice.next();
  if (roll < 0.04)
    return dice.pick(["", "\n", "# only a remark\n", "---\n", "~", "text", "1", "--- {}\n...\n", "[]", "{}"]);
  if (roll < 0.07)
    return dice.pick(["a: 1\n---\nb: 2\n", "log: {\n", "log:\n\t- a\n", "a: *x\n", "a: b: c\n", "x: [1, 2\n"]);
  const scalar = (): string => dice.pick(YAML_SCALARS);
  const lines: string[] = [];
  if (dice.chance(0.1)) lines.push("---");
  if (dice.chance(0.15)) {
    lines.push(`- ${scalar()}`, `- name: ${scalar()}`, "- [1, 2]");
    return finished(lines, dice);
  }
  if (dice.chance(0.2)) lines.push("# a remark");
  lines.push("log:", `  level: ${scalar()}${dice.chance(0.2) ? " # why" : ""}`);
  const indent = dice.pick(["", "  "]);
  lines.push("  sinks:", `  ${indent}- stdout`, `  ${indent}- ${scalar()}`);
  if (dice.chance(0.3)) lines.push("limits: {rps: 100, burst: 1.5}");
  else lines.push("limits:", `  rps: ${scalar()}`);
  if (dice.chance(0.2)) lines.push("base: &base", "  x: 1", "  y: 2", "derived:", "  <<: *base", "  y: 3");
  if (dice.chance(0.2)) lines.push("a/b: 1", "m~n: 2");
  for (const key of dice.some(KEYS, 0.25)) lines.push(`${key}: ${scalar()}`);
  if (dice.chance(0.05)) lines.push("log: twice");
  return finished(lines, dice);
}

function finished(lines: readonly string[], dice: Dice): string {
  const text = lines.join(dice.chance(0.07) ? "\r\n" : "\n");
  const end = dice.pick(["\n", "\n", "\n", "", "\n\n", "\n# the end\n"]);
  return `${dice.chance(0.02) ? "\ufeff" : ""}${text}${end}`;
}

const JSON_SCALARS = [
  '"info"',
  '"\\u0041\\u00e9"',
  '"\\ud83d\\ude00"',
  '"<b>&\\u2028"',
  '"a\\/b"',
  '"\\b\\f\\n\\r\\t"',
  '"é 日本 😀"',
  "1",
  "1.0",
  "1E3",
  "1e+03",
  "-0",
  "0.10",
  "9007199254740993",
  "123456789012345678901234567890",
  "true",
  "null",
  "[]",
  "{}",
  "[ 1 , 2 ]",
  '{ "x" : 1, "x": 2 }',
  '{"<": ">"}',
  '""',
];
const JSON_KEYS = ['"feature"', '"b10"', '"b9"', '"\\u0041"', '"<k>"', '""', '"a/b"', '"m~n"', '"n"', '"\\b"', '"é"'];

/** Mostly an object with `log` and `limits`; sometimes a list, a scalar, or no JSON at all. */
export function randomJsonText(dice: Dice): string {
  const roll = dice.next();
  if (roll < 0.05) return dice.pick(["", " ", "null", "5", '"text"', "[]", "{}", " [1]", "[1]", "\n{}", "[null]"]);
  if (roll < 0.08) return dice.pick(["{", "{a: 1}", "{'a': 1}", '{"a": 1,}', '{"a": 01}', "// c\n{}", '{"a": 1} {}']);
  const scalar = (): string => dice.pick(JSON_SCALARS);
  const [space, line] = dice.pick([
    ["", ""],
    [" ", ""],
    ["  ", "\n  "],
    ["\t", "\r\n\t"],
  ]);
  if (dice.chance(0.12)) return `[${space}${scalar()},${line}{"name":${space}${scalar()}},${line}${scalar()}]`;
  const members = [
    `"log":${space}{"level":${space}${scalar()},${line}"sinks":${space}["stdout",${space}${scalar()}]}`,
    `"limits":${space}{"rps":${space}${scalar()}}`,
    ...dice.some(JSON_KEYS, 0.25).map((key) => `${key}${space}:${space}${scalar()}`),
    ...(dice.chance(0.1) ? [`"n":1`, `"n":${scalar()}`] : []),
  ];
  return `${dice.chance(0.1) ? "\n" : ""}{${line}${members.join(`,${line}`)}${line === "" ? "" : "\n"}}${dice.chance(0.3) ? "\n" : ""}`;
}
