import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { compileLua, DEFAULT_LUA_LIMITS, type LuaLimits } from "./script.ts";

function run(body: string, args: readonly unknown[] = [], limits: Partial<LuaLimits> = {}): readonly unknown[] {
  return compileLua(body, "<string>").call("F", args, { ...DEFAULT_LUA_LIMITS, ...limits });
}

function failure(act: () => unknown): { readonly code: string; readonly message: string; readonly details: unknown } {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message, details: error.details };
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a script", () => {
  it("gets JSON data and gives JSON data", () => {
    const object = { spec: { replicas: 3, names: ["a", "b"] } };

    const [replicas, names] = run("function F(o) return o.spec.replicas + 1, o.spec.names end", [object]);

    expect(replicas).toBe(4);
    expect(names).toEqual(["a", "b"]);
  });

  it("never changes its arguments", () => {
    const object = Object.freeze({ spec: Object.freeze({ replicas: 3, paused: true }), list: Object.freeze([1, 2]) });

    const [result] = run(
      "function F(o) o.spec.replicas = 5; o.spec.paused = nil; o.list[3] = 3; o.status = {ready = true}; return o end",
      [object],
    );

    expect(object).toEqual({ spec: { replicas: 3, paused: true }, list: [1, 2] });
    expect(result).toEqual({ spec: { replicas: 5 }, list: [1, 2, 3], status: { ready: true } });
  });

  it("starts each call with fresh globals", () => {
    const script = compileLua("function F() count = (count or 0) + 1; string.len = nil; return count end", "<string>");

    expect(script.call("F", [], DEFAULT_LUA_LIMITS)).toEqual([1]);
    expect(script.call("F", [], DEFAULT_LUA_LIMITS)).toEqual([1]);
  });

  it("cannot tell an empty table from an empty list, and loses nulls", () => {
    const [result] = run("function F(o) return o end", [{ a: {}, b: [], c: null, d: [1, null, 2], e: { f: {} } }]);

    expect(result).toEqual({ a: [], b: [], d: [1, 2], e: { f: [] } });
  });

  it("sees only the own fields of its arguments", () => {
    const object = JSON.parse('{"__proto__": {"x": 1}, "toString": "y"}') as unknown;

    const [proto, text, constructor_] = run("function F(o) return o.__proto__.x, o.toString, o.constructor end", [
      object,
    ]);

    expect([proto, text, constructor_]).toEqual([1, "y", null]);
  });

  it("counts the bytes of text, and gives text back whole", () => {
    const [length, first, upper, key] = run("function F(o) return #o.t, o.t:byte(1), o.t:upper(), o['é'] end", [
      { t: "né€😀", é: 7 },
    ]);

    expect([length, first, upper, key]).toEqual([10, 110, "NÉ€😀", 7]);
  });

  it("takes integers too long for a double as the nearest double", () => {
    expect(run("function F(o) return o end", [{ n: 9007199254740993n }])).toEqual([{ n: 9007199254740992 }]);
  });

  it("gives only the values that are wanted", () => {
    const script = compileLua("function F() return 1, print end", "<string>");

    expect(script.call("F", [], DEFAULT_LUA_LIMITS, 1)).toEqual([1]);
    expect(failure(() => script.call("F", [], DEFAULT_LUA_LIMITS)).code).toBe("lua-error");
  });

  it("hands what it prints to whoever asks", () => {
    const lines: string[] = [];

    run('function F() print("replicas", 3) end', [], { print: (line) => lines.push(line) });

    expect(lines).toEqual(["replicas\t3"]);
  });

  it("has the time that the caller gives", () => {
    expect(run('function F() return os.time(), os.date("!%F %X") end', [], { now: 1_700_000_000_123 })).toEqual([
      1_700_000_000,
      "2023-11-14 22:13:20",
    ]);
  });
});

describe("a failing script", () => {
  it("tells line and column of what is no Lua", () => {
    const { code, details, message } = failure(() => compileLua("function F()\n  return 1 +\nend", "retain.lua"));

    expect(code).toBe("lua-syntax-error");
    expect(details).toEqual({ line: 3, column: 1 });
    expect(message).toBe("retain.lua line:3(column:1) near 'end': syntax error");
  });

  it("tells the line of an error", () => {
    const { code, details, message } = failure(() => run("function F(o)\n  return o.spec.replicas\nend", [{}]));

    expect(code).toBe("lua-error");
    expect(details).toEqual({ line: 2 });
    expect(message).toBe("<string>:2: attempt to index a non-table object(nil) with key 'replicas'");
  });

  it("is told when the function is missing or is none", () => {
    expect(failure(() => run("x = 1")).message).toBe("not found function F");
    expect(failure(() => run("F = 1"))).toMatchObject({ code: "lua-function-missing" });
  });

  it.each([
    ["function", "{f = print}", "cannot encode function to JSON"],
    ["keys of two types", "{1, a = 2}", "cannot encode mixed or invalid key types"],
    ["a gap", "{1, nil, 3}", "cannot encode sparse array"],
    ["a number that is none", "{n = 0 / 0}", "cannot encode NaN to JSON"],
  ])("is refused a result with %s", (_what, result, problem) => {
    const { code, message } = failure(() => run(`function F() return ${result} end`));

    expect(code).toBe("lua-error");
    expect(message).toContain(problem);
  });

  it("is refused a table that is in the result twice", () => {
    const { message } = failure(() => run("function F() local t = {1}; return {a = t, b = t} end"));

    expect(message).toContain("recursively nested tables");
  });
});
