/** The query of a request; ARM reads the names without case, be they encoded or not (`api%2Dversion`, `$skipToken`). */
export class ArmQuery extends URLSearchParams {
  override get(name: string): string | null {
    const wanted = name.toLowerCase();
    for (const [given, value] of this) if (given.toLowerCase() === wanted) return value;
    return null;
  }

  override set(name: string, value: string): void {
    const wanted = name.toLowerCase();
    for (const given of [...this.keys()]) if (given.toLowerCase() === wanted) this.delete(given);
    super.set(name, value);
  }
}
