import { Injectable } from '@nestjs/common';

/** Tells when the next scheduled backup begins. The scheduler's room, above this one, makes itself known here when it is built. */
@Injectable()
export class NextRun {
  #read: () => Promise<Date | null> = async () => Promise.resolve(null);

  setReader(read: () => Promise<Date | null>): void {
    this.#read = read;
  }

  /** Null when nothing runs by itself. */
  async at(): Promise<Date | null> {
    return this.#read();
  }
}
