// Images whose tag says nothing about what runs.
import type { ReportFinding } from "../../../api/plan-report.ts";
import { parseImage } from "../../overrides/image-reference.ts";
import { objectName } from "../../reports/words.ts";
import { newImages } from "./new-images.ts";
import { about, type ReviewedChange } from "./reviewed-change.ts";

/** New images that are `latest`, or have neither tag nor digest. */
export function imageTag(change: ReviewedChange): readonly ReportFinding[] {
  return newImages(change).flatMap(({ ref, field, image, clusters }): ReportFinding[] => {
    if (image.includes("@")) return [];
    const parsed = parseImage(image);
    if (parsed === undefined || (parsed.tag !== "" && parsed.tag !== "latest")) return [];
    return [
      {
        rule: "image-tag",
        severity: "warning",
        ...about(change, ref),
        field,
        ...(clusters.length === 0 ? {} : { clusters: [...clusters] }),
        message: `${objectName(ref)} runs whatever \`${image}\` is when a pod starts: ${parsed.tag === "" ? "the image has no tag, which means latest" : "latest moves with every push"}`,
        advice: "name a version or a digest",
      },
    ];
  });
}
