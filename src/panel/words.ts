/**
 * Names and explanations of the things a user chooses between.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IVariant, PassName, RegionChoice } from '../protocol';
import { formatOverrides, TORCH_MODE_TEXTS } from '../protocol';
import type { RowId } from './runtimes';
import { modeOfRow, runtimeOfRow } from './runtimes';
import type { VariantCache } from './variants';
import { isVariantCache } from './variants';

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

/** What a row of the comparison is. Options of PyTorch are named as PyTorch names them. */
export function describeRow(row: RowId, trans: TranslationBundle): string {
  if (isVariantCache(row)) {
    return describeCache(row, trans);
  }
  const runtime = runtimeOfRow(row);
  return runtime === 'onnxruntime' ? '' : (TORCH_MODE_TEXTS[runtime][modeOfRow(row)] ?? '');
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

/** What a region is run as. */
export function describeRegionChoice(
  choice: RegionChoice | 'recorded',
  trans: TranslationBundle
): string {
  switch (choice) {
    case 'recorded':
      return trans.__('as recorded');
    case 'on':
      return trans.__('on');
    case 'off':
      return trans.__('off');
    default:
      return trans.__('on, %1', choice);
  }
}

/** A variant beside its cache mode: `share-casts, on cpu, submod_1=off`. */
export function listVariant(variant: Omit<IVariant, 'cache'>, trans: TranslationBundle): string {
  const { passes, device, regions } = variant;
  const place = trans.__('%1, on %2', listPasses(passes, trans), device);
  return regions === undefined ? place : trans.__('%1, with %2', place, formatOverrides(regions));
}

/** Passes as a list for the reader: `share-casts, hoist-casts`, or `no passes`. */
export function listPasses(passes: readonly PassName[], trans: TranslationBundle): string {
  return passes.length === 0 ? trans.__('no passes') : passes.join(', ');
}
