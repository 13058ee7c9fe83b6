/**
 * Names of temporary files that tell whose they are: what a process left behind when it was killed can be removed by another one.
 *
 * @packageDocumentation
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * What is known of the process that a tag names: it runs, it has ended, or its process id means nothing here, since it belongs to
 * another namespace of process ids (a container on this machine) or to another machine (or this one before it was started again).
 */
export type OwnerState = 'runs' | 'ended' | 'other-namespace' | 'other-machine';

/**
 * `<machine>-<namespace>-<process>-<start>`.
 *
 * #### Notes
 * The machine is the id that Linux makes at every start, elsewhere the host's name; never a name on Linux, which changes while
 * processes run. A process id is given out again and again, so the time goes with it at which the process was started, in clock ticks.
 */
export function processTag(): string {
  own ??= [machineTag(), namespaceTag(), process.pid.toString(36), startOf(process.pid) ?? NONE];
  return own.join('-');
}

/** What is known of the owner of a tag, which other text may follow; null for text that begins with no tag. */
export function ownerOf(text: string): OwnerState | null {
  const match = TAG.exec(text);
  if (match === null) {
    return null;
  }
  const [, machine, namespace, id, start] = match;
  if (machine !== machineTag()) {
    return 'other-machine';
  }
  if (namespace !== namespaceTag()) {
    return 'other-namespace';
  }
  const pid = parseInt(id, 36);
  const found = isAlive(pid) ? (startOf(pid) ?? NONE) : null;
  const isSame = found !== null && (found === NONE || start === NONE || found === start);
  return isSame ? 'runs' : 'ended';
}

/** How long a file of an owner that nobody here can see has not been touched before it is nobody's, milliseconds. */
export const FORGOTTEN_MS = 24 * 60 * 60 * 1000;

/** Whether what carries a tag is nobody's any more. Who may still run has touched it within a day. */
export function isLeftover(text: string, modifiedMs: number): boolean {
  switch (ownerOf(text)) {
    case 'ended':
      return true;
    case 'other-namespace':
    case 'other-machine':
      return Date.now() - modifiedMs > FORGOTTEN_MS;
    case 'runs':
    case null:
      return false;
  }
}

const TAG = /^([0-9a-f]{8})-([0-9a-z]+)-([0-9a-z]{1,7})-([0-9a-z]+)(?=-|$)/;

/** In place of what the system does not tell. */
const NONE = '0';

let own: readonly string[] | undefined;
let machine: string | undefined;
let namespace: string | undefined;

function machineTag(): string {
  machine ??= createHash('sha256')
    .update(contentOf('/proc/sys/kernel/random/boot_id') ?? hostname())
    .digest('hex')
    .slice(0, 8);
  return machine;
}

function namespaceTag(): string {
  if (namespace === undefined) {
    try {
      const [inode] = /\d+/.exec(readlinkSync('/proc/self/ns/pid')) ?? [NONE];
      namespace = Number(inode).toString(36);
    } catch {
      namespace = NONE;
    }
  }
  return namespace;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // One that has ended and that nobody asked for its exit status holds nothing.
  return !/^[ZX]$/.test(statOf(pid)?.[0] ?? '');
}

/** When a process was started; undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  const ticks = statOf(pid)?.[19];
  return ticks === undefined ? undefined : Number(ticks).toString(36);
}

/** The fields of `/proc/PID/stat` behind the program's name (proc(5)): state first. */
function statOf(pid: number): readonly string[] | undefined {
  const text = contentOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
