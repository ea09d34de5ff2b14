import { ApiParam, type ApiParamOptions } from '@nestjs/swagger';

/** What stands for `{id}` in the paths of each kind of record. */
const IDS = {
  database: { description: 'Id or name of a registered database.', example: 'shop' },
  backup: {
    description: 'Id of a backup, or file name of its archive.',
    example: '019aa3f0-1111-7000-8000-000000000001',
  },
  schedule: { description: 'Id of a schedule.', example: '019aa3f0-4444-7000-8000-000000000004' },
  restore: { description: 'Id of a restore.', example: '019aa3f0-3333-7000-8000-000000000003' },
  verification: { description: 'Id of a verification.', example: '019aa3f0-5555-7000-8000-000000000005' },
} as const satisfies Record<string, Partial<ApiParamOptions>>;

/** Documents the path's `{id}`, on a method or for all methods of a controller: `@IdParam('backup')`. */
export function IdParam(of: keyof typeof IDS): MethodDecorator & ClassDecorator {
  return ApiParam({ name: 'id', ...IDS[of] });
}
