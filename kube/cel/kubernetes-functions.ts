// The functions that expressions in Kubernetes objects may use: those of kube-apiserver 1.36.
import { functionTable, type Overload } from "./declarations.ts";
import { AUTHORIZATION } from "./libraries/authorizer.ts";
import { CALENDAR } from "./libraries/calendar.ts";
import { LISTS } from "./libraries/lists.ts";
import { NAMED_FORMATS } from "./libraries/named-formats.ts";
import { NETWORKS } from "./libraries/networks.ts";
import { OPTIONALS } from "./libraries/optionals.ts";
import { PATTERNS } from "./libraries/patterns.ts";
import { QUANTITIES } from "./libraries/quantities.ts";
import { STANDARD } from "./libraries/standard.ts";
import { STRINGS } from "./libraries/strings.ts";
import { URLS } from "./libraries/urls.ts";
import { VERSIONS } from "./libraries/versions.ts";

export const KUBERNETES_LIBRARIES = [
  STANDARD,
  CALENDAR,
  OPTIONALS,
  STRINGS,
  LISTS,
  PATTERNS,
  URLS,
  NETWORKS,
  QUANTITIES,
  VERSIONS,
  NAMED_FORMATS,
  AUTHORIZATION,
] as const;

export const KUBERNETES_FUNCTIONS: ReadonlyMap<string, readonly Overload[]> = functionTable(...KUBERNETES_LIBRARIES);
