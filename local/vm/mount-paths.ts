export interface BindMount {
  readonly hostPath: string;
  readonly containerPath: string;
}

/** `host:container[:ro]`. Without root there is no mount, so nothing can hold a program to `ro`. */
export function bindMountOf(text: string): BindMount | undefined {
  const [hostPath, containerPath, mode = "rw", more] = text.split(":");
  if (!hostPath?.startsWith("/") || !containerPath?.startsWith("/") || !/^(ro|rw)$/.test(mode) || more !== undefined)
    return undefined;
  return { hostPath, containerPath: containerPath.replace(/\/+$/, "") };
}

/**
 * Puts the host's path where a text names a path in a container's mount: `/data`, `--out=/data/x`, `cp /data/a /data/b`.
 * A path that a program puts together itself is not seen; it has to take it from its arguments or its environment.
 */
export function withHostPaths(text: string, mounts: readonly BindMount[]): string {
  if (mounts.length === 0) return text;
  const hosts = new Map(mounts.map(({ containerPath, hostPath }) => [containerPath, hostPath]));
  const longestFirst = [...hosts.keys()]
    .sort((a, b) => b.length - a.length)
    .map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const named = new RegExp(`(?<![\\w./-])(?:${longestFirst.join("|")})(?![\\w.-])`, "g");
  return text.replace(named, (path) => hosts.get(path) ?? path);
}
