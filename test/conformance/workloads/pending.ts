// Vectors that the simulator does not play as recorded, and what differs. What passes must leave the list.

export const PENDING: Readonly<Record<string, string>> = {
  "job/lose-a-pod":
    "kwok leaves a Job's stopped Pod Running until the Job lets it go, so that it counts as terminating; a kubelet ends it first",
};
