// Looks into fragmented MP4: where its keyframes are; and takes the sound out of it, so that pictures that are shown
// in silence need not wait for it.
//
// Boxes are renamed to `free`, which everyone skips (ISO/IEC 14496-12, 8.1.2); nothing is moved.

const FREE = fourcc("free");
const [MOOV, TRAK, TKHD, MDIA, HDLR, SOUN, MVEX, TREX, MDHD] = "moov trak tkhd mdia hdlr soun mvex trex mdhd".split(" ").map(fourcc);
const [MOOF, TRAF, TFHD, TFDT, TRUN] = "moof traf tfhd tfdt trun".split(" ").map(fourcc);
const NON_SYNC = 0x10000; // of a sample's flags

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

/** The stream's ticks in a second, of an init segment's pictures. */
export function ticksPerSecond(data) {
  const view = new DataView(data);
  const traks = inside(view, children(view, 0, data.byteLength, MOOV), TRAK);
  for (const trak of traks) {
    const mdia = inside(view, [trak], MDIA);
    const [hdlr] = inside(view, mdia, HDLR);
    const [mdhd] = inside(view, mdia, MDHD);
    if (hdlr && mdhd && view.getUint32(hdlr[0] + 16) !== SOUN) {
      return view.getUint32(mdhd[0] + (view.getUint8(mdhd[0] + 8) === 1 ? 28 : 20));
    }
  }
  return 0;
}

/** The ticks at which a fragment's pictures begin, if it begins with a keyframe; else null. */
export function keyframeAt(data, sounds) {
  const view = new DataView(data);
  for (const traf of inside(view, children(view, 0, data.byteLength, MOOF), TRAF)) {
    const [[tfhd], [tfdt], [trun]] = [TFHD, TFDT, TRUN].map((kind) => inside(view, [traf], kind));
    if (!tfhd || !tfdt || !trun || sounds.has(view.getUint32(tfhd[0] + 12))) continue;
    if (firstFlags(view, tfhd[0], trun[0]) & NON_SYNC) return null;
    return view.getUint8(tfdt[0] + 8) === 1 ? Number(view.getBigUint64(tfdt[0] + 12)) : view.getUint32(tfdt[0] + 12);
  }
  return null;
}

// Of the first sample (ISO/IEC 14496-12, 8.8.7 and 8.8.8): its own, else the fragment's.
function firstFlags(view, tfhd, trun) {
  const run = view.getUint32(trun + 8) & 0xffffff;
  const at = trun + 16 + (run & 0x1 ? 4 : 0);
  if (run & 0x4) return view.getUint32(at);
  if (run & 0x400) return view.getUint32(at + (run & 0x100 ? 4 : 0) + (run & 0x200 ? 4 : 0));
  const own = view.getUint32(tfhd + 8) & 0xffffff;
  if (!(own & 0x20)) return NON_SYNC;
  return view.getUint32(tfhd + 16 + (own & 0x1 ? 8 : 0) + [0x2, 0x8, 0x10].filter((flag) => own & flag).length * 4);
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
