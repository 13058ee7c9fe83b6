import type { IDoctorReport } from '../../src/cli/text';
import type { IMachine } from './support/castlens';
import { describeWithStub, fixture, itWithout, smiOf, withMachine } from './support/castlens';

describeWithStub('castlens doctor', () => {
  const doctor = (options: IMachine): Promise<IDoctorReport> =>
    withMachine(options, machine => machine.json<IDoctorReport>('doctor'));

  /** What `run` says of a machine that cannot. */
  const refusal = (options: IMachine): Promise<string> =>
    withMachine(options, async machine => {
      const args = ['run', fixture('seed-mlp'), '--device', 'cuda'];
      const { code, stdout, stderr } = await machine.castlens(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.trim().split('\n')).toHaveLength(1);
      return stderr;
    });

  it('finds nothing in the way where everything is there', async () => {
    const { cuda, devices } = await doctor({ smi: smiOf(2) });
    expect(cuda.problems).toEqual([]);
    expect(cuda).toMatchObject({
      cudaMajor: 13,
      provider: { versionMatches: true },
      driver: { kind: 'present', cudaVersion: '13.0', driverVersion: '580.65.06' }
    });
    expect(cuda.libraries.map(({ name, path }) => [name, path !== null])).toEqual([
      ['libcublasLt.so.13', true],
      ['libcublas.so.13', true],
      ['libcurand.so.10', true],
      ['libcudart.so.13', true],
      ['libcuda.so.1', true],
      ['libcudnn.so.9', true]
    ]);
    expect(devices.slice(1)).toEqual([
      { id: 'cuda:0', label: 'NVIDIA H100 80GB HBM3 0', available: true },
      { id: 'cuda:1', label: 'NVIDIA H100 80GB HBM3 1', available: true }
    ]);
  });

  it('shows the GPUs that are not hidden, as CUDA numbers them', async () => {
    const env = { CUDA_VISIBLE_DEVICES: 'GPU-1' };
    const { devices } = await doctor({ smi: smiOf(2), env });
    expect(devices.slice(1)).toEqual([
      { id: 'cuda:0', label: 'NVIDIA H100 80GB HBM3 1', available: true }
    ]);
    const hidden = { smi: smiOf(2), env: { CUDA_VISIBLE_DEVICES: '' } };
    expect(await refusal(hidden)).toContain('hides every GPU; run: unset CUDA_VISIBLE_DEVICES');
  });

  itWithout()('names the libraries that are missing and how to get them', async () => {
    const { cuda, devices } = await doctor({ libraries: [] });
    expect(cuda.problems.map(({ message, optional }) => [message, optional])).toEqual([
      [
        'The loader does not find libcublasLt.so.13, libcublas.so.13, libcurand.so.10, libcudart.so.13',
        false
      ],
      [expect.stringMatching(/^The loader does not find libcudnn\.so\.9, which/), true],
      ['The loader does not find libcuda.so.1, which is part of the driver', false]
    ]);
    expect(cuda.problems[0].command).toContain(
      "'nvidia-cublas==13.*' 'nvidia-curand==10.*' 'nvidia-cuda-runtime==13.*' && export LD_LIBRARY_PATH="
    );
    expect(devices[1]).toMatchObject({ id: 'cuda:0', available: false });
    expect(await refusal({ libraries: [] })).toContain(
      'device cuda:0 is not available; expected cpu. The loader does not find libcublasLt.so.13'
    );
  });

  itWithout('libcudnn.so.9')('asks for cuDNN, but not before it is needed', async () => {
    const { cuda, devices } = await doctor({ libraries: ['cuda'] });
    expect(cuda.problems).toMatchObject([
      { optional: true, command: expect.stringContaining("'nvidia-cudnn-cu13==9.*'") as string }
    ]);
    expect(devices[1]).toEqual({
      id: 'cuda:0',
      label: 'NVIDIA H100 80GB HBM3 0',
      available: true
    });
  });

  it('says that the driver is for an older CUDA than the provider', async () => {
    const { cuda } = await doctor({ smi: smiOf(1, '12.4') });
    const message = 'The driver runs CUDA up to 12.4 and the CUDA provider was built for CUDA 13';
    expect(cuda.problems).toMatchObject([
      { optional: false, message: expect.stringContaining(message) as string }
    ]);
    expect(await refusal({ smi: smiOf(1, '12.4') })).toContain(message);
  });

  it('says what a driver needs that fails', async () => {
    const smi = 'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18';
    expect(await refusal({ smi })).toContain('restart the machine');
  });

  itWithout('nvidia-smi', 'libcuda.so.1')('says that a driver is missing', async () => {
    expect(await refusal({ smi: null, libraries: [] })).toContain(
      'No NVIDIA driver answers on this machine'
    );
  });

  itWithout('nvidia-smi')('needs no nvidia-smi to run', async () => {
    const { cuda, devices } = await doctor({ smi: null });
    expect(cuda.problems).toMatchObject([{ optional: true }]);
    expect(devices[1]).toEqual({ id: 'cuda', label: 'CUDA', available: true });
  });
});
