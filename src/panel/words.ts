/**
 * Names and explanations of the things a user chooses between.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PassName } from '../protocol';
import type { VariantCache } from './variants';

/** What a cache mode or reference does, in a few words. */
export function describeCache(cache: VariantCache, trans: TranslationBundle): string {
  switch (cache) {
    case 'off':
      return trans.__('Weights are cast at every use, on every forward, as exported');
    case 'autocast':
      return trans.__(
        'Weights are cast once per region, on every forward, as eager autocast caches them'
      );
    case 'folded':
      return trans.__('Weights are cast once, when the model is loaded');
    case 'frozen':
      return trans.__('Weights are cast ahead of time and stored in low precision');
    case 'float32':
      return trans.__('Reference: the autocast regions are switched off');
    case 'onnxruntime':
      return trans.__('Reference: the exported graph with the runtime’s own optimisations');
  }
}

/** What a pass does, in a few words. */
export function describePass(pass: PassName, trans: TranslationBundle): string {
  switch (pass) {
    case 'share-casts':
      return trans.__('Share repeated casts');
    case 'hoist-casts':
      return trans.__('Hoist casts through layout operators');
    case 'remove-cast-pairs':
      return trans.__('Remove lossless cast pairs');
  }
}

/** Passes as a list for the reader: `share-casts, hoist-casts`, or `no passes`. */
export function listPasses(passes: readonly PassName[], trans: TranslationBundle): string {
  return passes.length === 0 ? trans.__('no passes') : passes.join(', ');
}
