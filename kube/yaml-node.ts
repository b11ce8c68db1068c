// A YAML document as text was written: before anyone decided whether `yes` is a word or a boolean.

export interface YamlScalar {
  readonly kind: "scalar";
  /** The text after unquoting, unfolding and unescaping. */
  readonly text: string;
  /** True when the text stood without quotes and not as a block, so that it may mean a number, a boolean or null. */
  readonly plain: boolean;
  /** True for text in single quotes. */
  readonly single?: boolean;
  /** The kind of block that the text was, if it was one. */
  readonly block: "literal" | "folded" | undefined;
  /** An explicit tag in its short form (`!!int`, `!Ref`). */
  readonly tag: string | undefined;
  /** Position in the text of the file, in UTF-16 units; of the value itself, not of its tag or anchor. */
  readonly offset: number;
}

export interface YamlEntry {
  readonly key: YamlScalar;
  readonly value: YamlNode;
}

export interface YamlMap {
  readonly kind: "map";
  readonly entries: readonly YamlEntry[];
  /** True when it is written in braces. */
  readonly flow: boolean;
  readonly offset: number;
}

export interface YamlSequence {
  readonly kind: "sequence";
  readonly items: readonly YamlNode[];
  /** True when it is written in brackets. */
  readonly flow: boolean;
  readonly offset: number;
}

/** Aliases and merge keys are expanded already. Nodes are shared between the places that refer to one anchor. */
export type YamlNode = YamlScalar | YamlMap | YamlSequence;
