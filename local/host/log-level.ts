/** The levels of the Functions host, least important first. */
const LEVELS = ["trace", "debug", "information", "warning", "error", "critical", "none"];

/** `logging.logLevel` of host.json: the longest category that a message's own begins with decides. */
export class LogLevels {
  private readonly fallback: number;
  private readonly byCategory: readonly { readonly category: string; readonly rank: number }[];
  private readonly known = new Map<string, number>();

  constructor(levels: Readonly<Record<string, unknown>>) {
    const entries = Object.entries(levels).filter((entry): entry is [string, string] => typeof entry[1] === "string");
    this.fallback = rankOf(entries.find(([category]) => category.toLowerCase() === "default")?.[1] ?? "information");
    this.byCategory = entries
      .map(([category, level]) => ({ category: category.toLowerCase(), rank: rankOf(level) }))
      .filter(({ category }) => category !== "default")
      .sort((a, b) => b.category.length - a.category.length);
  }

  isShown(level: string, category: string): boolean {
    return rankOf(level) >= this.minimumOf(category);
  }

  private minimumOf(category: string): number {
    let rank = this.known.get(category);
    if (rank === undefined) {
      const name = category.toLowerCase();
      const covers = (prefix: string): boolean => name === prefix || name.startsWith(`${prefix}.`);
      rank = this.byCategory.find((each) => covers(each.category))?.rank ?? this.fallback;
      this.known.set(category, rank);
    }
    return rank;
  }
}

function rankOf(level: string): number {
  const rank = LEVELS.indexOf(level.toLowerCase());
  return rank < 0 ? LEVELS.indexOf("information") : rank;
}
