// Who wrote a field, in words, the same in every report.
import type { Writer } from "../../renderers/rendered.ts";

/** `← overlays/prod/kustomization.yaml:7 patches[0] (overlays/prod/limits.yaml)`. */
export function writerText({ by, file, field, line, patch }: Writer): string {
  const place = line === undefined ? file : `${file}:${line}`;
  const inside = patch === undefined ? "" : ` (${patch})`;
  return `← ${place} ${field ?? by}${inside}`;
}
