// The globals of a fresh environment. The functions are the same objects for all calls, the tables are made for each call,
// since scripts may write to them.

import { checkString } from "./arguments.ts";
import { BASE_FUNCTIONS } from "./base-library.ts";
import { KUBE_FUNCTIONS } from "./kube-library.ts";
import { MATH_CONSTANTS, MATH_FUNCTIONS } from "./math-library.ts";
import { callValue } from "./operators.ts";
import { OS_FUNCTIONS } from "./os-library.ts";
import { LibraryFunction, type LuaLimits, type NativeFunction, Runtime } from "./runtime.ts";
import { STRING_FUNCTIONS } from "./string-library.ts";
import type { TableSource } from "./table.ts";
import { TABLE_FUNCTIONS } from "./table-library.ts";
import { firstOf, isTruthy, LuaFunction, LuaTable, LuaUserdata, type LuaValue } from "./values.ts";

/** A fixed set of values; those in `own` belong to one environment. */
class LibrarySource implements TableSource<LuaValue> {
  readonly #shared: ReadonlyMap<string, LuaValue>;
  readonly #own: ReadonlyMap<string, LuaValue>;

  constructor(shared: ReadonlyMap<string, LuaValue>, own: ReadonlyMap<string, LuaValue> = NOTHING) {
    this.#shared = shared;
    this.#own = own;
  }

  get(key: string): LuaValue {
    return this.#own.get(key) ?? this.#shared.get(key);
  }

  keys(): Iterable<string> {
    return [...this.#own.keys(), ...this.#shared.keys()];
  }

  list(): undefined {
    return undefined;
  }
}

const NOTHING: ReadonlyMap<string, LuaValue> = new Map();
const base = functionsOf(BASE_FUNCTIONS, { _VERSION: "Lua 5.1", _GOPHER_LUA_VERSION: "GopherLua 0.1" });
const strings = functionsOf(STRING_FUNCTIONS);
const tables = functionsOf(TABLE_FUNCTIONS);
const math = functionsOf(MATH_FUNCTIONS, MATH_CONSTANTS);
const os = functionsOf(OS_FUNCTIONS);
const kube = functionsOf(KUBE_FUNCTIONS);
const loadKube = new LibraryFunction(() => libraryTable(kube));
const package_ = functionsOf({
  loadlib: (_args, runtime) => {
    throw runtime.error("loadlib is not supported");
  },
});
const loop = new LuaUserdata("loading");

/** A runtime whose globals are those of Karmada's sandbox. */
export function freshRuntime(chunk: string, limits: LuaLimits): Runtime {
  const own = new Map<string, LuaValue>();
  const globals = libraryTable(base, own);
  const runtime = new Runtime(chunk, limits, globals);
  const stringOwn = new Map<string, LuaValue>();
  runtime.strings = libraryTable(strings, stringOwn);
  stringOwn.set("__index", runtime.strings);
  own.set("_G", globals);
  own.set("string", runtime.strings);
  own.set("table", libraryTable(tables));
  own.set("math", libraryTable(math));
  own.set("os", libraryTable(os));
  runtime.loadedModules = libraryTable(NOTHING, new Map(own));
  own.set("require", requireModule);
  own.set(
    "package",
    libraryTable(
      package_,
      new Map([
        ["preload", libraryTable(preload)],
        ["loaded", runtime.loadedModules],
        ["loaders", runtime.moduleLoaders],
      ]),
    ),
  );
  return runtime;
}

const preload: ReadonlyMap<string, LuaValue> = new Map([["kube", loadKube]]);

const requireModule = new LibraryFunction((args, runtime) => {
  const name = checkString(args, 1, runtime);
  const loaded = runtime.loadedModules;
  const known = loaded.getText(name);
  if (known === loop) throw runtime.error(`loop or previous error loading module: ${name}`);
  if (isTruthy(known)) return known;
  const load = findLoader(name, runtime);
  loaded.setText(name, loop, runtime);
  const result = firstOf(runtime.callBack(load, [name]));
  const stored = loaded.getText(name);
  if (stored !== loop) return stored;
  loaded.setText(name, result ?? true, runtime);
  return result ?? true;
});

function findLoader(name: string, runtime: Runtime): LuaFunction {
  const messages: string[] = [];
  for (let place = 1; ; place++) {
    // What scripts add to the list is asked behind the loader that is always there.
    const loader = place === 1 ? preloaded : runtime.moduleLoaders.at(place);
    if (loader === undefined) {
      throw runtime.error(`module ${name} not found:\n\t${messages.join("\n\t")}, `);
    }
    const found = firstOf(callValue(loader, [name], runtime, runtime.line ?? 0));
    if (found instanceof LuaFunction) return found;
    if (typeof found === "string") messages.push(found);
  }
}

const preloaded = new LibraryFunction((args, runtime) => {
  const name = checkString(args, 1, runtime);
  const library = runtime.globals.getText("package");
  const table = library instanceof LuaTable ? library.getText("preload") : undefined;
  if (!(table instanceof LuaTable)) throw runtime.error("package.preload must be a table");
  return table.getText(name) ?? `no field package.preload['${name}']`;
});

function libraryTable(shared: ReadonlyMap<string, LuaValue>, own?: ReadonlyMap<string, LuaValue>): LuaTable {
  return new LuaTable(new LibrarySource(shared, own));
}

function functionsOf(
  functions: Readonly<Record<string, NativeFunction>>,
  constants: Readonly<Record<string, LuaValue>> = {},
): ReadonlyMap<string, LuaValue> {
  const entries = Object.entries(functions).map(([name, native]) => [name, new LibraryFunction(native)] as const);
  return new Map<string, LuaValue>([...entries, ...Object.entries(constants)]);
}
