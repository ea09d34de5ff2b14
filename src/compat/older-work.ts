import { Injectable } from '@nestjs/common';
import type { Response } from 'express';

import { BackupViews } from '../backups/backup-views.js';
import { BackupsService, type NewBackup } from '../backups/backups.service.js';
import { clientSignal } from '../http/client-signal.js';
import { BackupFolders } from '../storage/backup-folders.js';
import { toOlderBackup } from './older-answers.js';
import type { OlderBackupView } from './older.view.js';

/** Makes backups as older services did: the answer comes when it is done, since it has to name the file. */
@Injectable()
export class OlderWork {
  constructor(
    private readonly backups: BackupsService,
    private readonly views: BackupViews,
    private readonly folders: BackupFolders,
  ) {}

  /**
   * @throws BackupFolderRefusedError for a folder that may not be chosen, and what `BackupsService` throws, BackupFailedError and
   *   WaitTimeoutError among it
   */
  async makeBackup(
    { folder, ...request }: Omit<NewBackup, 'trigger'> & { folder?: string | undefined },
    timeoutSeconds: number,
    response: Response,
  ): Promise<OlderBackupView> {
    const destination = folder === undefined ? undefined : await this.folders.destinationOf(folder);
    const { id } = await this.backups.create({ ...request, destination, trigger: 'manual' });
    response.location(`/backups/${id}`);
    const backup = await this.backups.waitUntilCompleted(id, timeoutSeconds, clientSignal(response));
    return toOlderBackup(await this.views.of(backup));
  }
}
