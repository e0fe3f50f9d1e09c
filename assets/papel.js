// Pages made for paper: one button that prints.
"use strict";
addEventListener("click", (e) => { if (e.target.closest("[data-papel]")) print(); });
