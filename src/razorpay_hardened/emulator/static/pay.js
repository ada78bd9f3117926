/* The emulator's own paying page: opens Checkout with the options in the page, and says what came of it. */
(() => {
  "use strict";
  const options = JSON.parse(document.body.dataset.options);
  const { cancel } = document.body.dataset;
  const said = document.getElementById("said");
  const say = (text) => {
    said.textContent = text;
  };
  const checkout = new Razorpay({
    ...options,
    handler: (fields) => say(`Paid.\n${JSON.stringify(fields, null, 2)}`),
    modal: {
      ondismiss: () => {
        if (cancel) location.assign(cancel);
        else say("Closed without paying. The order stays open.");
      },
    },
  });
  checkout.on("payment.failed", ({ error }) => say(`Failed: ${error.description} (${error.reason}). Try again.`));
  document.getElementById("pay").addEventListener("click", () => checkout.open());
  checkout.open();
})();
