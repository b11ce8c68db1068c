// What random programs are made of.

/** What `a` is. */
export const PROGRAM_ARGUMENT = {
  n: 3,
  f: 2.5,
  s: "héllo wörld",
  t: true,
  list: [3, 1, 2],
  empty: {},
  nested: { x: { y: [{ z: "deep" }, { z: "er" }] } },
  "dotted.key/x": "v",
};

/** Defines `show`, which notes values of any type in `out`. */
export const PRELUDE = `
local out, n = {}, 0
local function text(v)
  local t = type(v)
  if t == "string" or t == "number" or t == "boolean" or t == "nil" then return t:sub(1, 1) .. ":" .. tostring(v) end
  if t ~= "table" then return t end
  -- In whatever order Go hands over the keys of a map.
  if v == a then return "a" end
  local parts = {}
  for k, w in pairs(v) do
    parts[#parts + 1] = tostring(type(k) == "table" or type(k) == "function" and type(k) or k) .. "=" .. (type(w) == "table" and "{#" .. #w .. "}" or type(w) == "function" and "f" or tostring(w))
  end
  return "{" .. table.concat(parts, ",") .. "}#" .. #v
end
local function show(...)
  for i = 1, select("#", ...) do
    n = n + 1
    out[n] = text((select(i, ...)))
  end
  n = n + 1
  out[n] = "|"
end
`;

export const NUMBERS = [
  ...[
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "-1",
    "-2",
    "0.5",
    "1.5",
    "-2.5",
    "100",
    "255",
    "256",
    "1e3",
    "1e15",
    "1e16",
    "1e21",
  ],
  ...["0x10", "0xff", "007", "08", "3.14159", "1e-7", "123456789", "2147483648", "9007199254740993", "(0/0)", "(1/0)"],
  ...["(-1/0)", "-0", "0.1", "1e100", "4294967296", "1234567.5", "123456.75", "0.0001", "0.00001", "2^53", "2^63"],
];
export const STRINGS = [
  ...[
    '""',
    '"a"',
    '"abc"',
    '"hello world"',
    '"10"',
    '"0x1F"',
    '" 5 "',
    '"1e2"',
    '"-3.5"',
    '"foo=bar, baz=qux"',
    "'it''s'",
  ],
  ...[
    '"a\\nb"',
    '"\\0x\\1"',
    '"\\195\\169"',
    '"\\255\\254"',
    "[[long\nstring]]",
    "[==[a]]b]==]",
    '"%d items"',
    '"12abc"',
    '"1_0"',
  ],
  ...[
    '"nan"',
    '"inf"',
    '"A.B-C"',
    '"key: value"',
    '"a,b,,c"',
    '"((x))"',
    '"\\065\\066"',
    '"[x]"',
    '"日本"',
    '"ÄÖ"',
    '"0b11"',
    '"017"',
  ],
].filter((text) => text !== "'it''s'");
export const PATTERNS = [
  ...[
    "a",
    ".",
    "%a+",
    "%d*",
    "%s",
    "[abc]",
    "[^a-z]",
    "(%w+)",
    "(%w+)=(%w+)",
    "^h",
    "o$",
    "l-o",
    "()l()",
    "%bxy",
    "%b()",
  ],
  ...[
    "(l)%1",
    "[%w_]+",
    ".-,",
    "%.",
    "^(.-)%s*$",
    "x?",
    "[a-]",
    "[]]",
    "[^]]",
    "%x%x",
    "(a*(.)%w(%s*))",
    "^$",
    "",
    "%u",
    "[%a-z]",
  ],
  ...[
    "(",
    ")",
    "[a",
    "%",
    "%0",
    "%1",
    "a**",
    "*a",
    "(()",
    "%f[%w]",
    "a-$",
    "é",
    "[é]",
    "%z",
    "%c",
    "%p+",
    "[0-9-]",
    "(.)(.)(.)",
  ],
];
export const FORMATS = [
  ...[
    "%d",
    "%5d",
    "%-5d|",
    "%05d",
    "%+d",
    "%x",
    "%X",
    "%o",
    "%s",
    "%10s",
    "%-10s|",
    "%.2s",
    "%q",
    "%f",
    "%.3f",
    "%10.2f",
    "%e",
  ],
  ...[
    "%.0f",
    "%g",
    "%.3g",
    "%G",
    "%c",
    "%i",
    "%%",
    "%5%",
    "%",
    "%s %s",
    "%d%%",
    "%v",
    "%t",
    "%u",
    "%T",
    "%08.3f",
    "%.10g",
    "%#x",
  ],
  ...[
    "% d",
    "%.3d",
    "%6.2d",
    "%x %s",
    "%b",
    "%U",
    "%5t",
    "%s%d%f",
    "%é",
    "%z",
    "%-08d|",
    "%+.2e",
    "%.15g",
    "%.20f",
    "%[1]d",
    "%*d",
  ],
];
