/**
 * Ending a process with everything that it started.
 *
 * @packageDocumentation
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Kill a process, its group and its descendants at once. On Linux also those that have sessions of their own, as Inductor's pool of
 * compilers has; elsewhere these end by themselves when the pipe to their parent closes.
 *
 * @param pid - leader of a group of its own.
 */
export function killTree(pid: number): void {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { windowsHide: true });
    return;
  }
  const all = [...descendantsOf(pid), pid];
  killGroup(pid);
  all.forEach(kill);
}

/** Kill what is left of the group of a process that has ended. Windows has no groups. */
export function killGroup(leader: number): void {
  if (process.platform !== 'win32') {
    kill(-leader);
  }
}

function kill(target: number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** Process ids of all that a process started, theirs included; none where the system does not list them. */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of parents()) {
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const found: number[] = [];
  const pending = [pid];
  for (const parent of pending) {
    const its = children.get(parent) ?? [];
    found.push(...its);
    pending.push(...its);
  }
  return found;
}

/** Every process with its parent. Source of the format: proc_pid_stat(5). */
function* parents(): Iterable<[number, number]> {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return;
  }
  for (const name of names.filter(each => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      // The name of the program may hold spaces and brackets.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      yield [Number(name), Number(fields[1])];
    } catch {
      // It ended meanwhile.
    }
  }
}
