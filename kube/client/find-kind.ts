import type { ResourceInfo } from "./rest-mapper.ts";

/** A kind by any of its names: plural, singular, kind, short name, with or without `.group`. Preferred versions first. */
export function findKind(resources: readonly ResourceInfo[], word: string): ResourceInfo | undefined {
  const wanted = word.toLowerCase();
  const matches = resources.filter((info) =>
    [info.plural, info.singular, info.kind.toLowerCase(), ...info.shortNames].some(
      (name) => name === wanted || `${name}.${info.group}` === wanted,
    ),
  );
  return matches.find((info) => info.preferred) ?? matches[0];
}
