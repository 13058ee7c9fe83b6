/**
 * `pythons`: what can run models with PyTorch.
 *
 * @packageDocumentation
 */
import { request } from '../request';
import type { Of } from '../schema';
import { closed, listOf, nullable, open, optional, text, truth } from '../schema';

const PYTHON_INFO = open(
  {
    path: text('the executable'),
    origin: text('what it was found by'),
    python: nullable(text(), 'its version; null where it could not be started'),
    torch: nullable(text(), 'version of PyTorch; null where there is none'),
    cuda: nullable(text(), 'version of CUDA that PyTorch was built for'),
    devices: listOf(text(), 'names of the CUDA devices that PyTorch can use'),
    compiler: nullable(text(), 'the C++ compiler that Inductor would use'),
    problems: listOf(text(), 'what is missing')
  },
  'a Python of this machine'
);

/** A Python of this machine, and what it has. */
export type IPythonInfo = Of<typeof PYTHON_INFO>;

/** The Pythons of this machine, in the order in which one would be chosen. Each is started once, unless files are to be looked at only. */
export const PYTHONS = request({
  params: closed({
    quick: optional(
      truth(
        'look at files only and start none: what is not known is null, `devices` and `problems` are empty'
      )
    )
  }),
  result: open({ pythons: listOf(PYTHON_INFO) })
});
