/**
 * The PyTorch side of the repaired model.
 *
 * @packageDocumentation
 */
import { CommandIDs } from '../commandids';
import { useReveal } from './reveal';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';

/** Code for the user's own export script, to be read and copied. */
export function TorchCode({ state, trans, execute }: ISectionProps) {
  const ref = useReveal(state.code);
  const { code } = state;
  if (code === null) {
    return null;
  }
  return (
    <div ref={ref}>
      <Section
        name="torchcode"
        title={trans.__('PyTorch code')}
        about={[
          trans.__('for your own export script: %1', code.strategies.join(', ')),
          ...(state.variant.regions === undefined
            ? []
            : [trans.__('about the program as recorded: it does not follow overridden regions')])
        ].join('; ')}
      >
        <pre
          className="castlens-Code"
          tabIndex={0}
          role="region"
          aria-label={trans.__('PyTorch code')}
        >
          <code>{code.code}</code>
        </pre>
        <div className="castlens-Buttons">
          <button
            type="button"
            className="jp-Button jp-mod-styled"
            onClick={() => execute(CommandIDs.copyCode)}
          >
            {trans.__('Copy code')}
          </button>
        </div>
      </Section>
    </div>
  );
}
