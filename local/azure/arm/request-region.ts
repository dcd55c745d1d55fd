import { z } from "zod";
import type { CloudWorld } from "./cloud-world";
import { locationName } from "./resource-store";
import type { ArmRequest } from "./route";

const Located = z.object({ location: z.string() });

// Deeper than any resource lies.
const MAX_LEVELS = 16;

/** Where a request is counted: at the location in its path, of its resource or that resource's parents, else at home. */
export function regionOf(world: CloudWorld, { path, body }: Pick<ArmRequest, "path" | "body">): string {
  const known = (location: string | undefined): string | undefined =>
    location !== undefined && world.locations.includes(locationName(location)) ? locationName(location) : undefined;
  const stored = (id: string): string | undefined =>
    known(Located.safeParse(world.resources.get(id)?.body).data?.location);
  const given = known(/\/locations\/([^/]+)/i.exec(path.whole)?.[1]);
  const own = given ?? stored(path.id) ?? known(Located.safeParse(body).data?.location);
  if (own !== undefined) return own;
  let id = path.id;
  for (let level = 0; level < MAX_LEVELS && id !== ""; level += 1) {
    id = id.slice(0, Math.max(0, id.lastIndexOf("/")));
    const location = stored(id);
    if (location !== undefined) return location;
  }
  return world.locations[0] ?? "global";
}
