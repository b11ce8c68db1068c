import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { compileLua, DEFAULT_LUA_LIMITS } from "./script.ts";

/** The limit that a call of `F` with `args` reaches. */
function limitOf(script: string, args: readonly unknown[] = []): unknown {
  try {
    const compiled = compileLua(script, "<string>");
    compiled.call("F", args, DEFAULT_LUA_LIMITS);
  } catch (error) {
    if (error instanceof AppError)
      return error.code === "lua-limit" ? error.details["limit"] : `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
}

describe("a hostile script is stopped", () => {
  it.each([
    ["an endless loop", "while true do end", "steps"],
    ["an endless loop that does something", "local t = {} while true do t.x = (t.x or 0) + 1 end", "steps"],
    ["an endless repeat", "repeat until false", "steps"],
    ["an endless goto", "::again:: goto again", "steps"],
    ["an endless for", "for i = 1, 2, 0 do end for i = 2, 1, 0 do end", "steps"],
    ["an iterator without end", "for x in function() return 1 end do end", "steps"],
    ["endless tail calls", "local function f() return f() end return f()", "steps"],
    ["a doubled string", "local s = 'x' while true do s = s .. s end", "memory"],
    [
      "a growing string",
      "local s = ('x'):reverse() while true do s = s .. '0123456789012345678901234567890123456789' end",
      "memory",
    ],
    ["a huge array", "local t = {} t[60000000] = 1", "memory"],
    [
      "a growing array",
      "local t = {} while true do t[#t + 1] = {1, 2, 3, 4, 5, 6, 7, 8, {}, {}, {}, {}, {}, {}, {}} end",
      "memory",
    ],
    ["a wide format", "local s = '' for i = 1, 100 do s = string.format('%1000000d', 1) end", "memory"],
    [
      "many wide fields",
      "return string.format('%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)",
      "memory",
    ],
    [
      "a large join",
      "local s = string.format('%1000000d', 1) local t = {} for i = 1, 200 do t[i] = s end return table.concat(t, s)",
      "memory",
    ],
    ["a recursion", "local function f(n) return 1 + f(n + 1) end return f(1)", "depth"],
    ["a recursion through pcall", "local function f() return (pcall(f)) end return f()", "depth"],
    [
      "a recursion through sort",
      "local function f(a, b) table.sort({1, 2}, f) return a < b end return f(1, 2)",
      "depth",
    ],
    ["a recursion through strings", "string.__index = function(s, k) return s[k] end return ('x').y", "depth"],
    [
      "a comparison without end",
      "local t = {} for i = 1, 40000 do t[i] = i end table.sort(t, function(a, b) for i = 1, 10 do end return true end)",
      "steps",
    ],
    [
      "a pattern that blows up",
      "return ('a'):find(('a*'):reverse()) or string.find(string.format('%0100d', 0), '0-0-0-0-0-0-0-0-0-0-1')",
      "steps",
    ],
    [
      "an expensive pattern again and again",
      "local s = string.format('%0100000d', 0) for i = 1, 1000 do s:find('.-x') end",
      "steps",
    ],
    ["steps inside pcall", "while true do pcall(function() while true do end end) end", "steps"],
    ["steps inside xpcall", "xpcall(function() while true do end end, function() while true do end end)", "steps"],
    [
      "values without number",
      "local t = {} for i = 1, 400 do t[i] = i end local function f(...) return select('#', ...) + f(unpack(t)) end return f()",
      "depth",
    ],
    ["closures without end", "local f = print while true do local g = f f = function() return g end end", "steps"],
  ])("%s", (_what, body, limit) => {
    expect(limitOf(`function F() ${body} end`)).toBe(limit);
  });

  it("outside of functions too", () => {
    expect(limitOf("while true do end")).toBe("steps");
  });

  it("when its text nests without end", () => {
    expect(limitOf(`function F() return ${"(".repeat(100_000)}1${")".repeat(100_000)} end`)).toMatch(
      /lua-syntax-error.*nested/,
    );
    expect(limitOf(`function F() return ${"{".repeat(100_000)}`)).toMatch(/lua-syntax-error.*nested/);
    expect(limitOf(`function F() return ${"-".repeat(1)}${"not ".repeat(100_000)}1 end`)).toMatch(
      /lua-syntax-error.*nested/,
    );
    expect(limitOf(`function F() ${"do ".repeat(100_000)}`)).toMatch(/lua-syntax-error.*nested/);
    expect(limitOf(`function F() return f${"()".repeat(100_000)} end`)).toMatch(/lua-syntax-error.*nested/);
    expect(limitOf(`function F() return 1${" + 1".repeat(100_000)} end`)).toMatch(/lua-syntax-error.*nested/);
    expect(limitOf(`${"function F() ".repeat(100_000)}`)).toMatch(/lua-syntax-error.*nested/);
  });

  it("when its arguments nest without end and it looks or does not look", () => {
    expect(limitOf("function F(o) return o end", [nested(100_000)])).toBe("depth");
    expect(limitOf("function F(o) while o.a do o.a.x = 1 o = o.a end return 1 end", [nested(10_000)])).toBe("none");
  });

  it("when its result nests without end", () => {
    expect(limitOf("function F() local t = {} for i = 1, 10000 do t = {t} end return t end")).toBe("depth");
  });

  it("and says where", () => {
    const script = compileLua(
      "function F()\n  local n = 0\n  n = tostring(n)\n  while true do\n    tostring(n)\n  end\nend",
      "<string>",
    );

    expect(() => script.call("F", [], DEFAULT_LUA_LIMITS)).toThrow("line 5: the script took more than 200000 steps");
  });
});

describe("limits", () => {
  it("are the same for the same script", () => {
    const script = compileLua("function F() n = 0 while true do n = n + 1 print(n) end end", "<string>");
    const last = () => {
      let line = "";
      const print = (text: string) => {
        line = text;
      };
      expect(() => script.call("F", [], { ...DEFAULT_LUA_LIMITS, print })).toThrow("steps");
      return line;
    };

    expect(last()).toBe(last());
  });

  it("leave a function that calls itself at its end alone", () => {
    const script = compileLua(
      "local function f(n) if n == 0 then return 'done' end return f(n - 1) end F = f",
      "<string>",
    );

    expect(script.call("F", [20_000], DEFAULT_LUA_LIMITS)).toEqual(["done"]);
  });

  it("allow the recursion that gopher-lua allows", () => {
    const script = compileLua(
      "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end F = f",
      "<string>",
    );

    expect(script.call("F", [200], DEFAULT_LUA_LIMITS)).toEqual([200]);
  });
});

describe("random numbers", () => {
  it("are the same in every call, so that a script decides the same about the same objects", () => {
    const script = compileLua("function F() return math.random(1000), math.random() end", "<string>");

    expect(script.call("F", [], DEFAULT_LUA_LIMITS)).toEqual(script.call("F", [], DEFAULT_LUA_LIMITS));
  });
});
