import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * LMDB keeps no checksums and maps its file into memory: bytes that are missing at its end are not an error there but
 * the end of the process. So a file is looked at before it is opened: its two meta pages, and, when it is shorter than
 * they say, every page that they reach.
 *
 * Layout of the file as LMDB 1.0 writes it (`MDB_page`, `MDB_meta`, `MDB_db`, `MDB_node` of its `mdb.c`).
 */
const HEADER = 24;
const MAGIC = 0xbeefc0de;
const PAGE = { branch: 1, leaf: 2, overflow: 4 } as const;
const BIG_DATA = 1;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

interface Meta {
  readonly pageSize: number;
  readonly roots: readonly bigint[];
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/** What is wrong with a file of LMDB, or null: also when it is not there or still empty. */
export function lmdbFileDamage(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return damageOf(file);
  } finally {
    closeSync(file);
  }
}

function damageOf(file: number): string | null {
  if (fstatSync(file).size === 0) return null;
  const first = metaAt(file, 0);
  // the second meta page lies behind the first, whose size is the system's
  const second = metaAt(file, first?.pageSize ?? 4096) ?? metaAt(file, 4096);
  const metas = [first, second].filter(m => m !== null);
  if (metas.length === 0) return 'neither of its two heads is one';
  const meta = metas.reduce((a, b) => (b.transaction > a.transaction ? b : a));
  // taken after the head was read: a writer makes the file longer first
  const { size } = fstatSync(file);
  if (size >= Number(meta.lastPage + 1n) * meta.pageSize) return null;
  const pages = Math.floor(size / meta.pageSize);
  for (const root of meta.roots) {
    const missing = root === NO_PAGE ? null : missingPage(file, root, { pages, pageSize: meta.pageSize });
    if (missing !== null) return `it ends at byte ${size}, where page ${missing} is missing`;
  }
  return null;
}

function metaAt(file: number, offset: number): Meta | null {
  const bytes = Buffer.alloc(HEADER + 136);
  if (readSync(file, bytes, 0, bytes.length, offset) < bytes.length) return null;
  const at = (byte: number): bigint => bytes.readBigUInt64LE(HEADER + byte);
  if (bytes.readUInt32LE(HEADER) !== MAGIC) return null;
  const pageSize = bytes.readUInt32LE(HEADER + 24);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return null;
  return { pageSize, roots: [at(64), at(112)], lastPage: at(120), transaction: at(128) };
}

/** The first page below `root` that the file does not have whole. */
function missingPage(
  file: number,
  root: bigint,
  { pages, pageSize }: { readonly pages: number; readonly pageSize: number },
): bigint | null {
  const page = Buffer.alloc(pageSize);
  const waiting = [root];
  const seen = new Set<bigint>();
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (number >= BigInt(pages)) return number;
    if (seen.has(number)) continue;
    seen.add(number);
    readSync(file, page, 0, pageSize, Number(number) * pageSize);
    const flags = page.readUInt16LE(18);
    if ((flags & (PAGE.branch | PAGE.leaf)) === 0) continue;
    const nodes = (page.readUInt16LE(20) - HEADER) >> 1;
    for (let i = 0; i < nodes; i++) {
      const node = page.readUInt16LE(HEADER + 2 * i);
      if (node + 8 > pageSize) continue;
      const low = BigInt(page.readUInt32LE(node));
      const nodeFlags = page.readUInt16LE(node + 4);
      const data = node + 8 + page.readUInt16LE(node + 6);
      if ((flags & PAGE.branch) !== 0) waiting.push(low | (BigInt(nodeFlags) << 32n));
      else if ((nodeFlags & BIG_DATA) !== 0 && data + 8 <= pageSize) {
        const start = page.readBigUInt64LE(data);
        const length = (low + BigInt(HEADER) + BigInt(pageSize) - 1n) / BigInt(pageSize);
        if (start + length > BigInt(pages)) return start + length - 1n;
      }
    }
  }
  return null;
}
