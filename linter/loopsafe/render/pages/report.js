"use strict";
// The page says all without this: it only hides what is not asked for.
(() => {
  const $ = (id) => document.getElementById(id);
  const found = [...document.querySelectorAll("details[data-code]")];
  const files = [...document.querySelectorAll("section[data-file]")];
  function choose() {
    const word = $("search").value.trim().toLowerCase(), code = $("rule").value, sure = $("confidence").value, fix = $("fix").value;
    let left = 0;
    found.forEach((one) => {
      const { code: own, confidence, fix: applicability } = one.dataset;
      const fits = (!code || own === code) && (!sure || confidence === sure) && (!fix || applicability === fix);
      one.hidden = !fits || (word !== "" && !`${one.parentElement.dataset.file} ${one.textContent}`.toLowerCase().includes(word));
      left += one.hidden ? 0 : 1;
    });
    files.forEach((file) => { file.hidden = [...file.querySelectorAll("details[data-code]")].every((one) => one.hidden); });
    $("left").textContent = `${left} of ${found.length} shown`;
  }
  ["search", "rule", "confidence", "fix"].forEach((id) => $(id).addEventListener("input", choose));
  $("open").addEventListener("click", () => {
    const shut = found.some((one) => !one.hidden && !one.open);
    found.forEach((one) => { one.open = shut; });
    $("open").textContent = shut ? "Close all" : "Open all";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== $("search")) { event.preventDefault(); $("search").focus(); }
    if (event.key === "Escape") { $("search").value = ""; choose(); }
  });
  // What a link leads to has to be open.
  const reveal = () => {
    const wanted = location.hash.length > 1 && $(location.hash.slice(1));
    if (wanted && wanted.tagName === "DETAILS") { wanted.open = true; wanted.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  $("filter").hidden = false;
  choose();
  reveal();
})();
