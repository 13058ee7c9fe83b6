/**
 * `explain`: what a finding means.
 *
 * @packageDocumentation
 */
import { request } from '../request';
import { closed, open, text } from '../schema';

/** The page of docs/findings for a code. */
export const EXPLAIN = request({
  params: closed({ code: text('code of the finding') }),
  result: open({ markdown: text('the page about it') })
});
