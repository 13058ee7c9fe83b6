/**
 * `devices`: what models can be run on.
 *
 * @packageDocumentation
 */
import { request } from '../request';
import type { Of } from '../schema';
import { closed, listOf, open, optional, text, truth } from '../schema';

const DEVICE_INFO = open(
  {
    id: text(),
    label: text(),
    available: truth(),
    reason: optional(text('why not, and what to do about it'))
  },
  'a device that can be chosen'
);

/** A device that can be chosen. */
export type IDeviceInfo = Of<typeof DEVICE_INFO>;

/** The devices that can be chosen. */
export const DEVICES = request({
  params: closed({}),
  result: open({ devices: listOf(DEVICE_INFO) })
});
