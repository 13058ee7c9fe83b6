/**
 * Bringing what the user asked for into view.
 *
 * @packageDocumentation
 */
import type { RefObject } from 'react';
import { useEffect, useRef } from 'react';

/** A reference to an element that is scrolled into view, no further than needed, whenever `value` is another one and not null. */
export function useReveal(value: object | null): RefObject<HTMLDivElement> {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => ref.current?.scrollIntoView({ block: 'nearest' }), [value]);
  return ref;
}
