/** What one row may make: beyond it the function fails for that row, so that no input can exhaust the process. */

/** UTF-16 units of a STRING, bytes of a BYTES */
export const MAX_LENGTH = 1 << 22;
/** elements of an ARRAY or MAP that a function builds */
export const MAX_ITEMS = 100_000;
/** columns that CUBE_EXPLODE combines: 2^16 rows */
export const MAX_CUBE = 16;
