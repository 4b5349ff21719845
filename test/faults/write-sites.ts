/** Finds the calls in a source text that write durably, and the fault point that stands beside each. */
export interface WriteSite {
  readonly line: number;
  readonly call: string;
  /** the nearest `faultPoint('...')` before the call in the same function, or null */
  readonly point: string | null;
}

/** of `node:fs` and `node:fs/promises`; counted in files that import them by name */
const FILE_FUNCTIONS =
  'appendFile|copyFile|cp|fdatasync|fsync|ftruncate|link|rename|rm|symlink|truncate|unlink|write|writeFile|writev';
const FILE_CALL = new RegExp(`(?<![.\\w#])((?:${FILE_FUNCTIONS})(?:Sync)?|createWriteStream)\\(`, 'g');
/** of an open file, in files that open one */
const HANDLE_CALL = /\.(appendFile|datasync|sync|truncate|write|writeFile|writev)\(/g;
/** of LMDB, in files that speak to it */
const LMDB_CALL =
  /\b(?:db|#db|database)\??\.(backup|batch|clearAsync|clearSync|drop|put|putSync|remove|removeSync|transaction|transactionSync)\(/g;
/** of the key-value port */
const STORE_CALL = /\b#?(?:store|kv)\.(write|writeLater)\(/g;
/** of the log port; what lies behind has points of its own, but a crash just before an append matters too */
const LOG_CALL = /\b(?:log|#log)\s*(?:\n\s*)?\.(append|tick)\(/g;

export function writeSites(text: string): WriteSite[] {
  const code = withoutComments(text);
  const calls: [RegExp, boolean][] = [
    [FILE_CALL, /from 'node:fs(?:\/promises)?'/.test(code)],
    [HANDLE_CALL, /\bFileHandle\b|\bopen\b[^;]*from 'node:fs\/promises'/.test(code)],
    [LMDB_CALL, /from 'lmdb'|\bLogDatabase\b/.test(code)],
    [STORE_CALL, /\bKeyValueStore\b|openLmdbStore/.test(code)],
    [LOG_CALL, /event-log\.ts'/.test(code)],
  ];
  const sites: (WriteSite & { readonly at: number })[] = [];
  for (const [pattern, counts] of calls) {
    if (!counts) continue;
    for (const found of code.matchAll(pattern)) {
      const at = found.index;
      if (/\b(?:function|import)\s*$/.test(code.slice(0, at))) continue;
      if (isDeclaration(code, at + found[0].length)) continue;
      sites.push({
        at,
        line: code.slice(0, at).split('\n').length,
        call: found[1] ?? '',
        point: pointBefore(code, at),
      });
    }
  }
  return sites.sort((a, b) => a.at - b.at).map(({ line, call, point }) => ({ line, call, point }));
}

/** All points that a text passes. */
export function pointsOf(text: string): string[] {
  return [...withoutComments(text).matchAll(/\bfaultPoint\('([^']+)'\)/g)].map(m => m[1] ?? '');
}

/** Comments become spaces, so that places stay. Text in quotes that looks like one is rare enough to be met by eye. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, c => c.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/[^\n]*/g, c => c.replace(/[^\n]/g, ' '));
}

/** `name(a: string): void {` declares, `name(a)` calls. */
function isDeclaration(code: string, from: number): boolean {
  let depth = 1;
  let i = from;
  for (; i < code.length && depth > 0; i++) {
    if (code[i] === '(') depth++;
    else if (code[i] === ')') depth--;
  }
  return /^\s*(?::[^=;(){}]+)?\{/.test(code.slice(i));
}

/** Walks back from a call through the blocks that enclose it, to the head of its function. */
function pointBefore(code: string, at: number): string | null {
  let closed = 0;
  for (let i = at - 1; i >= 0; i--) {
    const c = code[i];
    if (c === '}') closed++;
    else if (c === '{') {
      if (closed > 0) closed--;
      else if (isFunctionHead(code, i)) return null;
    } else if (closed === 0 && c === 'f' && code.startsWith("faultPoint('", i)) {
      return /^faultPoint\('([^']+)'/.exec(code.slice(i, i + 80))?.[1] ?? null;
    }
  }
  return null;
}

/** The head of a function of the file, or of a method: not of a block within one. */
function isFunctionHead(code: string, brace: number): boolean {
  const line = code.slice(code.lastIndexOf('\n', brace) + 1, brace);
  return /^\S|^ {2}(?!(?:if|for|while|try|else|do|switch|return|const|let|await|void)\b|\})\S/.test(line);
}
