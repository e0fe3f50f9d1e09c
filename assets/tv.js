// The wall's own script: views and their pages take turns by the clock, so
// that several screens turn together, and old data is grey with its age.
// Regions are kept by app.js.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const turn = 12000;
  const views = [...document.querySelectorAll("[data-vista]")];
  const table = (view) => view.querySelector(".tv-tabla");
  const texts = document.getElementById("textos-tv").dataset;
  const dots = document.querySelector("[data-puntos]");
  const banner = document.querySelector("[data-tv-caida]");
  const hour = document.querySelector("[data-marca-hora]");
  const set = (el, text) => { if (el.textContent !== text) el.textContent = text; };

  // How many pages of equal rows a view has; the style sheet says how many fit.
  // Several pages share the rows evenly, so that none leaves half a wall empty.
  const room = new Map(); // view → rows and columns of a full page
  function pagesOf(view) {
    const list = table(view);
    if (!room.has(view)) {
      list.style.removeProperty("--filas");
      const style = getComputedStyle(list);
      room.set(view, ["--filas", "--columnas"].map((name) => Number(style.getPropertyValue(name))));
    }
    const [rows, columns] = room.get(view);
    if (!rows) return 1;
    const n = list.childElementCount, pages = Math.max(1, Math.ceil(n / (rows * columns)));
    const even = String(pages > 1 ? Math.ceil(n / (pages * columns)) : rows);
    if (list.style.getPropertyValue("--filas") !== even) list.style.setProperty("--filas", even);
    return pages;
  }
  function show() {
    const steps = views.flatMap((view) => Array.from({ length: pagesOf(view) }, (_, page) => ({ view, page })));
    const at = Math.floor(Date.now() / turn) % steps.length;
    const { view, page } = steps[at];
    document.body.dataset.vistaPuesta = view.dataset.vista;
    const list = table(view), style = getComputedStyle(list);
    const wide = Number(style.getPropertyValue("--columnas")) * (parseFloat(style.gridAutoColumns) + parseFloat(style.columnGap));
    list.scrollTo(wide > 0 ? Math.round(page * wide) : 0, 0);
    set(dots, steps.length > 1 ? steps.map((_, i) => (i === at ? "●" : "○")).join(" ") : "");
  }
  const say = (key, values) => Object.entries(values).reduce((t, [k, v]) => t.replace(`{${k}}`, v), texts[key]);
  function lapse(s) {
    if (s < 60) return say("segundos", { s });
    const m = Math.floor(s / 60);
    return m < 60 ? say("minutos", { m }) : say("horas", { h: Math.floor(m / 60), m: m % 60 });
  }
  let lostAt = 0;
  function age() {
    const old = document.body.classList.contains("viejo");
    if (!old) lostAt = 0;
    else if (!lostAt) lostAt = performance.now() - 15000; // app.js waits that long before it says so
    banner.hidden = !old;
    if (old) set(banner, say("caida", { h: hour.textContent, t: lapse(Math.floor((performance.now() - lostAt) / 1000)) }));
  }
  show();
  setInterval(() => { show(); age(); }, 500);
  addEventListener("resize", () => { room.clear(); show(); });
  // Somebody who looked in from a tablet leaves by a touch; a wall has no page before.
  addEventListener("click", () => { if (document.referrer.startsWith(location.origin)) history.back(); });
});
