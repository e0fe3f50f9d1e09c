// What a test asks of a page, in the page. It runs before the page's own
// scripts and changes nothing but the scroll position.
"use strict";
(() => {
  const violations = [];
  document.addEventListener("securitypolicyviolation", (e) => violations.push(`CSP ${e.violatedDirective}: ${e.blockedURI || "inline"}`));
  const usable = "a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex='0']";
  const $$ = (sel, from = document) => [...from.querySelectorAll(sel)];
  const scope = () => document.querySelector("dialog:modal") ?? document;
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}${typeof e.className === "string" && e.className ? "." + e.className.split(" ")[0] : ""} "${(e.innerText || e.ariaLabel || e.name || "").trim().replace(/\s+/g, " ").slice(0, 40)}"`;

  // The part of an action that a finger meets: the label of a covered box.
  const face = (e) => (e.matches("input[type=checkbox],input[type=radio]") && e.closest("label")) || e;
  function shown(e) {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest(".oculto,.saltar")) return false;
    const r = face(e).getBoundingClientRect();
    return r.width > 1 && r.height > 1;
  }
  // Long lists are alike: the first and the last of their actions stand for all.
  function actions(most = 60) {
    const all = $$(usable, scope());
    const some = all.length <= most ? all : [...all.slice(0, most - 14), ...all.slice(-14)];
    return some.filter(shown);
  }
  const middle = (r) => [r.x + r.width / 2, r.y + r.height / 2];
  function meets(e) { // whether a touch on its middle meets the action
    const f = face(e), hit = document.elementFromPoint(...middle(f.getBoundingClientRect()));
    return !!hit && (f.contains(hit) || hit.closest("label")?.contains(e));
  }

  function frame() {
    const out = [];
    if (document.documentElement.lang !== "es-CL") out.push(`lang is "${document.documentElement.lang}"`);
    if (document.querySelectorAll("h1").length !== 1) out.push(`${document.querySelectorAll("h1").length} h1`);
    if (!document.title) out.push("no title");
    return out;
  }
  function bars() {
    const out = [], head = document.querySelector(".cab"), foot = document.querySelector(".bajo .pie");
    if (head && head.offsetHeight > 96) out.push(`the header is ${head.offsetHeight} px high`);
    if (foot && foot.offsetHeight > 136) out.push(`the footer is ${foot.offsetHeight} px high`);
    return out;
  }
  function wide() {
    const root = document.documentElement, width = root.clientWidth;
    if (root.scrollWidth <= width) return [];
    const over = $$("body *").filter((e) => e.getBoundingClientRect().right > width + 1 && e.checkVisibility()).slice(0, 3);
    return [`the page is ${root.scrollWidth} px wide in ${width}: ${over.map(name).join(", ")}`];
  }
  function sizes() {
    return actions().filter((e) => { const r = face(e).getBoundingClientRect(); return Math.min(r.width, r.height) < 63.5; })
      .map((e) => { const r = face(e).getBoundingClientRect(); return `${name(e)} is ${Math.round(r.width)}×${Math.round(r.height)} px`; });
  }
  function reach() {
    const out = [];
    for (const e of actions()) {
      if (e.disabled) continue;
      face(e).scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
      const r = face(e).getBoundingClientRect();
      if (r.left < -1 || r.right > innerWidth + 1) out.push(`${name(e)} lies beside the screen`);
      else if (!meets(e)) out.push(`${name(e)} is covered by ${name(document.elementFromPoint(...middle(r)) ?? document.documentElement)}`);
    }
    return out;
  }
  // The last thing of the middle must come clear of the fixed bar below.
  function clear() {
    const foot = document.querySelector(".bajo"), main = document.querySelector("main");
    if (!foot || !main || scope() !== document) return [];
    scrollTo(0, document.documentElement.scrollHeight);
    const end = Math.max(...[...main.children].filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect().bottom));
    const top = foot.getBoundingClientRect().top;
    scrollTo(0, 0);
    return end > top + 1 ? [`the end of the page stays ${Math.round(end - top)} px under the lower bar`] : [];
  }
  function cut() { // words that an edge takes away
    const words = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    return $$("body *", document).slice(0, 4000).filter((e) => {
      if (!words(e) || e.closest(".oculto,svg,.saltar,.fila:nth-child(n+30)") || !e.checkVisibility()) return false;
      const s = getComputedStyle(e);
      return s.overflow !== "visible" && s.display !== "inline" && !/TEXTAREA|INPUT/.test(e.tagName) && (e.scrollWidth > e.clientWidth + 2 || e.scrollHeight > e.clientHeight + 4) && !/auto|scroll/.test(s.overflow);
    }).slice(0, 5).map((e) => `${name(e)} is cut off`);
  }
  function small() {
    const out = new Set();
    for (const e of $$("body *").slice(0, 3000)) {
      if (e.closest("svg,.oculto,[hidden],noscript,.hojas") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
      const px = parseFloat(getComputedStyle(e).fontSize);
      if (px < 15.9) out.add(`${name(e)} is set in ${px} px`);
    }
    return [...out].slice(0, 5);
  }

  // ---- keyboard -------------------------------------------------------------
  let stops = [];
  addEventListener("focusin", (e) => {
    const s = getComputedStyle(e.target), twin = e.target.nextElementSibling && getComputedStyle(e.target.nextElementSibling);
    const ring = (x) => x && (x.outlineStyle !== "none" && parseFloat(x.outlineWidth) > 0 || x.boxShadow !== "none");
    stops.push({ e: e.target, ring: ring(s) || ring(twin), meets: meets(e.target) });
  }, true);
  function tabbing() {
    stops = [];
    document.activeElement?.blur();
    scrollTo(0, 0);
    // A date or a time has a stop for each of its parts.
    return expected().reduce((n, e) => n + ({ date: 4, time: 3, "datetime-local": 7 }[e.type] ?? 1), 0);
  }
  function expected() {
    const out = [], radios = new Set();
    for (const e of $$(usable, scope())) {
      if (out.length === 40) break;
      if (e.disabled || e.tabIndex < 0 || !shown(e)) continue;
      if (e.type === "radio") { // one stop for a group
        if (radios.has(e.name) || !e.checked && document.querySelector(`input[name="${e.name}"]:checked`)) continue;
        radios.add(e.name);
      }
      out.push(e);
    }
    return out;
  }
  function tabbed() {
    const out = [], want = expected(), seen = stops.map((s) => s.e);
    for (const e of want) if (e.tabIndex > 0) out.push(`${name(e)} jumps the order`);
    for (const e of want) if (!seen.includes(e)) out.push(`the keyboard never reaches ${name(e)}`);
    const order = seen.map((e) => want.indexOf(e)).filter((i) => i >= 0);
    const back = order.filter((i, n) => n && i < order[n - 1]).length;
    if (back > 1) out.push(`the focus goes back ${back} times: ${order.join(" ")}`);
    for (const s of stops) {
      if (!want.includes(s.e)) continue;
      if (!s.ring) out.push(`${name(s.e)} shows no focus`);
      if (!s.meets) out.push(`${name(s.e)} is covered while it has the focus`);
    }
    return [...new Set(out)].slice(0, 8);
  }

  async function axed() {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " — " + (n.any[0] ?? n.all[0] ?? n.none[0])?.message).join("; ")}`);
  }
  function top() {
    for (const e of $$(".mando, dialog, dialog .cuerpo")) e.scrollTo(0, 0);
    scrollTo(0, 0);
    return true;
  }
  // Rows are alike; judging two thousand of them takes minutes.
  function shorten() {
    for (const e of $$(".fila:nth-child(n+21)")) e.remove();
    return true;
  }
  const all = (...checks) => [...new Set(checks.flatMap((c) => c()))];
  window.audit = {
    plain: () => all(frame, bars, wide, sizes, reach, clear, small, () => violations),
    large: () => all(wide, reach, clear, cut, () => violations),
    wall: () => all(frame, wide, () => violations),
    rows: () => $$("main .fila").filter((e) => { const r = e.getBoundingClientRect(); return r.top >= 0 && r.bottom <= (document.querySelector(".bajo")?.getBoundingClientRect().top ?? innerHeight); }).length,
    top, shorten, tabbing, tabbed, axed, shown, actions, face, meets, name,
  };
})();
