// All areas of the kustomize fuzz; inputs are drawn from them in turn.
import type { Area } from "./area.ts";
import { mixed } from "./areas/mixed.ts";

export const AREAS: readonly Area[] = [mixed];
