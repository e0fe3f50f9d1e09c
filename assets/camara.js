// The camera as a scanner, where the browser gives it: a page that came by
// HTTPS. What it reads goes the way of every scan. A browser that cannot read
// codes sends grey frames to the box, which can.
document.addEventListener("DOMContentLoaded", () => {
  const page = window.envivo;
  const buttons = document.querySelectorAll("[data-camara]");
  if (!buttons.length || !isSecureContext || !navigator.mediaDevices?.getUserMedia) return;
  const side = 400; // pixels of a frame for the box
  const again = 2000; // ms out of sight before the same code counts anew
  // The box is told whether there is a camera and draws the next pages so. A page
  // that did not know keeps the button's place, and only shows what is in it:
  // whatever is found, nothing moves.
  const found = document.documentElement.dataset;
  page.later(async () => {
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    const there = all.some((d) => d.kind === "videoinput") ? "si" : "no";
    if (there === found.conCamara) return;
    document.cookie = `envivo_camara=${there};path=/;max-age=34560000;samesite=lax`;
    if (!found.conCamara && there === "si") found.conCamara = there;
  });

  let stream, panel, opener, video, brush, last = "", lastAt = -1e9;
  function prepare() {
    if (video) return;
    video = document.createElement("video");
    video.muted = video.playsInline = true;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    brush = canvas.getContext("2d", { willReadFrequently: true });
  }
  const later = (ms) => new Promise((done) => setTimeout(done, ms));

  async function reader() {
    const formats = await window.BarcodeDetector?.getSupportedFormats().catch(() => []) ?? [];
    if (!formats.includes("qr_code")) return { read: askBox, pause: 300 };
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return { read: async () => (await detector.detect(video))[0]?.rawValue, pause: 120 };
  }
  async function askBox() {
    const w = video.videoWidth, h = video.videoHeight, cut = Math.min(w, h);
    brush.drawImage(video, (w - cut) / 2, (h - cut) / 2, cut, cut, 0, 0, side, side);
    const { data } = brush.getImageData(0, 0, side, side), grey = new Uint8Array(side * side);
    for (let i = 0; i < grey.length; i++) grey[i] = (data[4 * i] * 77 + data[4 * i + 1] * 150 + data[4 * i + 2] * 29) >> 8;
    const answer = await fetch("/escaneo/imagen?ancho=" + side, { method: "POST", body: grey, headers: { "Content-Type": "application/octet-stream" } });
    if (answer.status === 429) await later(1000);
    return answer.status === 200 ? (await answer.json()).codigo : "";
  }

  async function open(from) {
    if (panel) return;
    opener = from;
    prepare();
    panel = Object.assign(document.createElement("section"), { className: "camara" });
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-label", page.texts.camara);
    const shut = Object.assign(document.createElement("button"), { type: "button", className: "boton fuerte", textContent: page.texts.cerrar });
    shut.addEventListener("click", close);
    panel.append(video, Object.assign(document.createElement("p"), { textContent: page.texts.apunta }), shut);
    document.body.append(panel);
    shut.focus();
    const mine = panel;
    try {
      const got = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
      if (panel !== mine) { for (const t of got.getTracks()) t.stop(); return; } // closed while it asked
      stream = got;
      video.srcObject = stream;
      await video.play();
      await watch(mine);
    } catch {
      if (panel !== mine) return;
      close();
      page.complain(page.texts.sinCamara);
    }
  }
  async function watch(mine) {
    const { read, pause } = await reader();
    while (panel === mine) {
      const code = video.videoWidth && !page.isBusy() ? await read().catch(() => "") : "";
      if (panel === mine && code) seen(code);
      await later(pause);
    }
  }
  function seen(code) {
    const now = performance.now(), fresh = code !== last || now - lastAt > again;
    last = code;
    lastAt = now;
    if (fresh) page.scanned(code);
  }
  function close() {
    if (!panel) return;
    for (const t of stream?.getTracks() ?? []) t.stop();
    stream = video.srcObject = null;
    panel.remove();
    panel = null;
    opener?.focus();
  }
  addEventListener("click", (e) => {
    const b = e.target.closest("[data-camara]");
    if (b) open(b);
  });
  addEventListener("keydown", (e) => { if (e.key === "Escape") close(); });
  addEventListener("pagehide", close);
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); });
});
