/**
 * Operators that castlens knows and cannot run: Fourier transforms and complex numbers.
 *
 * @packageDocumentation
 */
import * as dtypes from '../../dtypes';
import { operators } from '../../operator';
import type { IOperator } from '../../operator';

/** Records of this file. */
export const KNOWN_FFT: readonly IOperator[] = [
  ...operators({ dtype: dtypes.complexOf }, [
    '_fft_c2c(Tensor self, SymInt[] dim, int normalization, bool forward) -> Tensor',
    '_fft_r2c(Tensor self, int[] dim, int normalization, bool onesided) -> Tensor',
    'complex(Tensor real, Tensor imag) -> Tensor',
    'fft_fft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor',
    'fft_fft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor',
    'fft_fftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor',
    'fft_ifft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor',
    'fft_ifft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor',
    'fft_ifftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor',
    'fft_ihfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor',
    'fft_rfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor',
    'fft_rfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor',
    'fft_rfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor',
    'polar(Tensor abs, Tensor angle) -> Tensor',
    'view_as_complex(Tensor(a) self) -> Tensor(a)'
  ]),
  ...operators({ dtype: dtypes.givenOrFloat }, [
    'fft_fftfreq(int n, float d=1., *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    'fft_rfftfreq(int n, float d=1., *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.normed }, [
    'angle(Tensor self) -> Tensor',
    'fft_hfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor',
    'fft_irfft(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor',
    'fft_irfft2(Tensor self, SymInt[1]? s=None, int[1] dim=[-2, -1], str? norm=None) -> Tensor',
    'fft_irfftn(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor'
  ]),
  ...operators({ dtype: dtypes.realPart }, [
    '_fft_c2r(Tensor self, int[] dim, int normalization, SymInt last_dim_size) -> Tensor',
    'imag(Tensor(a) self) -> Tensor(a)'
  ]),
  ...operators({ dtype: { reason: 'it depends on how complex numbers are returned' } }, [
    'stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor',
    'stft.center(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, str pad_mode="reflect", bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor'
  ])
];
