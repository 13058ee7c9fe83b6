/**
 * Strategy `preconvert`: convert the weights of the module before it is exported.
 *
 * @packageDocumentation
 */
import { pythonString } from './literal';
import type { CodeStrategy } from './strategy';
import { liftedNames } from './tables';

/**
 * `preconvert(model)`.
 *
 * #### Notes
 * Replacing `.data` keeps the identity of a parameter, and so what is tied to it. Lifted tensors are made inside a forward and
 * have no attribute to convert: the function passes over them.
 */
export const preconvert: CodeStrategy = ({ converted }) => {
  const lifted = liftedNames(converted);
  const skip =
    lifted.length === 0
      ? []
      : [
          `        if name in (${lifted.map(name => `${pythonString(name)},`).join(' ')}):`,
          '            continue  # Made inside a forward: no attribute of the model holds it.'
        ];
  return {
    call: 'preconvert(model)',
    about: 'before torch.export.export; rounds the weights of the model itself',
    imports: ['import operator', 'import torch'],
    usesTables: true,
    source: [
      'def preconvert(model: torch.nn.Module) -> torch.nn.Module:',
      '    """Store the weights of `model` in the precision they are used in, in place; then export it as before.',
      '',
      '    Keep the autocast context: it finds these weights in its dtype and still casts the activations. Tied weights stay tied.',
      '    For inference: an optimizer would from now on update rounded weights. A forward that asks a weight for its dtype may take',
      '    another path than before; fold_weight_casts(ep) does not run it again.',
      '    """',
      '    for name, dtype in LOW_PRECISION.items():',
      ...skip,
      '        tensor = operator.attrgetter(name)(model)',
      '        tensor.data = tensor.data.to(dtype)',
      '    return model'
    ].join('\n')
  };
};
