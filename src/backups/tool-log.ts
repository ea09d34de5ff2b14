/** The beginning tells what was attempted, the end tells why it failed; 256 KiB hold both of any dump. */
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 192 * 1024;

/** A log of lines in bounded memory: keeps the beginning and the end, and says how much between them was left out. */
export class ToolLog {
  readonly #head: string[] = [];
  readonly #tail: string[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  #leftOut = 0;

  /** Adds a line without its newline. Lines come scrubbed of secrets. */
  add(line: string): void {
    const size = Buffer.byteLength(line) + 1;
    const isBeginning = this.#tail.length === 0 && this.#leftOut === 0;
    if (isBeginning && this.#headBytes + size <= HEAD_BYTES) {
      this.#head.push(line);
      this.#headBytes += size;
      return;
    }
    this.#tail.push(line);
    this.#tailBytes += size;
    while (this.#tailBytes > TAIL_BYTES) {
      const oldest = this.#tail.shift() ?? '';
      this.#tailBytes -= Buffer.byteLength(oldest) + 1;
      this.#leftOut += 1;
    }
  }

  toString(): string {
    const gap = this.#leftOut > 0 ? [`… ${this.#leftOut} lines left out …`] : [];
    const lines = [...this.#head, ...gap, ...this.#tail];
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }
}
