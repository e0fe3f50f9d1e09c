// What a test asks of the sizes and places on a page, with the means of audit.js.
"use strict";
(() => {
  const $$ = (sel, from = document) => [...from.querySelectorAll(sel)];
  const scope = () => document.querySelector("dialog:modal") ?? document;
  const { shown, actions, face, meets, name } = audit;

  // Rows of a list and the four places of the bar border on each other: they are
  // 96 and 84 px high. The rest keeps 12 px from its neighbours. What scrolls away
  // under a bar that stays is no neighbour of the bar's.
  const bordering = ".fila > a, .tenida > a, .vecina > a, .antiguos a, .nav a";
  const stays = ".cab,.bajo,.novedades,.lado-volver,.hoja > header,.hoja .formulario > .pri";
  function gaps() {
    const faces = [...new Set(actions().map(face))];
    const fixed = (f) => f.closest(stays);
    const out = [];
    faces.forEach((a, i) => {
      const p = a.getBoundingClientRect();
      for (const b of faces.slice(i + 1, i + 12)) {
        if (a.contains(b) || b.contains(a) || fixed(a) !== fixed(b) || a.matches(bordering) && b.matches(bordering)) continue;
        const q = b.getBoundingClientRect();
        const dx = Math.max(q.left - p.right, p.left - q.right), dy = Math.max(q.top - p.bottom, p.top - q.bottom);
        if (Math.max(dx, dy) < 11.5) out.push(`${name(a)} and ${name(b)} are ${Math.round(Math.max(dx, dy))} px apart`);
      }
    });
    return out.slice(0, 6);
  }
  // Words that do not fit their own box, also where nothing clips them.
  function words() {
    const out = [];
    for (const e of $$("body *", scope()).slice(0, 2500)) {
      if (!e.checkVisibility() || e.closest("svg,.oculto,.saltar,.fila:nth-child(n+20),.hojas,.contingencia")) continue;
      if (e.matches("input[placeholder]") && !e.value && !fits(e)) out.push(`${name(e)}: "${e.placeholder}" does not fit`);
      if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || getComputedStyle(e).display === "inline" || e.matches("input,textarea")) continue;
      if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth) out.push(`${name(e)} needs ${e.scrollWidth} px and has ${e.clientWidth}`);
    }
    return out.slice(0, 6);
  }
  // A spool's name, its state and its inches are read from a step away: tail 36, rest
  // 20, chip 20, headline 56 px at the usual scale.
  function legible() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize), out = [];
    for (const [sel, px] of [[".tag", 20], [".tag b", 36], [".chip", 20], [".cifra.pd b:not(.largo)", 56]]) {
      for (const e of $$("main " + sel).filter((e) => e.checkVisibility())) {
        const has = parseFloat(getComputedStyle(e).fontSize);
        if (has < px / 16 * rem - .1) out.push(`${name(e)} (${sel}) has letters of ${has} px, not ${px / 16 * rem}`);
      }
    }
    return out.slice(0, 3);
  }
  function unnamed() { // what sends a command says which
    return $$("button[type=submit]:not([data-cmd]), button:not([type]):not([data-cmd])", scope())
      .filter((b) => b.form?.method === "post" && b.checkVisibility()).map((b) => `${name(b)} has no data-cmd`).slice(0, 3);
  }
  function broken() { // a verb or a name is read at a glance: never in two pieces
    const out = [], range = document.createRange();
    for (const e of $$(".pri b, .pri, .seg, .yo-texto b, .nav span, .tira .ir", scope()).filter((e) => e.checkVisibility())) {
      for (const n of [...e.childNodes].filter((n) => n.nodeType === 3)) {
        for (const m of n.data.matchAll(/\p{L}+/gu)) {
          range.setStart(n, m.index);
          range.setEnd(n, m.index + m[0].length);
          if (new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1) out.push(`${name(e)}: "${m[0]}" is broken in two`);
        }
      }
    }
    return out;
  }
  const pen = document.createElement("canvas").getContext("2d");
  function fits(e) {
    const s = getComputedStyle(e), p = getComputedStyle(e, "::placeholder");
    pen.font = `${p.fontStyle} ${p.fontWeight} ${p.fontSize} ${p.fontFamily}`;
    return pen.measureText(e.placeholder).width <= e.clientWidth - parseFloat(s.paddingLeft) - parseFloat(s.paddingRight) + 1;
  }
  // The act of a page is on the screen before anybody scrolls.
  function primary() {
    scrollTo(0, 0);
    const out = [];
    if (scope() !== document) return out;
    for (const e of $$(".bajo .pri").filter(shown)) out.push(...visible(e));
    return out;
  }
  function visible(e) {
    const r = face(e).getBoundingClientRect();
    if (r.left < -1 || r.top < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1) return [`${name(e)} is off the screen: ${[r.left, r.top, r.right, r.bottom].map(Math.round)} in ${innerWidth}×${innerHeight}`];
    return meets(e) ? [] : [`${name(e)} is covered`];
  }
  function keyboard(act) { // the focused field and what it is for, above the keyboard
    const field = document.activeElement;
    if (!field?.matches("input,textarea")) return ["no field has the focus"];
    const button = $$(act, scope()).find(shown);
    return [...visible(field), ...(button ? visible(button) : [`there is no ${act}`])];
  }
  audit.geometry = () => [...new Set([...primary(), ...audit.large(), ...words(), ...legible(), ...unnamed(), ...broken()])];
  Object.assign(audit, { gaps, words, primary, keyboard });
})();
