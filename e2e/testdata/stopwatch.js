// Stopwatches of the browser tests. What counts as painted is the task after
// the frame in which the page changed.
"use strict";
(() => {
  const painted = (then) => requestAnimationFrame(() => setTimeout(() => then(performance.now())));
  // A page is usable when its scripts have taken over, which they do in the task
  // of this event, the frame after that is painted, and something is on the glass.
  addEventListener("DOMContentLoaded", () => painted((at) => {
    new PerformanceObserver((list, self) => {
      const seen = list.getEntriesByName("first-contentful-paint")[0];
      if (!seen) return;
      self.disconnect();
      window.usableAt = Math.max(at, seen.startTime);
    }).observe({ type: "paint", buffered: true });
  }));
  // What an act changes inside a place, from its beginning to the last change
  // that is painted; passing times are no change.
  function watch(place, act, quiet = 300) {
    return new Promise((done) => {
      let first = 0, last = 0, from = 0, timer;
      const end = () => { seen.disconnect(); done([first && first - from, last && last - from]); };
      const seen = new MutationObserver((all) => {
        if (all.every((m) => m.target.nodeName === "TIME" || m.target.parentElement?.closest("time"))) return;
        painted((at) => { first ||= at; last = at; clearTimeout(timer); timer = setTimeout(end, quiet); });
      });
      seen.observe(document.querySelector(place), { childList: true, subtree: true });
      timer = setTimeout(end, 5000);
      from = performance.now();
      act((at) => { from = at; });
    });
  }
  window.stopwatch = {
    key: (text) => watch("main", () => {
      const q = document.querySelector("#q");
      q.focus();
      q.setRangeText(text, q.value.length, q.value.length, "end");
      q.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }),
    row: (tag, worker, verb) => watch("main", async (from) => {
      const answer = await fetch("/api/occupation/" + verb, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ tag_spool: tag, worker_id: worker, worker_nombre: "x", operacion: "ARM" }) });
      if (!answer.ok) throw new Error(await answer.text());
      from(performance.now());
    }),
    tap: () => watch("[data-avisos]", (from) => addEventListener("pointerup", (e) => from(e.timeStamp), { once: true, capture: true })),
  };
})();
