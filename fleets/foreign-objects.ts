// Objects that were in a member before us, under the name of one of ours.
import { describeRef, type KubeObject, refOf } from "../kube/object.ts";
import { AppError } from "../runtime/errors.ts";
import { MANAGED_LABEL, type Member } from "./member.ts";

const CONFLICT_RESOLUTION = "work.karmada.io/conflict-resolution";

/** Throws `member-object-foreign` for an object that is not ours, unless the manifest says to overwrite it. */
export function refuseForeign(member: Member, manifest: KubeObject, live: KubeObject): void {
  if (live.metadata.labels?.[MANAGED_LABEL] === "true") return;
  if (manifest.metadata.annotations?.[CONFLICT_RESOLUTION] === "overwrite") return;
  const { kind, metadata } = manifest;
  // The words are Karmada's: users and their alerts know them.
  throw new AppError(
    "member-object-foreign",
    `resource(kind=${kind}, ${metadata.namespace ?? ""}/${metadata.name ?? ""}) already exists in the cluster ${member.name} and the ` +
      `${CONFLICT_RESOLUTION} strategy value is empty, Karmada will not manage this resource`,
    { recovery: "retry", details: { object: describeRef(refOf(manifest)), cluster: member.name } },
  );
}
