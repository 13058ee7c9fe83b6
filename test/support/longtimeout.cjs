// Starting a process and opening sockets takes seconds on a loaded machine.
jest.setTimeout(60_000);
