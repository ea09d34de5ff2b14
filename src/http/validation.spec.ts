import 'reflect-metadata';

import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';

import { InvalidRequestError } from './http.errors.js';
import { PageQuery } from './page.dto.js';
import { createValidationPipe } from './validation.js';

class Target {
  @IsString()
  name: string;

  @IsOptional()
  @IsIn(['new', 'replace'])
  'a/b~c'?: string;
}

class Wish {
  @IsInt()
  port: number;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Target)
  targets?: Target[];
}

const pipe = createValidationPipe();

async function complaints(type: new () => object, value: unknown): Promise<Record<string, string>> {
  try {
    await pipe.transform(value, { type: 'body', metatype: type });
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    return Object.fromEntries(error.errors.map(({ pointer, detail }) => [pointer, detail]));
  }
  return {};
}

describe('the check of a request', () => {
  it('points at every wrong, missing and unknown field, however deep', async () => {
    const value = {
      port: '5432',
      prot: 1,
      targets: [{ name: 'ok' }, { name: 7, 'a/b~c': 'over', extra: true }],
    };
    expect(await complaints(Wish, value)).toEqual({
      '/port': 'must be an integer number',
      '/prot': 'is not a known field',
      '/targets/1/name': 'must be a string',
      '/targets/1/a~1b~0c': expect.stringContaining('one of'),
      '/targets/1/extra': 'is not a known field',
    });
    expect(await complaints(Wish, {})).toEqual({ '/port': 'is missing' });
  });

  it('tells of a text that is no number only that', async () => {
    expect(await complaints(PageQuery, { limit: 'many' })).toEqual({ '/limit': 'must be an integer number' });
    expect(await complaints(PageQuery, { limit: '0' })).toEqual({ '/limit': 'must not be less than 1' });
  });

  it('says all of it in one sentence, up to a length', () => {
    const errors = Array.from({ length: 12 }, (_, index) => ({
      pointer: `/f${index}`,
      detail: 'is missing',
    }));
    const sentence = new InvalidRequestError(errors).message;
    expect(sentence).toMatch(/^\/f0 is missing; \/f1 is missing; .*\/f9 is missing; and 2 more$/);
    expect(new InvalidRequestError([{ pointer: '', detail: 'no good' }]).message).toBe('no good');
  });

  it('never turns a text of a body into a number', async () => {
    expect(Object.keys(await complaints(Wish, { port: '5432' }))).toEqual(['/port']);
    expect(await complaints(Wish, { port: 5432 })).toEqual({});
  });

  it('takes the numbers of a query, within their bounds', async () => {
    expect(await pipe.transform({ limit: '7' }, { type: 'query', metatype: PageQuery })).toMatchObject({
      limit: 7,
    });
    expect(await pipe.transform({}, { type: 'query', metatype: PageQuery })).toMatchObject({ limit: 50 });
    for (const limit of ['0', '501', 'many', '1.5', '']) {
      expect(Object.keys(await complaints(PageQuery, { limit })), limit).toEqual(['/limit']);
    }
  });

  it.each([null, 'text', 7, []])('refuses what is no object: %j', async (value) => {
    await expect(pipe.transform(value, { type: 'body', metatype: Wish })).rejects.toBeInstanceOf(
      InvalidRequestError,
    );
  });
});
