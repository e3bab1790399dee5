// Takes the sound out of fragmented MP4, so that pictures that are shown in silence need not wait for it.
//
// Boxes are renamed to `free`, which everyone skips (ISO/IEC 14496-12, 8.1.2); nothing is moved.

const FREE = fourcc("free");
const [MOOV, TRAK, TKHD, MDIA, HDLR, SOUN, MVEX, TREX] = "moov trak tkhd mdia hdlr soun mvex trex".split(" ").map(fourcc);
const [MOOF, TRAF, TFHD] = "moof traf tfhd".split(" ").map(fourcc);

function fourcc(name) {
  return [...name].reduce((sum, letter) => sum * 256 + letter.charCodeAt(0), 0);
}

function children(view, begin, end, kind) {
  const found = [];
  for (let at = begin; at + 8 <= end; ) {
    const size = view.getUint32(at);
    if (size < 8) break;
    if (view.getUint32(at + 4) === kind) found.push([at, Math.min(end, at + size)]);
    at += size;
  }
  return found;
}

const inside = (view, boxes, kind) => boxes.flatMap(([at, end]) => children(view, at + 8, end, kind));

/** The ids of an init segment's sound tracks; with `mute`, these are removed from it (in place). */
export function soundTracks(data, mute) {
  const view = new DataView(data);
  const moov = children(view, 0, data.byteLength, MOOV);
  const ids = new Set();
  for (const trak of inside(view, moov, TRAK)) {
    const [hdlr] = inside(view, inside(view, [trak], MDIA), HDLR);
    const [tkhd] = inside(view, [trak], TKHD);
    if (!hdlr || !tkhd || view.getUint32(hdlr[0] + 16) !== SOUN) continue;
    ids.add(view.getUint32(tkhd[0] + (view.getUint8(tkhd[0] + 8) === 1 ? 28 : 20)));
    if (mute) view.setUint32(trak[0] + 4, FREE);
  }
  for (const [at] of mute ? inside(view, inside(view, moov, MVEX), TREX) : []) {
    if (ids.has(view.getUint32(at + 12))) view.setUint32(at + 4, FREE);
  }
  return ids;
}

/** Whether a fragment holds pictures; with `mute`, the sound tracks are removed from it (in place). */
export function hasPictures(data, sounds, mute) {
  if (!sounds.size) return true;
  const view = new DataView(data);
  let pictures = false;
  for (const traf of inside(view, children(view, 0, data.byteLength, MOOF), TRAF)) {
    const [tfhd] = inside(view, [traf], TFHD);
    if (!tfhd || !sounds.has(view.getUint32(tfhd[0] + 12))) pictures = true;
    else if (mute) view.setUint32(traf[0] + 4, FREE);
  }
  return pictures;
}
