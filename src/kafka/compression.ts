import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { lz4Decompress } from './lz4.ts';
import { snappyDecompress } from './snappy.ts';

/** The codecs of record batches by their number in the attributes. */
export function decompress(codec: number, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return gunzipSync(bytes);
    case 2:
      return snappyDecompress(bytes);
    case 3:
      return lz4Decompress(bytes);
    case 4:
      return zstdDecompressSync(bytes);
    default:
      throw new Error(`compression ${codec} is none that Kafka has`);
  }
}
