// Which nodes the pods of a custom resource can run on, where it says so in fields of its own.

import { type Fields, fieldsAt, objectsAt } from "../../field-access.ts";
import { withoutEmpties } from "./empties.ts";

/**
 * The claim that `nodeSelector`, `tolerations` and `hardNodeAffinity` of a pod make; undefined when none of them is
 * written. As Karmada: one that is written and empty makes an empty claim.
 */
export function writtenNodeClaim(claim: Fields): Fields | undefined {
  if (Object.values(claim).every((value) => value === undefined || value === null)) return undefined;
  return {
    ...claim,
    nodeSelector: withoutEmpties(fieldsAt(claim, "nodeSelector")),
    tolerations: withoutEmpties(objectsAt(claim, "tolerations").map(withoutBlanks)),
  };
}

// An empty text is how an absent field of a toleration is read.
function withoutBlanks(toleration: Fields): Fields {
  return Object.fromEntries(Object.entries(toleration).filter(([, value]) => value !== ""));
}
