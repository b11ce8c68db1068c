// Drift as figures: what stands, since when, and what was undone.
import type { ControllerContext } from "../context.ts";
import type { DriftJournal } from "./drift-journal.ts";

/** Has the journal's figures kept for those who read metrics. */
export function observeDrift(context: ControllerContext, journal: DriftJournal): void {
  const { metrics, clock } = context;
  const labels = ["cluster"] as const;
  const corrected = metrics.counter({
    name: "drift_corrected_fields_total",
    help: "Fields of copies that others had changed and that were put right, by cluster.",
    labels,
  });
  journal.subscribe((finding) => {
    if (finding.corrected) corrected.of({ cluster: finding.cluster }).add(finding.fields.length);
  });
  metrics.readings(
    {
      name: "drift_standing_fields",
      help: "Fields of copies that are not as wanted and are let be, by cluster.",
      labels,
    },
    () => [...journal.allStanding()].map(([cluster, fields]) => [{ cluster }, fields.length] as const),
  );
  metrics.readings(
    {
      name: "drift_oldest_age_seconds",
      help: "How long the oldest drift that is let be has been known, by cluster.",
      labels,
    },
    () =>
      [...journal.allStanding()].map(([cluster, fields]) => {
        const oldest = Math.min(...fields.map(({ since }) => Date.parse(since)));
        return [{ cluster }, Math.max(0, (clock.now() - oldest) / 1_000)] as const;
      }),
  );
}
