// Runs many command lines of castlens in one process: a JSON array of arguments per line of standard input, one of
// { status, stdout, stderr } per line of standard output. Starting Node and compiling the bundle takes longer than most of them.
//
// The bundle is what a process of its own would run, and is evaluated from its beginning for every command line: nothing that one of
// them left in a variable is there for the next.
const { EventEmitter } = require('node:events');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { createInterface } = require('node:readline');
const { constants, Script } = require('node:vm');

const bundle = join(__dirname, '..', '..', 'dist', 'sidecar', 'cli.js');
const code = readFileSync(bundle, 'utf8').replace(/^#!/, '//');
const evaluate = new Script(
  `(function (exports, require, module, __filename, __dirname, process) {${code}\n})`,
  { filename: bundle, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }
).runInThisContext();

/** What the bundle sees as its process: this one, with arguments, output, status and listeners of its own. */
class CommandProcess {
  constructor(args) {
    this.listeners = new EventEmitter();
    this.written = { stdout: '', stderr: '' };
    this.ended = new Promise(resolve => (this.end = resolve));
    this.own = {
      argv: [process.execPath, bundle, ...args],
      stdout: this.stream('stdout'),
      stderr: this.stream('stderr'),
      exit: status => this.end(status ?? 0)
    };
    for (const name of ['on', 'once', 'removeListener', 'listenerCount']) {
      this.own[name] = this.listeners[name].bind(this.listeners);
    }
  }

  stream(name) {
    const write = text => {
      this.written[name] += text;
      return true;
    };
    return Object.assign(new EventEmitter(), { isTTY: false, write });
  }

  /** The object that stands for `process`. */
  get object() {
    return new Proxy(process, {
      get: (target, name) => {
        if (Object.hasOwn(this.own, name)) {
          return this.own[name];
        }
        const value = target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (_, name, value) => {
        if (name !== 'exitCode') {
          return false;
        }
        this.end(value);
        return true;
      }
    });
  }
}

async function run(args) {
  const command = new CommandProcess(args);
  const module = { exports: {} };
  evaluate(module.exports, createRequire(bundle), module, bundle, dirname(bundle), command.object);
  const status = await command.ended;
  command.listeners.emit('exit', status);
  return { status, ...command.written };
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
  }
}

void main();
