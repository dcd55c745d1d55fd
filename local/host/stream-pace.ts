/** How much of an answer may be on its way between the app's library and this host. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * The app's library writes an answer as fast as the function produces it, whatever the reader's speed
 * (@azure/functions 4.16, sendProxyResponse). Here the function's own stream is slowed down instead, or a large answer to a slow reader would
 * lie in memory as a whole.
 */
export class StreamPace {
  private sentBytes = 0;
  private arrivedBytes = 0;
  private ended = false;
  private wake: (() => void) | undefined;

  arrived(bytes: number): void {
    this.arrivedBytes += bytes;
    this.wake?.();
  }

  /** Nobody reads any more: the function's stream is closed at its next piece. */
  end(): void {
    this.ended = true;
    this.wake?.();
  }

  /** The function's result with its body, if that is a stream, replaced by a slower one. */
  slowed(result: unknown): unknown {
    if (typeof result !== "object" || result === null || !("body" in result)) return result;
    const { body } = result;
    if (!isStream(body)) return result;
    const slow = ReadableStream.from(this.through(body));
    // An HttpResponse of the library keeps its body to itself; a property of the object hides that of its class.
    if ("bodyUsed" in result) return Object.defineProperty(result, "body", { value: slow });
    return { ...result, body: slow };
  }

  private async *through(body: AsyncIterable<unknown>): AsyncGenerator {
    for await (const piece of body) {
      if (this.ended) return;
      this.sentBytes += sizeOf(piece);
      yield piece;
      while (this.isAhead()) await this.progress();
    }
  }

  private isAhead(): boolean {
    return !this.ended && this.sentBytes - this.arrivedBytes > WINDOW_BYTES;
  }

  private async progress(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.wake = () => resolve(undefined);
    await promise;
    this.wake = undefined;
  }
}

function isStream(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

function sizeOf(piece: unknown): number {
  if (typeof piece === "string") return Buffer.byteLength(piece);
  return ArrayBuffer.isView(piece) ? piece.byteLength : 0;
}
