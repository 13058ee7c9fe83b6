"""The kernel against jupyter_kernel_test, the suite that Jupyter keeps for kernels of all languages."""

import jupyter_kernel_test


class TestCastlensKernel(jupyter_kernel_test.KernelTests):
    kernel_name = "castlens"
    language_name = "typescript"
    file_extension = ".ts"

    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oh no')"
    code_generate_error = "throw new RangeError('too far')"

    completion_samples = [
        {"text": "consol", "matches": {"console"}},
        {"text": "JSON.par", "matches": {"parse"}},
        {"text": "castlens.op", "matches": {"open"}},
        {"text": "'\N{GRINNING FACE}'; Math.sqr", "matches": {"sqrt"}},
        {"text": "nothing_of_this_name.x", "matches": set()},
    ]

    complete_code_samples = [
        "1 + 1",
        "const x: number = 1;",
        "console.log('hello, world')",
        "function f() { return 1; }",
        "await Promise.resolve(1)",
        "{ a: 1, b: 2 }",
    ]
    incomplete_code_samples = [
        "function f() {",
        "if (true) {",
        "console.log(",
        "const x =",
        "`a template",
        "/* a comment",
        "[1, 2,",
    ]
    invalid_code_samples = ["const = 3", "1 + )", "}", "'a string\nthat ends'"]

    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "[1, 2].map(n => n * 2)", "result": "[ 2, 4 ]"},
        {"code": "const answer: number = 42; answer", "result": "42"},
        {"code": "await Promise.resolve('later')", "result": "'later'"},
        {"code": "6 * 7", "result": "42"},
        {"code": "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>b</b>' }) })",
         "mime": "text/html", "result": "<b>b</b>"},
    ]

    code_display_data = [
        {"code": "display({ a: 1 })", "mime": "text/plain"},
        {"code": "display.html('<b>bold</b>')", "mime": "text/html"},
        {"code": "display.markdown('**bold**')", "mime": "text/markdown"},
        {"code": "display.svg('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')", "mime": "image/svg+xml"},
        {"code": "display.json({ a: 1 })", "mime": "application/json"},
    ]

    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "6*7"

    code_inspect_sample = "castlens.open"
    code_clear_output = "display.clear()"


class TestIopubWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "castlens"
    support_iopub_welcome = True
