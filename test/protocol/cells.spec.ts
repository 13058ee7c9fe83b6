import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from './support/client';
import { resultText, streamText } from './support/client';
import { KernelProcess } from './support/kernelprocess';

describe('cells', () => {
  let kernel: KernelProcess;
  let client: Client;

  beforeAll(async () => {
    kernel = await KernelProcess.start({ engine: 'fake' });
    client = await kernel.connect();
  });

  afterAll(() => kernel.dispose());

  const types = (published: readonly { header: { msg_type: string } }[]): string[] =>
    published.map(message => message.header.msg_type);

  it('should publish busy, input, result and idle, all with the right parent', async () => {
    const { reply, published } = await client.execute('6 * 7');
    expect(types(published)).toEqual(['status', 'execute_input', 'execute_result', 'status']);
    expect(published[0].content.execution_state).toBe('busy');
    expect(published[1].content).toMatchObject({ code: '6 * 7' });
    expect(resultText(published)).toBe('42');
    expect(reply.content).toMatchObject({ status: 'ok', payload: [], user_expressions: {} });
    expect(reply.content.execution_count).toBe(published[1].content.execution_count);
  });

  it.each([
    ['a constant again', 'const twice = 1', 'const twice = 2; twice', '2'],
    ['a class again', 'class Again { n = 1 }', 'class Again { n = 2 }; new Again().n', '2'],
    ['after an error in its initialiser', 'const late = missing()', 'const late = 5; late', '5'],
    ['with destructuring', 'const { a: first } = { a: 1 }', 'const [first] = [2]; first', '2'],
    ['a function again', 'function f() { return 1 }', 'function f() { return 2 }; f()', '2']
  ])('should declare %s', async (_what, before, after, expected) => {
    await client.execute(before);
    const { published } = await client.execute(after);
    expect(resultText(published)).toBe(expected);
  });

  it.each([
    ['top-level await', 'const waited = await new Promise(r => setTimeout(r, 5, 9)); waited', '9'],
    ['for await', 'let sum = 0; for await (const n of [1, 2]) sum += n; sum', '3'],
    ['type annotations', 'const typed: number = 4; (typed as unknown as number) + 1', '5'],
    [
      'interfaces and generics',
      'interface P { x: number }\nconst g = <T,>(v: T): T => v; g<P>({ x: 1 }).x',
      '1'
    ],
    ['enums', 'enum Colour { Red = 3 }\nColour.Red', '3'],
    ['parameter properties', 'class Q { constructor(readonly v: number) {} }\nnew Q(8).v', '8'],
    ['object literals', '{ a: 1, b: { c: 2 } }', '{ a: 1, b: { c: 2 } }'],
    ['blocks', '{ const inner = 3; inner }', '3'],
    ['dynamic import', "(await import('node:path')).posix.sep", "'/'"],
    [
      'import declarations',
      "import { posix as p, default as d } from 'node:path';\n[p.sep, d === undefined]",
      "[ '/', false ]"
    ],
    ['namespace imports', "import * as os from 'node:os'\ntypeof os.cpus", "'function'"],
    ['type-only imports', "import type { Stats } from 'node:fs';\n1", '1'],
    ['exports', 'export const shared = 7\nshared', '7'],
    ['require', "require('node:path').posix.join('a', 'b')", "'a/b'"],
    ['null', 'null', 'null'],
    ['negative zero', '-0', '-0'],
    ['bigint', '2n ** 70n', '1180591620717411303424n'],
    ['symbols', "Symbol('s')", 'Symbol(s)'],
    ['a promise', 'Promise.resolve(1)', 'Promise { 1 }'],
    ['a comment at the end', '11 // eleven', '11']
  ])('should evaluate %s', async (_what, code, expected) => {
    const { reply, published } = await client.execute(code);
    expect(reply.content.status).toBe('ok');
    expect(resultText(published)).toBe(expected);
  });

  it('should give no result for a statement without a value', async () => {
    const { published } = await client.execute('const nothing = 1');
    expect(resultText(published)).toBeUndefined();
  });

  it('should run in the directory of the kernel', async () => {
    const { published } = await client.execute('process.cwd()');
    expect(resultText(published)).toBe(`'${kernel.cwd}'`);
  });

  it('should write console output to the two streams, in order', async () => {
    const { published } = await client.execute(
      "console.log('a', { b: [1, 2] }); console.error('c'); console.info('%d%%', 5); process.stdout.write('d\\n')"
    );
    expect(streamText(published, 'stdout')).toBe('a { b: [ 1, 2 ] }\n5%\nd\n');
    expect(streamText(published, 'stderr')).toBe('c\n');
    const names = published.filter(m => m.header.msg_type === 'stream').map(m => m.content.name);
    expect(names).toEqual(['stdout', 'stderr', 'stdout']);
  });

  it('should publish output of other processes', async () => {
    const { reply } = await client.execute(
      "require('node:child_process').execSync('echo from a child', { stdio: 'inherit' })"
    );
    expect(reply.content.status).toBe('ok');
    const message = await client.next(
      'iopub',
      m => m.header.msg_type === 'stream' && m.content.text.includes('from a child')
    );
    expect(message.parent_header.msg_id).toBe(reply.parent_header.msg_id);
  });

  it('should parent output after the end of a cell to that cell', async () => {
    const first = await client.startCell(
      "setTimeout(() => console.log('timer of the first'), 100); void (async () => { await new Promise(r => setTimeout(r, 120)); console.log('promise of the first') })()"
    );
    await client.finish(first);
    const second = await client.startCell(
      "await new Promise(r => setTimeout(r, 300)); console.log('second')"
    );
    await client.finish(second);
    expect(streamText(client.published(first), 'stdout')).toBe(
      'timer of the first\npromise of the first\n'
    );
    expect(streamText(client.published(second), 'stdout')).toBe('second\n');
  });

  it('should report an error with the places in cells and nothing else', async () => {
    const defined = await client.execute("function thrower() {\n  throw new TypeError('bad')\n}");
    const { reply, published } = await client.execute('\n  thrower()');
    const line = defined.reply.content.execution_count;
    const count = reply.content.execution_count;
    expect(reply.content).toMatchObject({ status: 'error', ename: 'TypeError', evalue: 'bad' });
    expect(reply.content.traceback).toEqual([
      'TypeError: bad',
      `    at thrower (Cell [${line}]:2:9)`,
      `    at Cell [${count}]:2:3`
    ]);
    expect(types(published)).toEqual(['status', 'execute_input', 'error', 'status']);
    expect(published[2].content.traceback).toEqual(reply.content.traceback);
  });

  it('should place errors after an await and in transformed TypeScript', async () => {
    const { reply } = await client.execute(
      'enum Shift {\n  A,\n  B\n}\nawait null\nthrow new Error("late")'
    );
    expect(reply.content.traceback.join('\n')).toContain(
      `Cell [${reply.content.execution_count}]:6:7`
    );
  });

  it('should show causes and values that are no errors', async () => {
    const cause = await client.execute("throw new Error('outer', { cause: new Error('inner') })");
    expect(cause.reply.content.traceback.join('\n')).toContain('[cause]: Error: inner');
    const value = await client.execute('throw { code: 7 }');
    expect(value.reply.content).toMatchObject({ evalue: '{ code: 7 }' });
  });

  it.each([
    ['of parsing', "JSON.parse('[bad')"],
    ['after an await', "await null; new RegExp('(')"],
    ['of a callback', '[1].map(() => { throw new Error("inside") })'],
    ['of Node', "require('fs').readFileSync('nowhere')"]
  ])('should name the cell and no internals in errors %s', async (_what, code) => {
    const { reply } = await client.execute(code);
    const trace = reply.content.traceback.join('\n');
    expect(trace).toContain(`Cell [${reply.content.execution_count}]:1:`);
    expect(trace).not.toMatch(/node:|evaluator\.js|<anonymous>/);
    expect((trace.match(/\{/g) ?? []).length).toBe((trace.match(/\}/g) ?? []).length);
  });

  it('should name the cell and no internals in errors that are printed or shown', async () => {
    const { published } = await client.execute(
      "console.log(new Error('printed')); console.trace('traced'); new Error('shown')"
    );
    for (const text of [
      streamText(published, 'stdout'),
      streamText(published, 'stderr'),
      resultText(published)
    ]) {
      expect(text).toMatch(/at Cell \[\d+\]:1:\d+/);
      expect(text).not.toMatch(/node:|evaluator\.js/);
    }
  });

  it('should point at a syntax error', async () => {
    const { reply } = await client.execute('const ok = 1\nconst x: = 2');
    expect(reply.content.ename).toBe('SyntaxError');
    expect(reply.content.traceback.slice(0, 3)).toEqual([
      `Cell [${reply.content.execution_count}]:2:10`,
      'const x: = 2',
      '         ^'
    ]);
  });

  it('should point at an error that only V8 sees', async () => {
    const { reply } = await client.execute('1;\nlet dup = 1; let dup = 2');
    expect(reply.content.ename).toBe('SyntaxError');
    expect(reply.content.traceback[0]).toMatch(/^Cell \[\d+\]:2:18$/);
  });

  it('should say what to do about a name that was declared with another keyword', async () => {
    await client.execute('let taken = 1');
    const { reply } = await client.execute('const taken = 2');
    expect(reply.content.traceback[0]).toBe(
      "SyntaxError: Identifier 'taken' has already been declared"
    );
    expect(reply.content.traceback[1]).toContain('same keyword');
    expect(resultText((await client.execute('let taken = 3; taken')).published)).toBe('3');
  });

  it('should report errors nobody caught on stderr of their cell', async () => {
    const id = await client.startCell("setTimeout(() => { throw new Error('in a timer') }, 10)");
    await client.finish(id);
    const message = await client.next(
      'iopub',
      m => m.header.msg_type === 'stream' && m.content.text.includes('in a timer')
    );
    expect(message.parent_header.msg_id).toBe(id);
    expect(message.content.text).toMatch(/^Uncaught Error: in a timer\n\s+at .*Cell \[\d+\]:1:\d+/);
    expect(resultText((await client.execute('"alive"')).published)).toBe("'alive'");
  });

  it('should abort what is queued behind an error', async () => {
    const gate = join(tmpdir(), `castlens-gate-${randomUUID()}`);
    const failing = await client.startCell(
      `while (!require('fs').existsSync(${JSON.stringify(gate)})) await new Promise(r => setTimeout(r, 5));
       throw new Error('stop')`
    );
    const queued = await client.startCell('1');
    // Its answer proves that the kernel has received the cell before it.
    await client.request('shell', 'kernel_info_request');
    writeFileSync(gate, '');
    const failed = await client.finish(failing);
    rmSync(gate);
    expect(failed.reply.content.status).toBe('error');
    const aborted = await client.finish(queued);
    expect(aborted.reply.content.status).toBe('aborted');
    expect(types(aborted.published)).toEqual(['status', 'status']);
    expect((await client.execute('2')).reply.content.status).toBe('ok');
  });

  it('should go on after an error where asked to', async () => {
    const failing = await client.startCell('throw new Error("go on")', { stop_on_error: false });
    const queued = await client.startCell('3');
    await client.finish(failing);
    expect((await client.finish(queued)).reply.content.status).toBe('ok');
  });

  it('should publish no input, result or error of silent cells, and not count them', async () => {
    const before = await client.execute('1');
    const silent = await client.execute('5', { silent: true, store_history: true });
    expect(types(silent.published)).toEqual(['status', 'status']);
    const failed = await client.execute('throw 1', { silent: true });
    expect(types(failed.published)).toEqual(['status', 'status']);
    expect(failed.reply.content.status).toBe('error');
    const after = await client.execute('1');
    expect(after.reply.content.execution_count).toBe(before.reply.content.execution_count + 1);
  });

  it('should evaluate user expressions', async () => {
    const { reply } = await client.execute('const seen = 5', {
      user_expressions: { good: 'seen + 1', bad: 'unseen', object: '{ a: 1 }' }
    });
    expect(reply.content.user_expressions.good).toMatchObject({
      status: 'ok',
      data: { 'text/plain': '6' }
    });
    expect(reply.content.user_expressions.bad).toMatchObject({
      status: 'error',
      ename: 'ReferenceError'
    });
    expect(reply.content.user_expressions.object).toMatchObject({
      data: { 'text/plain': '{ a: 1 }' }
    });
  });

  it('should show values that know how they look', async () => {
    const { published } = await client.execute(
      "({ [Symbol.for('Jupyter.display')]: async () => ({ 'text/html': '<b>x</b>', 'text/plain': 'x' }) })"
    );
    const result = published.find(m => m.header.msg_type === 'execute_result');
    expect(result?.content.data).toEqual({ 'text/html': '<b>x</b>', 'text/plain': 'x' });
  });

  it('should display, replace and clear', async () => {
    const { published } = await client.execute(
      "const h = display('one', { id: 'd1' }); h.update('two'); display.html('<i>i</i>'); display.clear({ wait: true })"
    );
    const shown = published.slice(2, -1);
    expect(types(shown)).toEqual([
      'display_data',
      'update_display_data',
      'display_data',
      'clear_output'
    ]);
    expect(shown[0].content).toMatchObject({
      data: { 'text/plain': "'one'" },
      transient: { display_id: 'd1' }
    });
    expect(shown[1].content).toMatchObject({
      data: { 'text/plain': "'two'" },
      transient: { display_id: 'd1' }
    });
    expect(shown[2].content.data['text/html']).toBe('<i>i</i>');
    expect(shown[3].content).toEqual({ wait: true });
  });

  it('should take expressions that are no text for wrong ones', async () => {
    const wrong = { a: { toString: 1 }, b: 7, c: '1 + 1', d: [] };
    const { reply } = await client.execute('1', { user_expressions: wrong });
    const { user_expressions: results } = reply.content as {
      user_expressions: Record<string, { status: string }>;
    };
    const statuses = Object.values(results).map(({ status }) => status);
    expect(statuses).toEqual(['error', 'ok', 'ok', 'error']);
    expect(resultText((await client.execute('2')).published)).toBe('2');
  });

  it('should ask the client for input', async () => {
    const id = await client.startCell("const name = await input('Name? '); name", {
      allow_stdin: true
    });
    const question = await client.next('stdin', m => m.header.msg_type === 'input_request');
    expect(question.content).toEqual({ prompt: 'Name? ', password: false });
    expect(question.parent_header.msg_id).toBe(id);
    await client.send('stdin', 'input_reply', { value: 'Ada' }, { parent: question.header });
    expect(resultText((await client.finish(id)).published)).toBe("'Ada'");
    const refused = await client.execute("await input('Name? ')");
    expect(refused.reply.content.evalue).toContain('cannot be asked');
  });

  it('should survive a cell that ends its process', async () => {
    const { reply } = await client.execute('process.exit(3)');
    expect(reply.content.ename).toBe('EvaluatorLost');
    expect(reply.content.evalue).toContain('exited with code 3');
    expect(resultText((await client.execute('1 + 1')).published)).toBe('2');
  });
});
