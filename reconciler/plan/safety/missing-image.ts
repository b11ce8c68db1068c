// New images that registries do not have.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { objectName } from "../../reports/words.ts";
import { newImages } from "./new-images.ts";
import type { CheckImage, ImageState } from "./registry-check.ts";
import { about, type ReviewedChange } from "./reviewed-change.ts";

/** Registries are asked about no more than so many. */
const MOST_IMAGES = 100;

/** A change that names more images than that is told of the rest. */
export async function missingImages(change: ReviewedChange, checkImage: CheckImage): Promise<readonly ReportFinding[]> {
  const users = newImages(change);
  const images = [...new Set(users.map(({ image }) => image))];
  const asked = images.slice(0, MOST_IMAGES);
  const states = new Map(await mapLimit(asked, 4, async (image) => [image, await checkImage(image)] as const));
  const found = users.flatMap(({ ref, field, image, clusters }): ReportFinding[] => {
    const state = states.get(image);
    const told = state === undefined ? undefined : wordsOf(state, image, objectName(ref));
    if (told === undefined) return [];
    return [{ ...told, ...about(change, ref), field, ...(clusters.length === 0 ? {} : { clusters: [...clusters] }) }];
  });
  const left = images.length - asked.length;
  if (left === 0) return found;
  return [
    ...found,
    {
      rule: "image-unchecked",
      severity: "notice",
      message: `of ${left} more images it is not known whether registries have them: no more than ${MOST_IMAGES} are asked for`,
    },
  ];
}

function wordsOf(
  state: ImageState,
  image: string,
  user: string,
): Pick<ReportFinding, "rule" | "severity" | "message" | "advice"> | undefined {
  switch (state.state) {
    case "found":
      return undefined;
    case "missing":
      return {
        rule: "image-not-found",
        severity: "error",
        message: `pods of ${user} will not start: image \`${image}\` is not there, ${state.why}`,
        advice: "push the image first, or correct its name",
      };
    default:
      return {
        rule: "image-unchecked",
        severity: "notice",
        message: `it is not known whether image \`${image}\` is there: ${state.why}`,
      };
  }
}
