import type { ObjectRef } from "../../../kube/object.ts";
import { STATUS_INSIDE } from "./define-kinds.ts";
import { eventually } from "./eventually.ts";
import type { Plane } from "./plane.ts";

/**
 * Writes the status of a copy as its controller in the member would: for the generation that is there, once it is.
 */
export async function writeMemberStatus(
  plane: Plane,
  member: string,
  ref: ObjectRef,
  status: (generation: number) => Readonly<Record<string, unknown>>,
): Promise<void> {
  const { client } = plane.member(member);
  const isInside = STATUS_INSIDE.includes(`${ref.apiVersion} ${ref.kind}`);
  await eventually(async () => {
    const copy = await client.get(ref);
    const written = { ...copy, status: status(copy.metadata.generation ?? 0) };
    await client.update(written, isInside ? {} : { subresource: "status" });
  });
}
