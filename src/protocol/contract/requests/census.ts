/**
 * `census`: the casts in the file, or in the program it becomes under overridden regions.
 *
 * @packageDocumentation
 */
import { CENSUS as RESULT } from '../census';
import { request } from '../request';
import { closed, optional } from '../schema';
import { MODEL, REGIONS } from '../variant';

/** The casts in the file, or in the program it becomes under overridden regions. */
export const CENSUS = request({
  params: closed({ ...MODEL, regions: optional(REGIONS) }),
  result: RESULT
});
