// The rules for well-known custom resources, product by product.

import type { RulesByKind } from "../kind-rules.ts";
import { BATCH_RULES } from "./batch.ts";
import { PLATFORM_RULES } from "./platform.ts";
import { WORKLOAD_RULES } from "./workloads.ts";

/** Kinds that Karmada ships customizations for, and answers as those do; `MORE_RULES` knows further ones. */
export const THIRD_PARTY_RULES: RulesByKind = {
  ...WORKLOAD_RULES.karmada,
  ...BATCH_RULES.karmada,
  ...PLATFORM_RULES.karmada,
};

/** Kinds and versions that Karmada knows nothing of. Off with `compatibility: karmada`. */
export const MORE_RULES: RulesByKind = { ...WORKLOAD_RULES.more, ...BATCH_RULES.more, ...PLATFORM_RULES.more };
