import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from './client';
import { waitUntil } from './wait';

const sidecar = join(__dirname, '..', '..', '..', 'dist', 'sidecar');

/** What the tests know of a connection file. */
export interface IConnectionFile {
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly key: string;
}

/** A kernel as a server would start it, and its clients. */
export class KernelProcess {
  /** Start the built kernel; resolves when it answers. */
  static async start(options: KernelProcess.IOptions = {}): Promise<KernelProcess> {
    const script = join(sidecar, 'kernel.js');
    if (!existsSync(script)) {
      throw new Error(`${script} is missing: run "npm run build:sidecar"`);
    }
    const [shell, iopub, stdin, control, hb] = await freePorts(5);
    const connection: IConnectionFile = {
      ip: '127.0.0.1',
      shell_port: shell,
      iopub_port: iopub,
      stdin_port: stdin,
      control_port: control,
      hb_port: hb,
      key: options.key ?? randomUUID()
    };
    const kernel = new KernelProcess(script, connection, options);
    const client = await kernel.connect();
    await client.request('shell', 'kernel_info_request');
    await client.close();
    return kernel;
  }

  private constructor(
    script: string,
    readonly connection: IConnectionFile,
    options: KernelProcess.IOptions
  ) {
    this.cwd = mkdtempSync(join(tmpdir(), 'castlens-protocol-'));
    const file = join(this.cwd, 'connection.json');
    writeFileSync(
      file,
      JSON.stringify({ ...connection, transport: 'tcp', signature_scheme: 'hmac-sha256' })
    );
    const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
    if (options.engine === 'fake') {
      env.CASTLENS_ENGINE = join(__dirname, 'fakeengine.cjs');
    }
    this._process = spawn(process.execPath, [script, file], {
      cwd: this.cwd,
      env,
      stdio: ['ignore', 'ignore', 'pipe']
    });
    this._process.stderr!.setEncoding('utf8').on('data', text => (this.log += text));
    this.exited = new Promise(resolve => this._process.once('exit', code => resolve(code)));
  }

  /** Working directory of the kernel. */
  readonly cwd: string;

  /** What the kernel wrote to stderr. */
  log = '';

  /** Exit code of the kernel; null where a signal ended it. */
  readonly exited: Promise<number | null>;

  get pid(): number {
    return this._process.pid!;
  }

  /** Processes the kernel has started. */
  children(): number[] {
    return processes()
      .filter(({ parent }) => parent === this.pid)
      .map(({ pid }) => pid);
  }

  /** The child that runs a script, `engine` or `evaluator`. */
  child(script: RegExp): number | undefined {
    return this.children().find(pid => script.test(commandLine(pid)));
  }

  /** A new client, connected and subscribed. */
  async connect(): Promise<Client> {
    const client = new Client(this.connection);
    this._clients.push(client);
    await client.ready();
    return client;
  }

  kill(signal: NodeJS.Signals): void {
    this._process.kill(signal);
  }

  /** End the kernel and its clients, in whatever state they are. */
  async dispose(): Promise<void> {
    await Promise.all(this._clients.map(client => client.close()));
    const children = this.children();
    this._process.kill('SIGKILL');
    await this.exited;
    await waitUntil(() => children.every(pid => !isAlive(pid)));
    rmSync(this.cwd, { recursive: true, force: true });
  }

  private readonly _process: ChildProcess;
  private readonly _clients: Client[] = [];
}

export namespace KernelProcess {
  export interface IOptions {
    /** The fake engine instead of the real one. */
    readonly engine?: 'fake';
    readonly key?: string;
    readonly env?: NodeJS.ProcessEnv;
  }
}

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function processes(): { pid: number; parent: number }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        return [{ pid: Number(name), parent: Number(/^PPid:\s+(\d+)/m.exec(status)![1]) }];
      } catch {
        return [];
      }
    });
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>(resolve => {
          const server = createServer();
          server.listen(0, '127.0.0.1', () => resolve(server));
        })
    )
  );
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}
