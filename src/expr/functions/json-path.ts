/** The steps of a path like `$.log.items[0]["a b"]`: member names, and positions as digits. */
export type JsonPath = readonly string[];

const compiled = new Map<string, JsonPath | null>();
const MAX_COMPILED = 500;
const STEP = /\.\s*([^.[\]]+)|\[\s*(?:"([^"]*)"|'([^']*)'|(-?\d+))\s*\]/y;

/** null: the text is no path. Paths are kept. */
export function jsonPath(text: string): JsonPath | null {
  let path = compiled.get(text);
  if (path === undefined) {
    path = read(text);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(text, path);
  }
  return path;
}

function read(text: string): JsonPath | null {
  if (!text.startsWith('$') || text.length > 1000) return null;
  const steps: string[] = [];
  for (let at = 1; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (!match) return null;
    steps.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
  }
  return steps;
}
