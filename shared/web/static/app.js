// What a page cannot do without a script is little: copy a text, and keep the place where one reads.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  event.preventDefault();
  source.focus();
  source.select();
  const done = () => {
    button.textContent = button.dataset.copied || button.textContent;
  };
  if (navigator.clipboard) navigator.clipboard.writeText(source.value).then(done, () => document.execCommand("copy") && done());
  else if (document.execCommand("copy")) done();
});

// A refused piece of a page is still shown: the refusal says what to do.
document.addEventListener("htmx:beforeSwap", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) window.location.assign("/sign-in");
  else if (status >= 400 && status < 500) event.detail.shouldSwap = event.detail.target.dataset.refusals === "show";
});

// On a phone the menu is wider than the screen: show where one is.
document.querySelector(".pages [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
