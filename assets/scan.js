// Scanners that type, and what the tablet sounds. A burst of keys that ends in
// Enter or Tab is a scan: it never reaches a field, it goes to the box as one
// form, and the box decides what it means. Nothing is kept here.
document.addEventListener("DOMContentLoaded", () => {
  const page = window.envivo;
  const burst = 30; // ms between keys of a scanner, never of a person
  const shortest = 3;

  // ---- keys -------------------------------------------------------------------
  let read = "", last = -1e9, field = null, before = null, timer;
  addEventListener("keydown", (e) => {
    const at = e.timeStamp;
    if ((e.key === "Enter" || e.key === "Tab") && read.length >= shortest && at - last < 4 * burst) {
      e.preventDefault();
      e.stopImmediatePropagation();
      const code = read;
      restore();
      forget();
      scanned(code);
      return;
    }
    const key = e.key === "Dead" ? "'" : e.key;
    if (key.length !== 1 || e.ctrlKey || e.altKey || e.metaKey) {
      if (key !== "Shift") release();
      return;
    }
    if (read && at - last < burst) { // the second key of a burst on: not for the field
      e.preventDefault();
      e.stopImmediatePropagation();
      read += key;
    } else {
      release();
      read = key;
      field = e.target.closest?.("input,textarea") ?? null;
      before = field && { value: field.value, at: field.selectionStart ?? field.value.length };
    }
    last = at;
    clearTimeout(timer);
    timer = setTimeout(release, 4 * burst);
  }, true);
  function forget() { read = ""; field = before = null; clearTimeout(timer); }
  function restore() { // takes back the first key, which the field had got
    if (!field || field.value === before.value) return;
    field.value = before.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function release() { // it was a person after all: the keys held back are typed
    const rest = read.slice(1);
    if (field && rest) {
      field.setRangeText(rest, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    forget();
  }

  // ---- codes ------------------------------------------------------------------
  let seen = "", seenAt = -1e9;
  const head = () => document.querySelector('[data-k="cabeza"][data-tag]');
  async function scanned(code) {
    const now = performance.now();
    if (code === seen && now - seenAt < 3000) {
      seenAt = now;
      amber(page.say("repetido", { c: shown(code) }));
      return;
    }
    seen = code;
    seenAt = now;
    if (page.stale()) { unread(page.texts.viejo, [code]); return; }
    if (waiting.length >= mostWaiting) { unread("", [code]); return; }
    waiting.push({ code, at: now });
    await (running ??= drain().finally(() => { running = null; }));
  }

  // Scans that come while the box still owes an answer wait for it, in their
  // order. What each means is asked when its turn comes: of the page that the
  // answer before it leads to, which is opened once all are answered. What has
  // waited too long is given back: nothing is kept for when the box comes back.
  const mostWaiting = 8, longestWait = 15000; // ms
  const refusalSeen = 1500; // ms before the next outcome covers a refusal
  const waiting = [];
  const dropped = () => waiting.splice(0).map((w) => w.code);
  let running = null, to = "";
  const later = (ms) => new Promise((done) => setTimeout(done, ms));
  async function drain() {
    while (waiting.length) {
      while (page.isBusy()) await new Promise(page.onFree);
      if (to) stop(); // the page it leads to is not the last any more
      if (page.stale()) { unread(page.texts.viejo, dropped()); break; }
      if (performance.now() - waiting[0].at > longestWait) { unread(page.texts.noLlego, dropped()); break; }
      page.setBusy(true);
      const { code } = waiting.shift(), answer = await page.send("/escaneo", meant(code));
      page.setBusy(false);
      if (answer) page.landed(answer); else unread(page.texts.noLlego, dropped());
      if (!answer?.ok && (waiting.length || to)) await later(refusalSeen);
    }
    if (to) page.go(to);
  }
  page.onLeave((address) => {
    to = address;
    if (!running) page.go(to);
  });
  addEventListener("pageshow", () => { to = ""; });
  function meant(code) { // a scan with what the tablet shows, or is about to
    const body = new URLSearchParams({ codigo: code, orden: page.uuid7(), aqui: to || location.pathname + location.search });
    const opened = to && /^\/spools\/([^/?]+)(?:\?|$)/.exec(to), spool = !to && head();
    if (opened) body.set("spool", decodeURIComponent(opened[1]));
    if (spool) {
      body.set("spool", spool.dataset.tag);
      body.set("version", spool.dataset.version);
    }
    const handing = to ? null : document.querySelector('dialog form[action*="/traspasar"]');
    const done = handing?.querySelector("[data-hechas]") ? [...handing.querySelectorAll("[data-hechas] input:checked")] : page.ticked();
    if (spool) for (const i of done) body.append("union", i.value);
    if (handing) body.set("recibe", "1");
    return body;
  }
  function unread(why, codes) { // not one goes without a word
    seen = "";
    signal("no");
    page.complain([why, codes.length ? page.say("noLeidos", { c: codes.join(", ") }) : ""].join(" ").trim());
  }
  page.scanned = (code) => { stay(); return scanned(code); }; // read by the camera
  const shown = (code) => {
    const tag = head()?.dataset.tag;
    return tag ? "…" + tag.split("-").pop() : code;
  };
  function amber(text) {
    signal("doble");
    const box = page.complain(text);
    box.className = "aviso ambar";
    setTimeout(() => box.remove(), 3000);
  }

  // ---- sound, vibration, frame ----------------------------------------------------
  const tones = { // [Hz, ms] each, then the vibration
    tomado: [[[660, 90], [880, 120]], [60]],
    terminado: [[[660, 80], [880, 80], [1100, 160]], [50, 50, 100]],
    pausa: [[[880, 90], [660, 120]], [60]],
    visto: [[[740, 70]], [30]],
    doble: [[[220, 60]], [30]],
    no: [[[140, 380]], [100, 50, 100, 50, 100]],
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const gains = { no: 0, fuerte: .7 };
  const loud = gains[document.body.dataset.volumen] ?? .25;
  let audio;
  addEventListener("pointerdown", () => { audio ??= new AudioContext(); audio.resume(); }, { capture: true });
  function signal(kind) {
    if (kind === "tomado" || kind === "terminado" || kind === "pausa") finished();
    if (!tones[kind]) return;
    const [notes, shakes] = tones[kind];
    if (!still.matches) {
      navigator.vibrate?.(shakes);
      document.body.dataset.marco = kind;
      setTimeout(() => delete document.body.dataset.marco, 300);
    }
    if (!loud || audio?.state !== "running") return;
    let at = audio.currentTime;
    for (const [pitch, ms] of notes) {
      const tone = audio.createOscillator(), gain = audio.createGain();
      tone.frequency.value = pitch;
      gain.gain.value = loud;
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at += ms / 1000);
    }
  }

  // ---- PIN pad -------------------------------------------------------------------
  addEventListener("click", (e) => {
    const key = e.target.closest("[data-tecla]");
    if (!key) return;
    const pin = document.querySelector("#pin");
    pin.value = key.dataset.tecla ? pin.value + key.dataset.tecla : pin.value.slice(0, -1);
    entered();
  });
  // On the last digit the pad submits itself, once, and no sooner than it is
  // clear that the digit was not the first key of a scan.
  const pad = document.querySelector("[data-pin][data-largo]"), pin = pad?.elements.pin;
  let entering;
  function entered() {
    clearTimeout(entering);
    if (!pad || pin.disabled || pin.value.length !== Number(pad.dataset.largo)) return;
    entering = setTimeout(() => {
      if (pin.value.length !== Number(pad.dataset.largo)) return;
      for (const key of pad.querySelectorAll("[data-tecla]")) key.disabled = true;
      pad.requestSubmit();
    }, 5 * burst);
  }
  pin?.addEventListener("input", entered);
  pad?.addEventListener("submit", () => clearTimeout(entering));

  // ---- ticks that waited on the box ------------------------------------------------
  for (const n of document.querySelector("[data-borrador]")?.dataset.borrador.split(",") ?? []) {
    const box = document.querySelector(`input[name="union"][form="f-orden"][value="${CSS.escape(n)}"]`);
    if (!box) continue;
    box.checked = true;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // ---- rest: the person leaves a shared tablet ------------------------------------
  const rest = Number(document.body.dataset.reposo ?? 0) * 1000;
  const warnFor = 10000, doneFor = 5000;
  let actedAt = performance.now(), doneAt = 0, leaving = false;
  const bar = document.createElement("div");
  bar.className = "sigues";
  bar.hidden = true;
  bar.setAttribute("role", "alert");
  bar.append(document.createElement("p"), Object.assign(document.createElement("button"), { type: "button", className: "boton fuerte", textContent: page.texts.seguir }));
  const stay = () => { actedAt = performance.now(); doneAt = 0; bar.hidden = true; };
  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(kind, stay, { capture: true, passive: true });
  function finished() { if (rest) { actedAt = doneAt = performance.now(); } }
  if (rest) {
    setInterval(() => {
      if (leaving || page.isBusy() || page.stale()) { actedAt = Math.max(actedAt, performance.now() - rest + warnFor); return; }
      const left = (doneAt ? doneAt + doneFor : actedAt + rest) - performance.now();
      bar.hidden = left > warnFor;
      if (bar.hidden) return;
      const home = page.dialog() ?? document.querySelector(".bajo");
      if (bar.parentNode !== home) home.prepend(bar);
      bar.firstChild.textContent = page.say(doneAt ? "listo" : "sigues", { n: document.body.dataset.nombre, s: Math.max(0, Math.ceil(left / 1000)) });
      if (left <= 0) leave();
    }, 250);
  }
  function belongings() { // what the box keeps for who leaves
    const body = new URLSearchParams(), spool = head();
    if (spool) {
      body.set("spool", spool.dataset.tag);
      for (const i of page.ticked()) body.append("union", i.value);
    }
    const undo = document.querySelector("[data-avisos] input[name=evento]");
    if (undo) body.set("evento", undo.value);
    return body;
  }
  async function leave() {
    leaving = true;
    try {
      await fetch("/salir", { method: "POST", body: belongings(), redirect: "manual" });
      location.href = "/";
    } catch { leaving = false; stay(); }
  }
  addEventListener("submit", (e) => {
    if (e.target.getAttribute("action") !== "/salir" || page.stale()) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    leave();
  }, true);
  setInterval(() => { // an undo in a list goes when it is too late
    for (const f of document.querySelectorAll("[data-lote]")) if (Number(f.dataset.lote) <= page.boxNow()) f.remove();
  }, 1000);

  // ---- unions: tiles fill in the fields -----------------------------------------------
  const fields = () => [...document.querySelectorAll("[data-campo-dn]")];
  const empties = () => fields().filter((f) => !f.value.trim());
  let chosen = null, chosenDN = "", chosenType = "";
  addEventListener("focusin", (e) => {
    if (e.target.matches("[data-elegir-todo]")) e.target.select();
    if (e.target.matches("[data-campo-dn]")) chosen = e.target;
  });
  const press = (kind, button) => { for (const b of document.querySelectorAll(`[data-${kind}]`)) { b.classList.toggle("puesta", b === button); b.setAttribute("aria-pressed", b === button); } };
  addEventListener("click", (e) => {
    const dn = e.target.closest("[data-dn]"), type = e.target.closest("[data-tipo]");
    if (dn) {
      chosenDN = dn.dataset.dn;
      press("dn", dn);
      if (chosen) chosen.value = chosenDN;
      chosen = null;
    }
    if (type) { chosenType = type.dataset.tipo; press("tipo", type); }
    if (!e.target.closest("[data-vacias]")) return;
    for (const f of empties()) if (chosenDN) f.value = chosenDN;
    for (const group of document.querySelectorAll(".tipos")) {
      const pick = [...group.querySelectorAll("input")];
      if (!pick.some((i) => i.checked)) pick.filter((i) => i.value === chosenType).forEach((i) => { i.checked = true; });
    }
  });

  // ---- paper ----------------------------------------------------------------------
  addEventListener("click", (e) => { if (e.target.closest("[data-imprimir]")) print(); });
  page.onSignal(signal);
  signal(document.querySelector("[data-senal]")?.dataset.senal);
});
