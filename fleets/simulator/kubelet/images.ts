// Names and identities of images, as a container runtime reports them. Pure.
import { createHash } from "node:crypto";

/** An image's full name: `docker.io/library/web:1` for `web:1`. */
export function fullImageName(image: string): string {
  const slash = image.indexOf("/");
  const host = slash < 0 ? "" : image.slice(0, slash);
  const hasHost = host.includes(".") || host.includes(":") || host === "localhost";
  const name = hasHost ? image : slash < 0 ? `docker.io/library/${image}` : `docker.io/${image}`;
  const last = name.slice(name.lastIndexOf("/") + 1);
  return last.includes(":") || last.includes("@") ? name : `${name}:latest`;
}

/** Its repository and digest. The digest is made of the name: one name is one image here. */
export function imageId(image: string): string {
  const full = fullImageName(image);
  const at = full.indexOf("@");
  if (at >= 0) return full;
  const colon = full.lastIndexOf(":");
  return `${full.slice(0, colon)}@sha256:${sha256(full)}`;
}

/** Its size in bytes, made of the name: between 5 and 200 MB. */
export function imageSize(image: string): number {
  return 5_000_000 + (Number.parseInt(sha256(fullImageName(image)).slice(0, 12), 16) % 195_000_000);
}

/** The id of a container: one for each start. */
export function containerId(podUid: string, container: string, attempt: number): string {
  return `containerd://${sha256(`${podUid}/${container}/${attempt}`)}`;
}

/** What is wrong with an image's name, as the kubelet says it; undefined when nothing is. */
export function imageNameProblem(image: string): string | undefined {
  const repository = image.split("@")[0]?.replace(/:[\w.-]+$/, "") ?? "";
  const path = repository.includes("/") ? repository.slice(repository.indexOf("/") + 1) : repository;
  const problem =
    path !== path.toLowerCase()
      ? `invalid reference format: repository name (${repository.includes("/") ? path : `library/${path}`}) must be lowercase`
      : /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/.test(path)
        ? undefined
        : "invalid reference format";
  if (problem === undefined) return undefined;
  return `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${problem}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
