// Reads the service's VOD playlists (RFC 8216): which media segments there are, and when they were taken.

const NS = 1e9;

/**
 * The media segments, oldest first: `{url, init, pieceBegin, begin, end}`, times in seconds since 1970; and whether
 * nothing will be added. A piece is footage without a gap: its media time 0 is at `pieceBegin`.
 */
export function parse(text, url) {
  const chunks = [];
  const base = new URL(url, location.href);
  let init = "";
  let pieceBegin = 0;
  for (const line of text.split("\n")) {
    if (line.startsWith("#EXT-X-MAP:")) {
      const path = /URI="([^"]+)"/.exec(line)[1];
      init = new URL(path, base).pathname;
      pieceBegin = Number(/(\d+)\/init\.mp4$/.exec(path)[1]) / NS;
    } else if (line && !line.startsWith("#")) {
      const [, begin, end] = /(\d+)-(\d+)\/\d+\.m4s$/.exec(line);
      const path = new URL(line, base).pathname;
      chunks.push({ url: path, init, pieceBegin, begin: Number(begin) / NS, end: Number(end) / NS });
    }
  }
  return { chunks, over: text.includes("#EXT-X-ENDLIST") };
}
