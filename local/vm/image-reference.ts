/** The grammar of https://github.com/distribution/reference: [registry[:port]/]path[:tag][@digest]. */
const REFERENCE =
  /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/i;

/** What Docker prints about an image that cannot be had; undefined for one that is there. Names choose the failure, since nothing is ever pulled. */
export function imageProblemOf(image: string): string | undefined {
  if (!REFERENCE.test(image)) return "invalid reference format";
  if (image.includes("does-not-exist"))
    return `Error response from daemon: manifest for ${image} not found: manifest unknown: manifest unknown`;
  if (image.includes("denied")) {
    return `Error response from daemon: pull access denied for ${image}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`;
  }
  if (image.includes("throttled"))
    return "Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit.";
  return undefined;
}
