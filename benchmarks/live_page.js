// What the benchmark asks of the live page; it is there before the page's own scripts.
window.live = (() => {
  const [bits, cell] = [BARCODE];
  const modulo = 2 ** bits;
  const context = new OffscreenCanvas(bits * cell, cell).getContext("2d", { willReadFrequently: true });
  const videos = () => [...document.querySelectorAll(".tile:not([hidden]) video")];
  const ways = () => [...document.querySelectorAll(".tile .way")].map((way) => way.textContent).concat(videos().length ? [] : [""]);

  // The age of the picture that a video shows now, by the clock in it.
  function age(video) {
    const now = Date.now();
    const size = [bits * cell, cell];
    context.drawImage(video, 0, video.videoHeight - cell, ...size, 0, 0, ...size);
    const { data } = context.getImageData(0, 0, ...size);
    let made = 0;
    for (let bit = bits - 1, above = 0; bit >= 0; bit -= 1) {
      const lit = data[4 * (cell / 2 * size[0] + (bit + 0.5) * cell) + 1] > 127 ? 1 : 0;
      above ^= lit;
      made += above * 2 ** bit;
    }
    const found = (((now - made) % modulo) + modulo) % modulo;
    return found > modulo / 2 ? found - modulo : found;
  }

  const next = (video) => new Promise((resolve) => video.requestVideoFrameCallback(resolve));

  async function ages(seconds) {
    const found = [];
    const end = performance.now() + seconds * 1000;
    const [video] = videos();
    while (performance.now() < end) {
      await next(video);
      found.push(age(video));
    }
    return found;
  }

  // From the click to a picture that was made after it, or shortly before.
  async function switched(camera) {
    const began = performance.now();
    document.querySelector(`[data-view="${camera}"]`).click();
    const video = document.querySelector(`.tile[data-camera="${camera}"] video`);
    do await next(video);
    while (age(video) > 500);
    return performance.now() - began;
  }

  const live = { first: null, ways, ages, switched };
  const look = () => {
    if (!videos().some((video) => video.readyState >= 2 && video.videoWidth)) return requestAnimationFrame(look);
    const ms = performance.now();
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    live.first = { ms, bytes: all.reduce((sum, { transferSize }) => sum + transferSize, 0) };
  };
  requestAnimationFrame(look);
  return live;
})();
