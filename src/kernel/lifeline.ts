/**
 * The child's end of the lifeline.
 *
 * @packageDocumentation
 */
import { Socket } from 'node:net';
import { LIFELINE_FD } from './childchannel';

/**
 * Call `onSignal` for everything the kernel writes, and end this process when the kernel has ended. For a worker thread.
 */
export function watchLifeline(onSignal: (text: string) => void): void {
  const end = (): void => {
    process.kill(process.pid, 'SIGKILL');
  };
  const socket = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
  socket.setEncoding('utf8');
  socket.on('data', text => onSignal(String(text)));
  socket.on('error', end);
  socket.on('close', end);
}
