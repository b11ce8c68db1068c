import { checkAny, checkFunction, checkInteger, checkTable, optionalInteger, optionalString } from "./arguments.ts";
import { allocateText, isText, lessThan, textOf, typeName } from "./operators.ts";
import type { NativeFunction, Runtime } from "./runtime.ts";
import { firstOf, isTruthy, type LuaValue, NO_VALUES } from "./values.ts";

/** As long as this, gopher-lua sorts by insertion, and so do we: the comparisons are the same ones. */
const INSERTION_LIMIT = 12;

export const TABLE_FUNCTIONS: Readonly<Record<string, NativeFunction>> = {
  concat: tableConcat,
  getn: (args, runtime) => checkTable(args, 1, runtime).length(runtime),
  insert: (args, runtime) => {
    const table = checkTable(args, 1, runtime);
    if (args.length === 1) throw runtime.error("wrong number of arguments");
    if (args.length === 2) table.append(args[1], runtime);
    else table.insert(checkInteger(args, 2, runtime), checkAny(args, 3, runtime), runtime);
    return NO_VALUES;
  },
  maxn: (args, runtime) => checkTable(args, 1, runtime).length(runtime),
  remove: (args, runtime) => {
    const table = checkTable(args, 1, runtime);
    return table.remove(args.length === 1 ? -1 : checkInteger(args, 2, runtime), runtime);
  },
  sort: (args, runtime) => {
    const table = checkTable(args, 1, runtime);
    const values = [...table.array];
    runtime.allocate(values.length * 16);
    const less = args.length === 1 ? plainOrder(runtime) : orderOf(args, runtime);
    // What a comparison that fails has moved so far stays moved.
    try {
      if (values.length <= INSERTION_LIMIT) sortByInsertion(values, less);
      else mergeSort(values, less, runtime);
    } finally {
      table.replaceArray(values);
    }
    return NO_VALUES;
  },
};

type Less = (a: LuaValue, b: LuaValue) => boolean;

function plainOrder(runtime: Runtime): Less {
  return (a, b) => {
    runtime.take(1);
    return lessThan(a, b, runtime, runtime.line);
  };
}

function orderOf(args: readonly LuaValue[], runtime: Runtime): Less {
  const order = checkFunction(args, 2, runtime);
  return (a, b) => isTruthy(firstOf(runtime.callBack(order, [a, b])));
}

function sortByInsertion(values: LuaValue[], less: Less): void {
  for (let end = 1; end < values.length; end++) {
    for (let at = end; at > 0 && less(values[at], values[at - 1]); at--) {
      [values[at], values[at - 1]] = [values[at - 1], values[at]];
    }
  }
}

// Ends after n log n comparisons whatever they answer.
function mergeSort(values: LuaValue[], less: Less, runtime: Runtime): void {
  let from = values;
  for (let width = 1; width < values.length; width *= 2) {
    const merged: LuaValue[] = [];
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + 2 * width, from.length);
      let left = start;
      let right = middle;
      while (left < middle || right < end) {
        runtime.take(1);
        const takesRight = left >= middle || (right < end && less(from[right], from[left]));
        merged.push(takesRight ? from[right++] : from[left++]);
      }
    }
    from = merged;
  }
  for (let at = 0; at < values.length; at++) values[at] = from[at];
}

function tableConcat(args: LuaValue[], runtime: Runtime): LuaValue {
  const table = checkTable(args, 1, runtime);
  const separator = optionalString(args, 2, "", runtime);
  const length = table.length(runtime);
  let from = optionalInteger(args, 3, 1, runtime);
  const to = Math.min(optionalInteger(args, 4, length, runtime), length);
  if (args.length === 3 && (from > length || from < 1)) return "";
  from = Math.max(Math.min(from, length), 1);
  if (from > to) return "";
  // As gopher-lua: one value alone stays what it is.
  const only = table.at(from);
  if (from === to && isText(only)) return only;
  const parts: string[] = [];
  for (let place = from; place <= to; place++) {
    const value = table.at(place);
    if (!isText(value)) {
      throw runtime.error(`invalid value (${typeName(value)}) at index ${place} in table for concat`);
    }
    const text = textOf(value);
    runtime.take(1);
    allocateText(text.length + separator.length, runtime);
    parts.push(text);
  }
  return parts.join(separator);
}
