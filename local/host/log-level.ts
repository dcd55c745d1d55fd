/** The levels of the Functions host, least important first. */
const LEVELS = ["trace", "debug", "information", "warning", "error", "critical", "none"];

/** Tells whether a message of that level is shown, given `logging.logLevel.default` of host.json. */
export function isShown(level: string, minimum: string): boolean {
  return rankOf(level) >= rankOf(minimum);
}

function rankOf(level: string): number {
  const rank = LEVELS.indexOf(level.toLowerCase());
  return rank < 0 ? LEVELS.indexOf("information") : rank;
}
