// What compiling makes of the parts of a function: closures over the frame of a call.

import type { Label } from "./ast.ts";
import type { Frame } from "./runtime.ts";
import type { LuaResult, LuaValue } from "./values.ts";

/** Gives one value. */
export type Evaluate = (frame: Frame) => LuaValue;
/** Gives as many values as there are. */
export type EvaluateAll = (frame: Frame) => LuaResult;
/** How a statement ends: with the next one, out of the loop, out of the function, or at the label it returned. */
export type Completion = undefined | "break" | "return" | Label;
export type Execute = (frame: Frame) => Completion;
export type Store = (frame: Frame, value: LuaValue) => void;
