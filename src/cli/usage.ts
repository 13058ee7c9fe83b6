/**
 * The text of `castlens --help`.
 *
 * @packageDocumentation
 */

/** Usage, one screen. */
export const USAGE = `castlens: see and measure the casts of exported PyTorch models

Usage: castlens <command> FILE [options]

Commands
  census FILE    the casts in the file; reads the graph only, needs no runtime
  run FILE       one forward of one variant
  compare FILE   several variants, timed interleaved, with executed census and equality of outputs
  stats FILE     statistics of every weight, or with --activations of every value that a forward
                 computes, and how far it is from float32
  fix FILE -o OUT
                 write the model with its weights in the precision they are used in
  code FILE      Python for your own export script: the same repair, in PyTorch
  explain CODE   what a finding means, why it happens and what to do about it
  doctor         devices, providers and versions, what is missing and how to install it

Options
  --json              print JSON
  --program NAME      which program of a .pt2 archive with several (default: the one called model,
                      else the first, with a warning)
  --cache MODE        off | autocast | folded | frozen | float32 | onnxruntime
                      (compare: a comma-separated list, or all)
  --passes LIST       share-casts,hoist-casts,remove-cast-pairs
  --device NAME       cpu (default), cuda, cuda:N
  --region ID=HOW     run an autocast region otherwise than recorded: on, off, or on in bfloat16,
                      float16, float32; may be given several times (census, run, compare, fix)
  --dim NAME=N        value of a symbolic size; may be given several times
  --inputs FILE       .safetensors with inputs by name, or input_0, input_1, ... by position
                      (default: the sample inputs of the file where it holds some that fit,
                      else random ones)
  --weights-from FILE take the weights from there: .safetensors, or another export of the model
  --outputs FILE      run: write the outputs there, as output_0, output_1, ...
  --seed N            random inputs of this seed, also where the file holds sample inputs
  --runs N            compare: timed forwards per variant (default 20)
  --warmup N          compare: forwards before timing (default 3)
  --arrow FILE        stats: write the table as an Arrow IPC stream
  --activations       stats: run the model (--cache, --device, --inputs, ...) and summarise values
  --values LIST       stats --activations: only these values
  --modules LIST      stats --activations: only the values of these modules
  --no-reference      stats --activations: do not compare with float32
  -o, --output FILE   fix, code: the file to write (code: default standard output)
  --keep-both         fix, code: weights used in both precisions get a second, converted copy
  --leave-mixed       fix, code: such weights stay as they are (default)
  --types             fix: put wrong types of an .onnx file right (invalid-types), and change nothing else
  --code FILE         fix: write the PyTorch code there too
  --strategy LIST     code: preconvert,export-pass,runtime-folding,freezing for .pt2,
                      onnx-folding,preconvert for .onnx (default: all that apply)
  --install-cuda      doctor: install onnxruntime's CUDA provider
  --remove-cuda       doctor: remove it
  -h, --help          this text
  --version           the version

Exit status: 0 done, 1 the model or the machine cannot do it, 2 usage.
`;
