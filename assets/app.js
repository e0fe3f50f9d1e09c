// The one script of every page. It keeps regions equal to what the box says,
// tells honestly how old they are, and sends commands once. Pages and forms
// work without it.
"use strict";
document.documentElement.classList.add("js");
document.addEventListener("DOMContentLoaded", () => {
  const $ = (sel, from = document) => from.querySelector(sel);
  const $$ = (sel, from = document) => [...from.querySelectorAll(sel)];
  const page = document.body.dataset;
  const texts = $("#textos").dataset;
  const say = (key, values = {}) => Object.entries(values).reduce((t, [k, v]) => t.replace(`{${k}}`, v), texts[key]);

  // ---- time: the box's clock, whatever the tablet believes -----------------
  let skew = Number(page.now) - Date.now();
  const boxNow = () => Date.now() + skew;
  // The first formatter of a page takes the browser 20 ms: none is made before it is needed.
  const inPlant = (options, made) => (ms) => (made ??= new Intl.DateTimeFormat("es-CL", { timeZone: "America/Santiago", ...options })).format(ms);
  const clock = inPlant({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const date = inPlant({ day: "2-digit", month: "2-digit", year: "numeric" });
  const day = (ms) => date(ms).replaceAll("/", "-");

  function lapse(ms) {
    const min = Math.floor(ms / 60000), h = Math.floor(min / 60);
    if (min < 1) return say("recien");
    if (h < 1) return say("min", { m: min });
    return h < 48 ? say("horas", { h, m: min % 60 }) : say("dias", { d: Math.floor(h / 24), h: h % 24 });
  }
  function tick(from = document) {
    for (const t of $$("time[data-elapsed]", from)) {
      const at = Number(t.dataset.elapsed) * 1000;
      let text = lapse(boxNow() - at);
      if (t.dataset.f === "desde") {
        text = day(at) === day(boxNow()) ? say("las", { h: clock(at) }) : say("el", { d: day(at), h: clock(at) });
      }
      if (t.textContent !== text) t.textContent = text;
    }
  }

  // ---- connection: the mark says only what is known -------------------------
  const staleAfter = 15000;
  const minute = (ms) => Math.floor(ms / 60000);
  let heardAt = performance.now(), heardClock = boxNow(), drawnMinute = minute(page.now), wasStale = false, backUntil = 0, restarting = false, broken = false;
  const stale = () => broken || performance.now() - heardAt > staleAfter;
  function heard(now) {
    if (now) skew = now - Date.now();
    heardAt = performance.now();
    heardClock = boxNow();
    restarting = false;
  }
  function mark() {
    const old = stale(), banner = $("[data-caida]");
    if (wasStale && !old) backUntil = performance.now() + 4000;
    wasStale = old;
    document.body.classList.toggle("viejo", old);
    banner.hidden = !old;
    if (old) set(banner, say(restarting ? "reinicio" : "caida", { h: clock(heardClock) }));
    const word = old ? "deLas" : performance.now() < backUntil ? "vuelta" : "alDia";
    set($("[data-marca-palabra]"), texts[word]);
    if (minute(heardClock) === drawnMinute) return; // as the box drew it
    drawnMinute = minute(heardClock);
    set($("[data-marca-hora]"), clock(heardClock));
  }
  const set = (el, text) => { if (el && el.textContent !== text) el.textContent = text; };

  // ---- hands: nothing moves under a finger ----------------------------------
  let fingers = 0, touchedAt = -1e9;
  const movedAt = new WeakMap();
  addEventListener("pointerdown", () => { fingers++; touchedAt = performance.now(); }, true);
  for (const kind of ["pointerup", "pointercancel"]) {
    addEventListener(kind, () => { fingers = 0; touchedAt = performance.now(); setTimeout(settle, 0); setTimeout(settle, 1600); }, true);
  }
  const dialog = () => $("dialog[data-hoja]");
  const atRest = () => !fingers && !dialog() && performance.now() - touchedAt > 1500;
  addEventListener("click", (e) => {
    const changed = e.target.closest("[data-k]");
    if (e.isTrusted && changed && performance.now() - (movedAt.get(changed) ?? -1e9) < 400) {
      e.preventDefault();
      e.stopPropagation();
      navigator.vibrate?.(30);
    }
  }, true);

  // ---- regions --------------------------------------------------------------
  // want holds what the box last said of each region: keys in order, and the
  // HTML of those that must still be drawn.
  const want = new Map();
  const nodes = (region) => new Map([...region.children].map((n) => [n.dataset.k, n]));
  function wanted(region) {
    const id = region.dataset.region;
    if (!want.has(id)) want.set(id, { keys: [...region.children].map((n) => n.dataset.k), html: new Map() });
    return want.get(id);
  }
  // What a node was drawn from; equal text is not drawn again.
  const source = new WeakMap();
  function parseAll(htmls) { // each text is one element; many are read at once
    const t = document.createElement("template");
    t.innerHTML = htmls.join("");
    const drawn = [...t.content.children];
    if (drawn.length !== htmls.length) return htmls.length === 1 ? drawn.slice(0, 1) : htmls.map(parse);
    drawn.forEach((n, i) => source.set(n, htmls[i]));
    return drawn;
  }
  const parse = (html) => parseAll([html])[0];
  function keep(from, to) { // what the person did inside survives the new drawing
    for (const input of $$("input:is([type=checkbox],[type=radio]):checked", from)) {
      const twin = $(`input[type=${input.type}][value="${CSS.escape(input.value)}"]`, to);
      if (twin) twin.checked = true;
    }
    for (const [i, d] of $$("details", from).entries()) if (d.open && $$("details", to)[i]) $$("details", to)[i].open = true;
    if (!from.contains(document.activeElement)) return () => {};
    const targets = "a,button,input,summary,textarea";
    const at = from === document.activeElement ? -1 : $$(targets, from).indexOf(document.activeElement);
    return () => (at < 0 ? to : $$(targets, to)[at])?.focus({ preventScroll: true });
  }
  function redraw(node, fresh, mine) {
    tick(fresh);
    if (node.isEqualNode(fresh)) { source.set(node, source.get(fresh)); return node; }
    const focus = keep(node, fresh);
    node.replaceWith(fresh);
    focus();
    movedAt.set(fresh, mine ? -1e9 : performance.now());
    if (!mine && fresh.matches(".fila,.persona,.union,.vecina")) busy ? unsure.push(fresh) : others(fresh);
    return fresh;
  }
  function others(node) { // somebody else changed it
    node.classList.add("cambiada");
    setTimeout(() => { node.classList.remove("cambiada"); if (!node.className) node.removeAttribute("class"); }, 3000);
  }
  function inPlace(region, mine) {
    const w = wanted(region);
    const old = [];
    for (const [key, node] of nodes(region)) {
      if (!w.html.has(key)) continue;
      if (source.get(node) !== w.html.get(key) || node.classList.contains("yendo")) old.push([key, node]);
      else w.html.delete(key);
    }
    const fresh = parseAll(old.map(([key]) => w.html.get(key)));
    old.forEach(([key, node], i) => {
      redraw(node, fresh[i], mine);
      w.html.delete(key);
    });
  }
  function reorder(region, mine) {
    const w = wanted(region), have = nodes(region), keys = new Set(w.keys);
    const coming = w.keys.filter((key) => !have.has(key) && w.html.has(key));
    const fresh = parseAll(coming.map((key) => w.html.get(key)));
    const entering = new Map(coming.map((key, i) => [key, fresh[i]]));
    let at = region.firstElementChild;
    for (const [key, node] of have) if (!keys.has(key)) { if (node === at) at = at.nextElementSibling; node.remove(); }
    for (const key of w.keys) {
      let node = have.get(key);
      if (node && node === at) { at = at.nextElementSibling; continue; }
      if (!node) {
        node = entering.get(key);
        if (!node) continue;
        w.html.delete(key);
        tick(node);
      }
      region.insertBefore(node, at);
    }
    if (!mine) for (const n of region.children) movedAt.set(n, performance.now());
  }
  const misplaced = (region) => {
    const keys = wanted(region).keys;
    return keys.length !== region.childElementCount || keys.some((k, i) => region.children[i].dataset.k !== k);
  };
  function settle(mine = false) {
    if (fingers && !mine) return;
    let entering = 0, leaving = 0, moved = false;
    for (const region of $$("[data-region]")) {
      if (!want.has(region.dataset.region)) continue;
      inPlace(region, mine === true);
      if (!misplaced(region)) continue;
      if (mine === true || atRest()) { reorder(region, mine === true); continue; }
      const have = nodes(region), keys = new Set(wanted(region).keys);
      moved = true;
      for (const k of keys) if (!have.has(k)) entering++;
      for (const [k, n] of have) {
        const gone = !keys.has(k);
        if (gone) leaving++;
        if (gone && n.matches(".fila:not(.yendo)")) reason(k, n);
        n.classList.toggle("yendo", gone);
      }
    }
    newsBar(entering, leaving, moved);
    ticks();
    pointless();
  }
  async function reason(tag, row) { // why a row is about to leave, told on the row
    const res = await fetch("/spools/" + encodeURIComponent(tag), { headers: { "X-Parte": "vivo" } }).catch(() => {});
    const now = res?.ok ? await res.json() : { regions: [] };
    const said = parse(now.regions.find((r) => r.id === "cabeza")?.items[0].h ?? "")?.dataset.ahora;
    if (!said || !row.classList.contains("yendo")) return;
    row.append(Object.assign(document.createElement("p"), { className: "razon", textContent: said }));
  }
  function newsBar(entering, leaving, moved) {
    const parts = [];
    if (entering) parts.push(say(entering === 1 ? "nuevo" : "nuevos", { n: entering }));
    if (leaving) parts.push(say(leaving === 1 ? "ido" : "idos", { n: leaving }));
    if (!parts.length) parts.push(texts.orden);
    $("[data-novedades]").hidden = !moved || !!dialog();
    set($("[data-aplicar]"), parts.join(" · "));
  }
  $("[data-aplicar]").addEventListener("click", () => settle(true));
  setInterval(() => { if (!$("[data-novedades]").hidden) settle(); }, 500);

  // A whole state of the page: after a search, an own act, or a lost stream.
  function replace(state, mine) {
    for (const r of state.regions) {
      const region = $(`[data-region="${r.id}"]`);
      if (!region) continue;
      const w = wanted(region);
      w.keys = r.items.map((i) => i.k);
      w.html = new Map(r.items.map((i) => [i.k, i.h]));
    }
    const moved = state.rev !== page.rev || state.view !== page.view;
    Object.assign(page, { view: state.view, seq: state.seq, rev: state.rev, epoch: state.epoch });
    heard(state.now);
    settle(mine);
    if (moved) connect(250); // patches are relative to what their socket knows
  }
  async function fresh(address = location.pathname + location.search, mine = false, signal) {
    const res = await fetch(address, { headers: { "X-Parte": "vivo" }, signal, cache: "no-store" });
    if (res.status === 403) location.reload(); // shut out: the page says so
    if (!res.ok) throw new Error(res.status);
    replace(await res.json(), mine);
  }

  // ---- stream ---------------------------------------------------------------
  let socket, again, wait = 200, renew = false;
  function connect(delay = 0) {
    const old = socket;
    socket = null;
    old?.close();
    clearTimeout(again);
    if (page.view) again = setTimeout(open, delay);
  }
  function open() {
    const url = new URL("/ws/ui", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = new URLSearchParams({ view: page.view, epoch: page.epoch, rev: page.rev, build: page.build, reloj: Date.now() });
    const mine = socket = new WebSocket(url);
    mine.onmessage = (e) => { if (mine === socket) receive(JSON.parse(e.data)); };
    mine.onclose = (e) => {
      if (mine !== socket) return;
      socket = null;
      if (e.code === 4003 || e.code === 4004) { location.reload(); return; } // shut out, or no such view: the page says which
      if (e.code === 1008 || e.code === 1009) return; // the page goes on by asking
      restarting = e.code === 1012;
      const delay = e.code === 4008 ? 0 : 200 + Math.random() * (restarting ? 1800 : wait);
      wait = Math.min(wait * 2, 8000);
      again = setTimeout(open, delay);
    };
  }
  function receive(m) {
    wait = 800;
    if (m.kind === "error") { broken = true; mark(); dispatchEvent(new Event("sin-carga")); return; }
    if (m.kind === "hello" || m.kind === "patch" || m.kind === "reset") broken = false;
    heard(m.now);
    if (m.kind === "hello") {
      page.epoch = m.epoch;
      if (m.build && m.build !== page.build) renew = true;
    }
    if (m.kind === "reset") fresh().catch(() => { heardAt = -1e9; });
    if (m.kind === "patch") patch(m);
    if (m.seq && m.kind !== "hello") page.seq = m.seq;
    mark();
  }
  function patch(m) {
    page.rev = m.rev;
    for (const p of m.regions) {
      const region = $(`[data-region="${CSS.escape(p.id)}"]`);
      if (!region) continue;
      const w = wanted(region);
      for (const key of p.remove ?? []) { drop(w.keys, key); w.html.delete(key); }
      for (const i of p.put ?? []) {
        if (i.html !== undefined) w.html.set(i.key, i.html);
        if (i.after === undefined) continue;
        drop(w.keys, i.key);
        w.keys.splice(i.after === null ? 0 : w.keys.indexOf(i.after) + 1, 0, i.key);
      }
    }
    settle();
  }
  const drop = (list, key) => { const at = list.indexOf(key); if (at >= 0) list.splice(at, 1); };
  // Without a stream the page asks by itself.
  setInterval(() => {
    if ((page.view || page.releer !== undefined) && performance.now() - heardAt > 7000 && !document.hidden) fresh().catch(() => {});
    if (!page.view && page.releer === undefined && !document.hidden) pulse().catch(() => {});
  }, 5000);
  async function pulse() { // a page that follows nothing still knows whether the box is there
    const res = await fetch("/pulso?build=" + encodeURIComponent(page.build), { cache: "no-store" });
    if (!res.ok) return;
    const answer = await res.json();
    heard(answer.now);
    if (answer.fuera && page.extrano === undefined) location.reload();
  }
  // The screen stays on where the browser allows it, which is over HTTPS only.
  function stayAwake() { if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {}); }
  addEventListener("visibilitychange", stayAwake); // it lets go of a hidden page's
  stayAwake();
  for (const kind of ["visibilitychange", "pageshow", "online"]) {
    addEventListener(kind, () => { if (!document.hidden && !socket) { wait = 200; connect(); } });
  }
  setInterval(() => {
    mark();
    tick();
    countdown();
    if (renew && atRest() && !ticked().length && !busy && !stale()) location.reload();
  }, 1000);

  if (matchMedia(`(min-width: ${62 * (Number(getComputedStyle(document.documentElement).getPropertyValue("--escala")) || 1)}em)`).matches) for (const d of $$("details[data-panel]")) d.open = true;

  // ---- unions ----------------------------------------------------------------
  const ticked = () => $$('input[name="union"][form="f-orden"]:checked');
  function ticks() {
    const all = $$('input[name="union"][form="f-orden"]'), on = ticked();
    const state = !on.length ? "" : on.length === all.length ? "todas" : "parte";
    if (state) page.marcas = state; else delete page.marcas;
    const part = $("[data-parte]");
    if (!part) return;
    part.dataset.antes ??= $("[data-marcadas]", part).textContent;
    const pd = on.reduce((sum, i) => sum + Number(i.dataset.pd), 0) / 100;
    set($("[data-marcadas]", part), on.length ? say("kDeN", { k: on.length, n: all.length }) : part.dataset.antes);
    set($("[data-marcadas-pd]", part), on.length ? say("pd", { pd: String(pd).replace(".", ",") }) : "");
    if (!on.length) delete part.dataset.antes;
  }
  addEventListener("change", (e) => { if (e.target.name === "union") ticks(); });
  addEventListener("click", (e) => {
    const all = e.target.closest("[data-todas]");
    if (!all) return;
    for (const i of $$('input[name="union"][form="f-orden"]')) i.checked = all.dataset.todas === "1";
    ticks();
  });

  addEventListener("resize", () => { // a keyboard came up: not every browser shows the field again
    const field = document.activeElement;
    if (field?.matches("input,textarea")) field.scrollIntoView({ block: field.type === "search" ? "start" : "nearest", behavior: "instant" });
  });

  // ---- dialogs ---------------------------------------------------------------
  let opener;
  function show(d) {
    d.removeAttribute("open");
    for (const i of ticked()) for (const same of $$(`[data-hechas] input[value="${CSS.escape(i.value)}"]`, d)) same.checked = true;
    d.addEventListener("close", () => { d.remove(); opener?.isConnected && opener.focus(); settle(); });
    d.showModal();
    ($("[autofocus]", d) ?? $("h2", d)).focus();
  }
  const shut = () => dialog()?.close();
  addEventListener("click", async (e) => {
    const link = e.target.closest("a[data-abrir]");
    if (e.target.closest("[data-cerrar-hoja],[data-ver]") && dialog()) { e.preventDefault(); shut(); }
    if (!link || stale()) return;
    e.preventDefault();
    try {
      const res = await fetch(link.href, { headers: { "X-Parte": "hoja" }, cache: "no-store" });
      if (!res.ok) throw new Error(res.status);
      const d = parse(await res.text());
      if (!dialog()) opener = link;
      const last = dialog();
      if (last) last.remove();
      $("[data-lugar-hoja]").append(d);
      show(d);
    } catch { location.href = link.href; }
  });
  function pointless() { // an open dialog says inside that the spool changed
    const d = dialog(), head = $("[data-version]");
    if (!d || !head || !d.dataset.v || d.dataset.v === head.dataset.version) return;
    set($("[data-cambio] p", d), head.dataset.dice);
    $("[data-cambio]", d).hidden = false;
  }
  if (dialog()) show(dialog());

  // ---- commands ----------------------------------------------------------------
  let busy = false;
  // Drawn anew while an own command had no answer: the answer says whose change it was.
  const unsure = [];
  const freed = [];
  function setBusy(on) { // who waits goes on once the answer is painted
    busy = on;
    if (!on) for (const f of freed.splice(0)) setTimeout(f, 0);
  }
  const notices = $("[data-avisos]");
  function uuid7() {
    const b = crypto.getRandomValues(new Uint8Array(16));
    let t = Math.floor(boxNow());
    for (let i = 5; i >= 0; i--) { b[i] = t % 256; t = Math.floor(t / 256); }
    b[6] = (b[6] & 15) | 112;
    b[8] = (b[8] & 63) | 128;
    return [...b].map((x, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + x.toString(16).padStart(2, "0")).join("");
  }
  function notice(html) {
    notices.innerHTML = html;
    const box = notices.firstElementChild;
    if (!box) return;
    set($(box.dataset.aviso === "bien" ? "[data-decir]" : "[data-gritar]"), box.querySelector("p").textContent.trim());
    fade(box);
  }
  function within(form, button) { // the notice lies under an open dialog: say it inside too
    if (!form.closest("dialog")) return;
    const p = $("[data-dicho]", form) ?? Object.assign(document.createElement("p"), { className: "dicho" });
    p.dataset.dicho = "";
    p.textContent = $("p", notices)?.textContent.trim() ?? "";
    button.before(p);
  }
  function fade(box) {
    if (box.dataset.aviso === "bien" && !$("[data-anillo]", box)) setTimeout(() => box.remove(), $("[data-hasta]", box) ? Number($("[data-hasta]", box).dataset.hasta) - boxNow() : 4000);
  }
  function complain(text, retry) {
    const box = document.createElement("div");
    box.className = "aviso mal";
    box.dataset.aviso = "mal";
    box.append(Object.assign(document.createElement("p"), { textContent: text }));
    if (retry) box.append(Object.assign(document.createElement("a"), { className: "boton", href: retry, textContent: texts.reintentar }));
    notices.replaceChildren(box);
    set($("[data-gritar]"), text);
    return box;
  }
  function countdown() {
    for (const ring of $$("[data-anillo]")) {
      const left = Math.ceil((Number(ring.dataset.anillo) - boxNow()) / 1000);
      if (left <= 0) { ring.closest(".aviso").remove(); continue; }
      set(ring, String(left));
      ring.style.setProperty("--parte", left * 5 + "%");
    }
    for (const b of $$("[data-hasta]")) set($("[data-cuenta-atras]", b), say("segundos", { s: Math.max(0, Math.ceil((Number(b.dataset.hasta) - boxNow()) / 1000)) }));
  }
  addEventListener("click", (e) => {
    const x = e.target.closest("[data-cerrar-aviso]");
    if (x) { e.preventDefault(); x.closest(".aviso").remove(); }
  });
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  async function send(address, body) { // the same key until the box answers, at most 30 s
    const end = performance.now() + 30000;
    for (let lost = false; ;) {
      try {
        const res = await fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-Vista": page.view }, signal: AbortSignal.timeout(10000) });
        if (res.status === 403 && !/json/.test(res.headers.get("Content-Type"))) { location.reload(); return new Promise(() => {}); } // shut out
        return await res.json();
      } catch {
        if (!lost) complain(texts.perdida);
        lost = true;
        if (performance.now() > end) return null;
        await pause(1000);
      }
    }
  }
  async function ask(address, key) { // after that it only asks what became of it
    complain(texts.noSabemos);
    for (; ;) {
      await pause(3000);
      try {
        const res = await fetch(address.replace(/\/[^/]*$/, "/orden?id=" + encodeURIComponent(key)), { headers: { Accept: "application/json", "X-Vista": page.view } });
        return await res.json();
      } catch { /* still away */ }
    }
  }
  addEventListener("submit", async (e) => {
    const form = e.target, button = e.submitter;
    if (!form.matches("[data-orden]")) {
      if (form.dataset.enviado) e.preventDefault();
      form.dataset.enviado = "1";
      return;
    }
    e.preventDefault();
    if (busy) return;
    if (stale()) { complain(texts.viejo); return; }
    busy = true;
    const label = $("b", button) ?? button, was = label.textContent;
    button.dataset.ocupado = "1";
    const slow = setTimeout(() => set(label, texts.confirmando), 400);
    const body = new URLSearchParams(new FormData(form, button));
    const address = button.getAttribute("formaction") ?? form.getAttribute("action");
    const answer = (await send(address, body)) ?? (await ask(address, body.get("orden")));
    clearTimeout(slow);
    if (label.isConnected) set(label, was);
    delete button.dataset.ocupado;
    setBusy(false);
    if (!landed(answer)) return;
    if (form.elements.orden) form.elements.orden.value = uuid7();
    if (!answer.ok) within(form, button);
  });
  function landed(answer) { // paints what the box answered; false when the page is left
    signal(answer.senal);
    for (const node of unsure.splice(0)) if (!answer.ok) others(node);
    if (answer.ir) { leave(window.envivo.beside(answer.ir, answer.lista)); return false; }
    if (answer.ok) {
      for (const i of ticked()) i.checked = false;
      shut();
    }
    const fixed = $("#f-orden input[name=orden]");
    if (fixed) fixed.value = uuid7();
    if (answer.state && (answer.cambia || answer.state.view === page.view)) replace(answer.state, true);
    if (answer.html) notice(answer.html);
    countdown();
    return true;
  }
  const go = (to) => { if (to === location.pathname + location.search) location.reload(); else location.href = to; };
  let leave = go;
  addEventListener("pageshow", (e) => {
    for (const f of $$("form[data-enviado]")) delete f.dataset.enviado;
    if (e.persisted) fresh().catch(() => {});
  });

  // ---- what can wait until the page is painted and nothing else is to be done ---
  const idle = window.requestIdleCallback ?? ((f) => setTimeout(f, 200));
  const later = (f) => document.readyState === "complete" ? idle(f) : addEventListener("load", () => requestAnimationFrame(() => idle(f)), { once: true });

  // ---- what lists.js and scan.js build on -------------------------------------
  let signal = () => {};
  window.envivo = { fresh, shut, hour: () => clock(heardClock), say, texts, page, boxNow, stale, complain, send, ask, landed, ticked, uuid7, dialog, atRest, later,
    isBusy: () => busy, setBusy, onFree: (f) => { freed.push(f); }, go, onLeave: (f) => { leave = f; }, onSignal: (f) => { signal = f; }, touched: () => touchedAt };

  for (const box of $$("[data-aviso]")) fade(box);
  mark();
  countdown();
  ticks();
  connect();
  later(() => tick()); // the box drew the times of this minute itself
});
