// Programs in Lua that nobody would write, to compare what they do here and in gopher-lua. Each is the body of a function
// that takes a table `a` and returns one text, made of all that it tried, errors included.

import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { FORMATS, NUMBERS, PATTERNS, PRELUDE, STRINGS } from "./program-words.table.ts";

/** A program. Its globals are its own. */
export function randomProgram(dice: Dice): string {
  return `${PRELUDE}${new ProgramWriter(dice).statements(dice.between(3, 8), 0)}\nreturn table.concat(out, " ")`;
}

class ProgramWriter {
  readonly #dice: Dice;
  #locals: string[] = ["a"];
  /** Assigned with others, these confuse gopher-lua when a call is among the values: it overwrites its own registers. */
  readonly #parameters = new Set<string>(["a"]);
  #count = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  statements(count: number, depth: number): string {
    const known = [...this.#locals];
    const lines = Array.from({ length: count }, () => this.#statement(depth));
    this.#locals = known;
    return lines.join("\n");
  }

  #fresh(): string {
    return `v${++this.#count}`;
  }

  #shown(expression: string): string {
    return `show(pcall(function() return ${expression} end))`;
  }

  #statement(depth: number): string {
    const dice = this.#dice;
    const kind = depth > 2 ? dice.between(0, 3) : dice.between(0, 13);
    switch (kind) {
      case 0:
      case 1:
      case 2:
        return this.#shown(this.#expression(3));
      case 3:
        return this.#local();
      case 4:
        return this.#assignment();
      case 5:
        return `if ${this.#guarded()} then\n${this.statements(2, depth + 1)}\nelseif ${this.#guarded()} then\n${this.statements(1, depth + 1)}\nelse\n${this.statements(1, depth + 1)}\nend`;
      case 6:
        return this.#numericFor(depth);
      case 7:
        return this.#genericFor(depth);
      case 8:
        return this.#function(depth);
      case 9:
        return this.#tableWork();
      case 10: {
        const counter = this.#fresh();
        return `local ${counter} = 0\nwhile ${counter} < ${dice.between(0, 4)} do\n${counter} = ${counter} + 1\n${dice.chance(0.3) ? `if ${counter} == 2 then break end\n` : ""}${this.statements(1, depth + 1)}\nend`;
      }
      case 11: {
        const counter = this.#fresh();
        return `local ${counter} = 0\nrepeat\nlocal done = ${counter} >= ${dice.between(0, 3)}\n${counter} = ${counter} + 1\n${this.statements(1, depth + 1)}\nuntil done`;
      }
      case 12:
        return `do\n${this.statements(2, depth + 1)}\nend`;
      default: {
        const label = this.#fresh();
        return `for i = 1, 3 do\nif i == 2 then goto ${label} end\n${this.statements(1, depth + 1)}\nshow(i)\n::${label}::\nend`;
      }
    }
  }

  #local(): string {
    const count = this.#dice.between(1, 3);
    const values = Array.from({ length: this.#dice.between(1, 3) }, () => this.#safe());
    const names = Array.from({ length: count }, () => this.#fresh());
    this.#locals.push(...names);
    return `local ${names.join(", ")} = ${values.join(", ")}\nshow(${names.join(", ")})`;
  }

  // Nothing here may raise: a failing assignment would end the program early, which is fine but says little.
  #assignment(): string {
    const dice = this.#dice;
    const names = this.#locals.filter((name) => !this.#parameters.has(name));
    if (names.length === 0) return `g${dice.between(1, 3)} = ${this.#safe()}`;
    const targets = Array.from({ length: dice.between(1, 3) }, () =>
      dice.chance(0.7) ? dice.pick(names) : `g${dice.between(1, 3)}`,
    );
    const values = Array.from({ length: dice.between(1, 3) }, () => this.#safe());
    return `${targets.join(", ")} = ${values.join(", ")}\nshow(${[...new Set(targets)].join(", ")})`;
  }

  #numericFor(depth: number): string {
    const dice = this.#dice;
    const variable = this.#fresh();
    const bounds = dice.pick([
      "1, 3",
      "3, 1, -1",
      "1, 2, 0.5",
      "0.1, 0.5, 0.1",
      "5, 1",
      "1, 0",
      "-1, 1",
      "1e15, 1e15 + 2",
      "1, 3.5",
    ]);
    this.#locals.push(variable);
    const body = `for ${variable} = ${bounds} do\nshow(${variable})\n${this.statements(1, depth + 1)}\nend`;
    this.#locals = this.#locals.filter((name) => name !== variable);
    return body;
  }

  #genericFor(depth: number): string {
    const [key, value] = [this.#fresh(), this.#fresh()];
    const over = this.#dice.pick([
      ...[
        `pairs(${this.#table(2)})`,
        `ipairs(${this.#table(2)})`,
        `next, ${this.#table(2)}, nil`,
        "ipairs(a.list)",
        "ipairs(a.nested.x.y)",
      ],
      `string.gmatch(${this.#string()}, ${JSON.stringify(this.#dice.pick(["%w+", "(%w)=(%w)", ".", "()%a"]))})`,
    ]);
    this.#locals.push(key, value);
    const body = this.statements(1, depth + 1);
    this.#locals = this.#locals.filter((name) => name !== key && name !== value);
    return `for ${key}, ${value} in ${over} do\nshow(${key}, ${value})\n${body}\nend`;
  }

  #function(depth: number): string {
    const dice = this.#dice;
    const name = this.#fresh();
    const variadic = dice.chance(0.4);
    const parameter = this.#fresh();
    const before = this.#locals;
    this.#locals = [...before, parameter];
    this.#parameters.add(parameter);
    const body = this.statements(dice.between(1, 2), depth + 1);
    const result = dice.pick([
      this.#safe(),
      `${parameter}, ${this.#safe()}`,
      variadic ? "..." : parameter,
      variadic ? "select('#', ...), arg" : "nil",
    ]);
    this.#locals = before;
    const args = Array.from({ length: dice.between(0, 4) }, () => this.#safe());
    const kind = dice.chance(0.5) ? `local function ${name}` : `local ${name} = function`;
    return `${kind}(${parameter}${variadic ? ", ..." : ""})\n${body}\nreturn ${result}\nend\nshow(pcall(${[name, ...args].join(", ")}))`;
  }

  #tableWork(): string {
    const dice = this.#dice;
    const name = this.#fresh();
    const lines = [`local ${name} = ${this.#table(2)}`];
    for (let step = 0; step < dice.between(1, 5); step++) {
      const place = dice.pick(["1", "2", "3", "5", "0", "-1", `#${name}`, `#${name} + 1`, '"k"', "1.5", "true"]);
      const numeric = dice.pick(["1", "2", "3", "5", "0", "-1", `#${name}`, `#${name} + 1`]);
      const action = dice.pick([
        `${name}[${place}] = ${this.#safe()}`,
        `${name}[${place}] = nil`,
        `table.insert(${name}, ${this.#safe()})`,
        `table.insert(${name}, ${numeric}, ${this.#safe()})`,
        `show(table.remove(${name}))`,
        `show(table.remove(${name}, ${numeric}))`,
        `show(table.concat(${name}, ${this.#string()}))`,
        `show(table.concat(${name}, ",", ${numeric}, ${numeric}))`,
        `table.sort(${name})`,
        `table.sort(${name}, function(x, y) return text(x) > text(y) end)`,
        `show(unpack(${name}))`,
        `show(next(${name}, ${place}))`,
        `show(table.getn(${name}), table.maxn(${name}))`,
      ]);
      lines.push(`show(pcall(function() ${action} end))`, `show(${name})`);
    }
    return lines.join("\n");
  }

  /** An expression that raises nothing. */
  #safe(): string {
    const dice = this.#dice;
    return dice.pick([
      () => this.#number(),
      () => this.#string(),
      () => dice.pick(["nil", "true", "false"]),
      () => this.#variable(),
      () => this.#table(1),
      () => `(pcall(function() return ${this.#expression(2)} end))`,
      () => `pcall(function() return ${this.#expression(2)} end)`,
      () => `type(${this.#variable()})`,
      () => `tostring(${this.#number()})`,
      () => `not ${this.#variable()}`,
      () => `${this.#variable()} == ${this.#variable()}`,
      () => `${this.#variable()} or ${this.#number()}`,
      () => `${this.#variable()} and ${this.#string()}`,
    ])();
  }

  #guarded(): string {
    const dice = this.#dice;
    return dice.pick([
      () => `${this.#variable()} == ${this.#variable()}`,
      () => `not ${this.#variable()}`,
      () => this.#variable(),
      () => `#${this.#string()} > ${this.#dice.between(0, 5)}`,
      () => `${this.#number()} < ${this.#number()}`,
    ])();
  }

  #variable(): string {
    return this.#dice.chance(0.15)
      ? this.#dice.pick(["a.n", "a.s", "a.list", "a.f", "a.missing", "g1", "g2"])
      : this.#dice.pick(this.#locals);
  }

  #number(): string {
    return this.#dice.pick(NUMBERS);
  }

  #string(): string {
    return this.#dice.pick(STRINGS);
  }

  #table(depth: number): string {
    const dice = this.#dice;
    const fields = Array.from({ length: dice.between(0, 5) }, () => {
      const value =
        depth > 0 && dice.chance(0.15)
          ? this.#table(depth - 1)
          : dice.pick([this.#number(), this.#string(), "nil", "true"]);
      return dice.pick([
        value,
        value,
        `k${dice.between(1, 4)} = ${value}`,
        `[${dice.pick(["1", "2", "4", "0", "-1", '"x"', "1.5", "true", '"1"'])}] = ${value}`,
      ]);
    });
    return `{${fields.join(dice.pick([", ", "; "]))}}`;
  }

  #expression(depth: number): string {
    const dice = this.#dice;
    if (depth === 0)
      return dice.pick([
        this.#number(),
        this.#string(),
        this.#variable(),
        this.#variable(),
        "nil",
        "true",
        this.#table(0),
      ]);
    const inner = () => this.#expression(depth - 1);
    return dice.pick([
      () => `${inner()} ${dice.pick(["+", "-", "*", "/", "%"])} ${inner()}`,
      () => `${inner()} ${dice.pick(["+", "-", "*", "/", "%"])} ${inner()}`,
      () => `(${inner()}) ^ ${dice.pick(["2", "3", "0", "-1", "0.5", "1"])}`,
      () => `${inner()} ${dice.pick(["==", "~=", "<", "<=", ">", ">="])} ${inner()}`,
      () => `${inner()} .. ${inner()} .. ${inner()}`,
      () => `${inner()} ${dice.pick(["and", "or"])} ${inner()}`,
      () => `${dice.pick(["- ", "not ", "#"])}${inner()}`,
      () => `(${inner()})`,
      () => `${this.#variable()}.${dice.pick(["x", "k1", "nested.x.y[1].z", "list[2]", "s", "n"])}`,
      () => `(${inner()})[${inner()}]`,
      () => this.#call(inner),
      () => this.#call(inner),
      () => this.#call(inner),
      () => this.#call(inner),
      () =>
        `(function(...) return ${dice.pick(["...", "select('#', ...)", "(...)", "arg", "{...}", "select(2, ...)"])} end)(${inner()}, ${inner()})`,
    ])();
  }

  #call(inner: () => string): string {
    const dice = this.#dice;
    const integer = () => dice.pick(["0", "1", "2", "3", "-1", "-2", "5", "100", "-100", "1.5", "nil"]);
    // Beyond the second, levels count calls that are no calls here.
    const level = () => dice.pick(["0", "1", "2", "nil"]);
    const pattern = () => JSON.stringify(dice.pick(PATTERNS));
    const subject = () => dice.pick([this.#string(), this.#string(), "a.s", inner()]);
    return dice.pick([
      () => `string.sub(${subject()}, ${integer()}, ${integer()})`,
      () => `string.byte(${subject()}, ${integer()}, ${integer()})`,
      () => `string.byte(${subject()}, ${integer()})`,
      () => `string.char(${integer()}, ${dice.pick(NUMBERS)}, 65)`,
      () => `string.find(${subject()}, ${pattern()}, ${integer()})`,
      () => `string.find(${subject()}, ${this.#string()}, 1, true)`,
      () => `string.find(${subject()}, ${pattern()})`,
      () => `string.match(${subject()}, ${pattern()})`,
      () => `string.match(${subject()}, ${pattern()}, ${integer()})`,
      () =>
        `string.format(${JSON.stringify(dice.pick(FORMATS))}, ${dice.pick([this.#number(), this.#string(), "nil", "true", `tostring(${inner()})`])})`,
      () =>
        `string.format(${JSON.stringify(dice.pick(FORMATS) + dice.pick(FORMATS))}, ${this.#number()}, ${dice.pick([this.#string(), this.#number()])})`,
      () => `(${subject()}):${dice.pick(["upper", "lower", "len", "reverse"])}()`,
      () => `string.${dice.pick(["rep", "gsub", "dump", "nothing"])}(${subject()}, 2)`,
      () => `tonumber(${dice.pick([this.#string(), inner()])})`,
      () =>
        `tonumber(${dice.pick([this.#string(), '"zz"', '"777"', '"ff"', '"1010"'])}, ${dice.pick(["2", "8", "10", "16", "36", "0", "1", "37"])})`,
      () => `tostring(${inner()} + 0)`,
      () => `type(${inner()})`,
      () => `select(${dice.pick(["1", "2", "-1", "-2", "0", '"#"', "5", '"x"'])}, ${inner()}, ${inner()})`,
      () => `unpack(${this.#table(1)}, ${integer()}, ${dice.pick(["2", "3", "nil"])})`,
      () => `next(${this.#table(1)})`,
      () =>
        `math.${dice.pick(["floor", "ceil", "abs", "sqrt", "modf", "frexp", "deg", "rad"])}(${dice.pick([this.#number(), inner()])})`,
      () =>
        `math.${dice.pick(["max", "min", "fmod", "mod"])}(${dice.pick([this.#number(), inner()])}, ${this.#number()})`,
      () =>
        `string.format("%.9g", math.${dice.pick(["sin", "cos", "exp", "log", "log10", "atan", "tanh"])}(${dice.pick(["0.5", "1", "2", "10", '"0.25"'])}))`,
      () => `math.ldexp(${this.#number()}, ${integer()})`,
      () => `math.pow(${inner()}, 2)`,
      () => `pcall(error, ${inner()})`,
      () => `pcall(error, ${this.#string()}, ${level()})`,
      () => `(function() error(${dice.pick([this.#string(), "{1}", "5", "nil"])}, ${level()}) end)()`,
      () => `assert(${inner()}, ${dice.pick([this.#string(), "nil", "5"])})`,
      () => `xpcall(function() return ${inner()} end, function(m) return "handled " .. tostring(m) end)`,
      () => `${dice.pick(["setmetatable", "rawget", "load", "getfenv", "undefined", "a.s", "a.list"])}(${inner()})`,
      () => `table.concat(${this.#table(1)}, ${dice.pick([this.#string(), "nil", "1"])})`,
      () => `#${this.#table(2)}`,
      () =>
        `os.date(${dice.pick(['"!%Y-%m-%d %H:%M:%S"', '"!%x %X %p %y %a %A %b %B %j %% %"', '"!%c"'])}, ${dice.pick(["0", "86399", "1700000000", "-1"])})`,
      () =>
        `os.time({year = ${dice.pick(["2024", "1999", "1970", '"2000"'])}, month = ${dice.pick(["1", "2", "13", "0", "12"])}, day = ${dice.pick(["1", "29", "31", "0", "-5"])}, hour = ${integer()}})`,
      () =>
        `require(${dice.pick(['"kube"', '"string"', '"nothing"', "5"])}).${dice.pick(["format", "resourceAdd", "x"])}`,
      () =>
        `require("kube").resourceAdd(${dice.pick(['"1"', '"500m"', "nil", '"1Gi"', '"abc"', "5", '"1e3"', '"0.1"'])}, ${dice.pick(['"2"', '"250m"', '"1.5"', '"3Mi"', '"12k"'])})`,
      () =>
        `require("kube").getResourceQuantity(${dice.pick(['"1"', '"500m"', "nil", '"1Gi"', '"0.1"', '"3.3"', '"12k"', '"1e-3"', '"1.5Mi"'])})`,
    ])();
  }
}
