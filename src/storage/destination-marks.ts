import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { DestinationMark } from './destination-mark.entity.js';

/** What the catalog knows of the marks of destinations. */
@Injectable()
export class DestinationMarks {
  constructor(private readonly catalog: Catalog) {}

  /** Null for a destination that was never used. */
  async find(destination: string): Promise<DestinationMark | null> {
    return this.catalog.read.findOneBy(DestinationMark, { destination });
  }

  /** Names of all destinations that were ever used. */
  async destinations(): Promise<string[]> {
    const marks = await this.catalog.read.find(DestinationMark, { order: { destination: 'ASC' } });
    return marks.map(({ destination }) => destination);
  }

  /** Notes the mark unless another process was faster; gives the one that is noted then. */
  async note(destination: string, mark: string): Promise<string> {
    return this.catalog.write(async (tx) => {
      const known = await tx.findOneBy(DestinationMark, { destination });
      if (known?.mark) return known.mark;
      if (known === null) await tx.insert(DestinationMark, { destination, mark, witnessKey: null });
      else await tx.update(DestinationMark, { destination, mark: IsNull() }, { mark });
      return mark;
    });
  }
}
