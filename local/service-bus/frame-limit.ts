import type { Socket } from "node:net";

/** What the server tells its clients in its open frame. */
export const largestFrameBytes = 65_536;
const headerBytes = 8;
const amqp = Buffer.from("AMQP").readUInt32BE();

/**
 * Ends a connection whose frames say that they are longer than was agreed: rhea would gather such a frame to its end, however
 * far away that is.
 */
export function limitFrames(socket: Socket): void {
  const measure = new FrameMeasure();
  socket.on("data", (chunk: Buffer) => {
    if (!measure.take(chunk)) socket.destroy(new Error(`a frame of more than ${largestFrameBytes} bytes`));
  });
}

/** Walks over frames without reading them. */
export class FrameMeasure {
  /** Bytes of the current frame that are still to come. */
  private left = 0;
  /** The first bytes of the next frame. */
  private start = Buffer.alloc(0);

  /** False when a frame is too long, or too short to be one. */
  take(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.left > 0) {
        const step = Math.min(this.left, chunk.length - at);
        this.left -= step;
        at += step;
        continue;
      }
      const missing = 4 - this.start.length;
      this.start = Buffer.concat([this.start, chunk.subarray(at, at + missing)]);
      at += missing;
      if (this.start.length < 4) return true;
      const said = this.start.readUInt32BE();
      const size = said === amqp ? headerBytes : said;
      this.start = Buffer.alloc(0);
      if (size > largestFrameBytes || size < headerBytes) return false;
      this.left = size - 4;
    }
    return true;
  }
}
