import type { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { FakeComm } from './fakecomm';

/** A kernel as the link sees it. */
export class FakeKernel {
  constructor(
    readonly id: string,
    public status = 'idle',
    public connectionStatus = 'connected',
    readonly handleComms = true
  ) {}

  readonly comms: FakeComm[] = [];
  readonly clones: FakeKernel[] = [];
  isDisposed = false;
  /** Prepares every comm that is created. */
  prepare: (comm: FakeComm) => void = () => undefined;

  get comm(): FakeComm {
    return this.comms[this.comms.length - 1];
  }

  createComm(): FakeComm {
    const comm = new FakeComm();
    this.prepare(comm);
    this.comms.push(comm);
    return comm;
  }

  clone(): FakeKernel {
    const clone = new FakeKernel(this.id, this.status, this.connectionStatus, true);
    clone.prepare = this.prepare;
    this.clones.push(clone);
    return clone;
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

/** A session context that holds a fake kernel. */
export class FakeSession {
  kernel: FakeKernel | null = null;
  kernelDisplayStatus = 'initializing';
  readonly kernelChanged = new Signal<this, void>(this);
  readonly statusChanged = new Signal<this, string>(this);
  readonly connectionStatusChanged = new Signal<this, string>(this);

  get session(): { kernel: FakeKernel | null } | null {
    return this.kernel ? { kernel: this.kernel } : null;
  }

  setKernel(kernel: FakeKernel | null): void {
    this.kernel = kernel;
    this.kernelChanged.emit();
  }

  setStatus(status: string): void {
    this.kernel!.status = status;
    this.statusChanged.emit(status);
  }

  setConnection(status: string): void {
    this.kernel!.connectionStatus = status;
    this.connectionStatusChanged.emit(status);
  }

  asContext(): ISessionContext {
    return this as unknown as ISessionContext;
  }
}
