// A zip archive without compression: PNG files are compressed already. Layout: PKWARE's APPNOTE.TXT, sections 4.3 and 4.4.

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
const UTF8_NAMES = 0x0800;
const FIRST_DAY = 0x21; // 1 January 1980: the same pictures make the same archive

/** Return the CRC-32 of bytes. */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Return numbers as bytes, lowest first; each number is given with its count of bytes. */
function littleEndian(...fields) {
  return fields.flatMap(([number, bytes]) => Array.from({ length: bytes }, (_, i) => (number >>> (8 * i)) & 255));
}

/** Return a zip archive of files { name, bytes } with names of their folders, such as 4/1.png. */
function zipOf(files) {
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const { name, bytes } of files) {
    const path = new TextEncoder().encode(name);
    const about = aboutFile(path, bytes);
    const header = [...littleEndian([0x04034b50, 4]), ...about, ...path];
    const where = littleEndian([0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]);
    parts.push(header, bytes);
    directory.push(...littleEndian([0x02014b50, 4], [20, 2]), ...about, ...where, ...path);
    offset += header.length + bytes.length;
  }
  const counts = [[0, 2], [0, 2], [files.length, 2], [files.length, 2]];
  const end = littleEndian([0x06054b50, 4], ...counts, [directory.length, 4], [offset, 4], [0, 2]);
  return joined([...parts, directory, end]);
}

/** Return what a file's header and its entry in the directory have in common. */
function aboutFile(path, bytes) {
  const size = [bytes.length, 4];
  const kind = [[20, 2], [UTF8_NAMES, 2], [0, 2], [0, 2], [FIRST_DAY, 2]];
  return littleEndian(...kind, [crc32(bytes), 4], size, size, [path.length, 2], [0, 2]);
}

/** Return arrays of bytes as one. */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
