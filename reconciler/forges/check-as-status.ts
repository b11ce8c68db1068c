import type { Call, Check, Forge, PublishedCheck, StatusState } from "./forge.ts";

/** Publishes a check where there is nothing but a status: its title, and no annotations. */
export async function publishAsStatus(
  forge: Pick<Forge, "setStatus">,
  sha: string,
  check: Check,
  call: Call,
): Promise<PublishedCheck> {
  const { name, title, summary, url, pullRequest } = check;
  const state = statusOf(check.conclusion);
  await forge.setStatus(
    sha,
    { context: name, state, description: title === "" ? summary : title, url, pullRequest },
    call,
  );
  return { as: "status", annotations: 0 };
}

/** The nearest state of a status. */
export function statusOf(conclusion: Check["conclusion"]): StatusState {
  return conclusion === "neutral" ? "success" : conclusion;
}
