// A scheduling plugin that does as a toleration of the placement says.
export const apiVersion = "scheduler.flaghoist.io/v1alpha1";

function moodOf({ placement }) {
  return placement.clusterTolerations?.find(({ key }) => key?.startsWith("mood-"))?.key.slice("mood-".length);
}

export function filter(cluster, request) {
  const mood = moodOf(request);
  if (mood === "throws") throw new Error("no mood for this");
  if (mood === "hangs") for (;;);
  return mood !== "picky" || cluster.provider !== "gcp" || `no ${cluster.provider}`;
}

export function score(cluster, request) {
  return moodOf(request) === "nan" ? Number.NaN : request.args.favourite === cluster.name ? 100 : 1;
}
