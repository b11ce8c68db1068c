// Names of fields as expressions spell them: `__namespace__`, `a__dash__b`.
import { RESERVED_WORDS } from "./reserved-words.ts";

/** The words of the grammar are no names either. */
const RESERVED: ReadonlySet<string> = new Set(["true", "false", "null", "in", ...RESERVED_WORDS]);
const SPELLINGS: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** The name of a field in expressions; undefined for names that none can spell. */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(/__|[-./]/g, (part) => SPELLINGS[part]!);
}

/** Whether a word is none that expressions may use for a field as it is. */
export function isReservedWord(name: string): boolean {
  return RESERVED.has(name);
}
