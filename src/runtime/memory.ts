/**
 * Memory of this process.
 *
 * @packageDocumentation
 */

/** Largest resident set since the process started, in bytes. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** Resident set now, in bytes. */
export function currentRssBytes(): number {
  return process.memoryUsage.rss();
}
