/**
 * Locks of folders that end with their process, however it ends, and that hold across containers which share a folder.
 *
 * A lock is a socket in the folder. The system refuses connections to it from the moment the process is gone; process ids would mean
 * something in one container only, and are given out again.
 *
 * @packageDocumentation
 */
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/** Name of the socket in its folder. */
export const LOCK_NAME = 'lock';

/**
 * Hold the lock of a folder until the process ends or the function that is returned is called. Keeps no process alive.
 *
 * #### Notes
 * Where the system has no such sockets, nothing is held; others then go by the name and the age of the folder.
 */
export function holdLock(folder: string): () => void {
  if (process.platform === 'win32') {
    return () => undefined;
  }
  const server = createServer(socket => socket.destroy());
  server.on('error', () => undefined);
  const place = placeOf(folder);
  server.listen(place.path);
  place.close();
  server.unref();
  return () => void server.close();
}

/** Whether the lock of a folder is held; null where that cannot be told, since there is none. */
export async function isLockHeld(folder: string): Promise<boolean | null> {
  if (process.platform === 'win32') {
    return null;
  }
  let place: IPlace;
  try {
    place = placeOf(folder);
  } catch {
    return null;
  }
  try {
    return await new Promise<boolean | null>(resolve => {
      const socket = connect(place.path);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', ({ code }: NodeJS.ErrnoException) => {
        // A queue of connections that is full is that of a busy process.
        resolve(code === 'ECONNREFUSED' ? false : code === 'EAGAIN' ? true : null);
      });
    });
  } finally {
    place.close();
  }
}

interface IPlace {
  readonly path: string;
  close(): void;
}

/** What systems take for the path of a socket, characters: 104 on macOS, 108 on Linux. */
const MAX_PATH = 100;

/** The path of the socket, by way of an open folder where it is too long. */
function placeOf(folder: string): IPlace {
  const path = join(folder, LOCK_NAME);
  if (Buffer.byteLength(path) <= MAX_PATH || process.platform !== 'linux') {
    return { path, close: () => undefined };
  }
  const descriptor = openSync(folder, 'r');
  return {
    path: `/proc/self/fd/${descriptor}/${LOCK_NAME}`,
    close: () => closeSync(descriptor)
  };
}
