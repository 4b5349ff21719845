/** Freezes plain data to its leaves; plans are shared between threads of control and must not change. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  // bytes and maps of literals are never changed, but cannot be frozen
  if (ArrayBuffer.isView(value) || value instanceof Map) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
