/**
 * Names of temporary files that tell whose they are: what a process left behind when it was killed can be removed by another one.
 *
 * @packageDocumentation
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** `<machine>-<process>`: process ids mean something on one machine only, and a folder may be shared by several. */
export function processTag(): string {
  return `${machineTag()}-${process.pid}`;
}

/** Whether a tag is that of a process of this machine that has ended. False for text that is no tag. */
export function isTagOfEnded(tag: string): boolean {
  const [machine, pid] = tag.split('-');
  return machine === machineTag() && /^\d+$/.test(pid ?? '') && !isAlive(Number(pid));
}

function machineTag(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
