import { OrderedHeap } from "./ordered-heap";

/** Below this many items a heap is not worth tidying. */
const slack = 64;

/** A heap from which any item may be taken out: what is gone stays in the heap until its turn, or until it is the larger part. */
export class PrunedHeap<T> {
  private heap: OrderedHeap<T>;
  private readonly live = new Set<T>();
  private entries = 0;

  constructor(private readonly keyOf: (item: T) => number) {
    this.heap = new OrderedHeap(keyOf);
  }

  get size(): number {
    return this.live.size;
  }

  add(item: T): void {
    if (this.live.has(item)) return;
    this.live.add(item);
    this.insert(item);
  }

  remove(item: T): void {
    if (!this.live.delete(item)) return;
    if (this.entries > 2 * this.live.size + slack) this.rebuild();
  }

  peek(): T | undefined {
    for (let item = this.heap.peek(); item !== undefined; item = this.heap.peek()) {
      if (this.live.has(item)) return item;
      this.heap.pop();
      this.entries -= 1;
    }
    return undefined;
  }

  pop(): T | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    this.heap.pop();
    this.entries -= 1;
    this.live.delete(item);
    return item;
  }

  private insert(item: T): void {
    this.heap.push(item);
    this.entries += 1;
  }

  private rebuild(): void {
    this.heap = new OrderedHeap(this.keyOf);
    this.entries = 0;
    for (const item of this.live) this.insert(item);
  }
}
