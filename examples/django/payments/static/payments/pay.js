/* Opens Checkout and posts what it hands back. The page decides nothing: price and owner are the server's. */
"use strict";
(() => {
  const form = document.getElementById("paid");
  const button = document.getElementById("pay");
  const say = (text) => (document.getElementById("note").textContent = text);
  const options = JSON.parse(document.getElementById("options").textContent);

  /* Browsers inside other apps do not run Checkout's frame: there it leaves our page, and posts to us on its way back. */
  const inApp = /FBAN|FBAV|Instagram|Opera Mini|UCBrowser|; wv\)/.test(navigator.userAgent);
  if (inApp) Object.assign(options, { callback_url: form.action, redirect: true });

  options.handler = (fields) => {
    for (const [name, value] of Object.entries(fields)) if (form.elements[name]) form.elements[name].value = value;
    button.disabled = true;
    say("Thank you. We are checking with your bank …");
    form.submit();
  };
  /* Closing says nothing about the money: a bank may still say yes to what was approved. */
  options.modal = {
    ondismiss: () => say("You closed the payment window. If you have approved a payment, do not pay again: see your order."),
  };

  if (typeof Razorpay === "undefined") {
    button.disabled = true;
    say("The payment window could not be loaded. Please reload this page, or try without an ad blocker.");
    return;
  }
  const checkout = new Razorpay(options);
  button.addEventListener("click", () => {
    say("");
    checkout.open();
  });
  button.click();
})();
