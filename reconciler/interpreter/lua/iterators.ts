// The iterators behind `pairs` and `ipairs`, which loops recognise.

import { checkInteger, checkTable } from "./arguments.ts";
import { LibraryFunction } from "./runtime.ts";
import { type LuaFunction, LuaValues, NO_VALUES } from "./values.ts";

export const pairsIterator: LuaFunction = new LibraryFunction((args, runtime) => {
  const found = checkTable(args, 1, runtime).next(args[1], runtime);
  return found === undefined ? NO_VALUES : new LuaValues(found);
});

export const ipairsIterator: LuaFunction = new LibraryFunction((args, runtime) => {
  const table = checkTable(args, 1, runtime);
  const place = checkInteger(args, 2, runtime) + 1;
  const value = table.at(place);
  return value === undefined ? NO_VALUES : new LuaValues([place, value]);
});
