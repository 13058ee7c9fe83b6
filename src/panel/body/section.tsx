/**
 * A titled part of the panel that can be folded away.
 *
 * @packageDocumentation
 */
import type { ReactNode } from 'react';
import { useId } from 'react';

/** What a section shows. */
export interface ISection {
  readonly title: string;
  /** Stands beside the title in muted type: a count, or what the figures are. */
  readonly about?: ReactNode;
  /** Name for tests and styles. */
  readonly name: string;
  readonly children: ReactNode;
}

/** A section: heading, then content; open until the user folds it. */
export function Section({ title, about, name, children }: ISection) {
  const id = useId();
  return (
    <section className={`castlens-Section castlens-Section-${name}`} aria-labelledby={id}>
      <details open>
        <summary className="castlens-Section-head">
          <h2 id={id} className="castlens-Section-title">
            {title}
          </h2>
          {about ? <span className="castlens-Section-about">{about}</span> : null}
        </summary>
        <div className="castlens-Section-content">{children}</div>
      </details>
    </section>
  );
}
