/** Damage to the JSON records of `.pt2` archives, member by member. */
import type { Random } from './random';
import { EDGES } from './random';

type Holder = unknown[] | Record<string, unknown>;

interface IPlace {
  readonly holder: Holder;
  readonly key: string | number;
}

/** Members that are text for people: damage there teaches little. */
const DULL = new Set(['metadata', 'stack_trace', 'nn_module_stack']);

/** The text with one to three members changed. */
export function mutateJson(random: Random, text: string): string {
  const root = JSON.parse(text) as Holder;
  for (let count = 1 + random.below(3); count > 0; count--) {
    const places = placesOf(root);
    if (places.length > 0) {
      change(random, places);
    }
  }
  return JSON.stringify(root);
}

function placesOf(root: Holder): IPlace[] {
  const places: IPlace[] = [];
  const pending: Holder[] = [root];
  for (const holder of pending) {
    for (const key of Array.isArray(holder) ? holder.keys() : Object.keys(holder)) {
      if (DULL.has(String(key))) {
        continue;
      }
      places.push({ holder, key });
      const value = get({ holder, key });
      if (typeof value === 'object' && value !== null) {
        pending.push(value as Holder);
      }
    }
  }
  return places;
}

function get({ holder, key }: IPlace): unknown {
  return (holder as Record<string | number, unknown>)[key];
}

function set({ holder, key }: IPlace, value: unknown): void {
  (holder as Record<string | number, unknown>)[key] = value;
}

function change(random: Random, places: readonly IPlace[]): void {
  const place = pickPlace(random, places);
  const value = get(place);
  switch (random.below(10)) {
    case 0:
      if (Array.isArray(place.holder)) {
        place.holder.splice(place.key as number, 1);
      } else {
        delete place.holder[place.key];
      }
      return;
    case 1:
      set(
        place,
        random.pick<unknown>([
          null,
          true,
          false,
          '',
          'x',
          [],
          {},
          -1,
          1.5,
          'NaN',
          '9'.repeat(30),
          [[]]
        ])
      );
      return;
    case 2:
      set(place, random.pick(EDGES));
      return;
    case 3:
    case 4: {
      // What stands elsewhere: another name, operator or argument.
      const same = places.filter(
        other => typeof get(other) === typeof value && other.key === place.key
      );
      set(place, structuredClone(get(random.pick(same))));
      return;
    }
    case 5:
      set(place, structuredClone(get(random.pick(places))));
      return;
    case 6:
      if (Array.isArray(place.holder)) {
        place.holder.splice(place.key as number, 0, structuredClone(value));
      } else {
        place.holder[`${place.key}_`] = value;
        delete place.holder[place.key];
      }
      return;
    case 7:
      if (Array.isArray(value) && value.length > 1) {
        value.push(value.shift());
      } else {
        set(place, [value]);
      }
      return;
    case 8:
      set(
        place,
        typeof value === 'number' ? value + random.pick([-1, 1, 1000]) : { as_int: value }
      );
      return;
    default:
      if (typeof value === 'string') {
        set(
          place,
          random.pick([
            `${value}_`,
            value.toUpperCase(),
            value.slice(1),
            'as_none',
            '__proto__',
            'constructor'
          ])
        );
      } else {
        set(place, String(value));
      }
  }
}

/** Any place, or one of a kind that is rare. */
function pickPlace(random: Random, places: readonly IPlace[]): IPlace {
  if (random.chance(0.5)) {
    return random.pick(places);
  }
  const keys = [...new Set(places.map(({ key }) => key))];
  const key = random.pick(keys);
  return random.pick(places.filter(place => place.key === key));
}
