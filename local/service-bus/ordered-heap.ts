/** A binary heap: the smallest key first. Redelivered messages go back to their place in the order of sequence numbers. */
export class OrderedHeap<T> {
  private readonly items: T[] = [];

  constructor(private readonly keyOf: (item: T) => number) {}

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    const { items } = this;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.keyAt(parent) <= this.keyAt(index)) return;
      this.swap(parent, index);
      index = parent;
    }
  }

  pop(): T | undefined {
    const { items } = this;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    items[0] = last;
    this.sink();
    return first;
  }

  private sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      let smallest = index;
      if (this.keyAt(left) < this.keyAt(smallest)) smallest = left;
      if (this.keyAt(left + 1) < this.keyAt(smallest)) smallest = left + 1;
      if (smallest === index) return;
      this.swap(index, smallest);
      index = smallest;
    }
  }

  private keyAt(index: number): number {
    const item = this.items[index];
    return item === undefined ? Infinity : this.keyOf(item);
  }

  private swap(a: number, b: number): void {
    const item = this.items[a] as T;
    this.items[a] = this.items[b] as T;
    this.items[b] = item;
  }
}
