/* Puts a newsletter's sign-up form where the script tag stands. It sets no cookie, stores nothing,
   asks for nothing more and tells nobody anything: the form is a form, and the browser sends it. */
(function (form) {
  "use strict";
  /* this form's styles are ours, its font and colours those of the page around it */
  var sheet =
    ":host{display:block!important;position:static!important;float:none!important;" +
    "width:auto!important;height:auto!important;min-width:0!important;max-width:100%!important;" +
    "max-height:none!important;margin:0!important;padding:0!important;border:0!important;" +
    "overflow:visible!important;clip-path:none!important;visibility:visible!important;" +
    "opacity:1!important;transform:none!important;filter:none!important;" +
    "pointer-events:auto!important;text-indent:0!important;text-transform:none!important}" +
    "[hidden]{display:none!important}" +
    ":focus-visible{outline:3px solid;outline-offset:2px}" +
    "@media print{form{display:none}}";

  var tag = document.currentScript;
  if (!tag) return;
  var box = document.createElement("digest-form");
  var root = box.attachShadow({ mode: "open" });
  var trusted = window.trustedTypes;
  var same = { createHTML: function (text) { return text; } };
  root.innerHTML = trusted ? trusted.createPolicy("digest-form", same).createHTML(form) : form;
  /* set one by one: a page may forbid style attributes and style elements, but not this */
  root.querySelectorAll("[data-style]").forEach(function (each) {
    each.style.cssText = each.getAttribute("data-style");
    each.removeAttribute("data-style");
  });
  var rules = new CSSStyleSheet();
  rules.replaceSync(sheet);
  root.adoptedStyleSheets = [rules];
  tag.parentNode.insertBefore(box, tag.nextSibling);
})
