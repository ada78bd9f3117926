/* A stand-in for Razorpay Checkout, served by the emulator: test instruments only, nothing leaves this machine.
 *
 * In: the options of Razorpay's own script (key, order_id, handler or callback_url, prefill, notes, modal, retry).
 * Out: the same three signed fields to handler or callback_url, "payment.failed" with the same error object, ondismiss.
 * Styles live in a shadow root and are set through the CSS object model, so that the page's CSP may stay strict; the
 * page must allow this origin for script-src and connect-src.
 */
(() => {
  "use strict";
  const origin = new URL(document.currentScript.src).origin;
  const STYLE = `
    :host { all: initial; }
    [hidden] { display: none !important; }
    * { box-sizing: border-box; font: 16px/1.4 system-ui, sans-serif; }
    dialog { width: min(400px, calc(100% - 32px)); max-height: calc(100% - 32px); padding: 24px; border: 0;
      border-radius: 12px; background: #fff; color: #16213a; overflow: auto; }
    dialog::backdrop { background: rgb(0 0 0 / .6); }
    h2 { margin: 0; font-size: 20px; font-weight: 700; overflow-wrap: anywhere; }
    .note { margin: 4px 0 16px; color: #56607a; font-size: 14px; }
    .amount { margin: 0 0 16px; font-size: 28px; font-weight: 700; }
    label { display: block; margin: 0 0 12px; font-size: 14px; }
    input, select { display: block; width: 100%; margin-top: 4px; padding: 10px; border: 1px solid #8a93a8;
      border-radius: 8px; background: #fff; color: inherit; }
    button { width: 100%; margin-top: 8px; padding: 12px; border: 1px solid #8a93a8; border-radius: 8px;
      background: #fff; color: #16213a; cursor: pointer; }
    button.main { border-color: transparent; background: var(--accent, #1a4fd8); color: #fff; font-weight: 700; }
    button:disabled { opacity: .6; cursor: progress; }
    :focus-visible { outline: 3px solid #ffb020; outline-offset: 2px; }
    [role=alert] { min-height: 22px; margin: 12px 0 0; color: #b00020; font-size: 14px; }
  `;

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const money = (order) => {
    const format = new Intl.NumberFormat("en-IN", { style: "currency", currency: order.currency });
    return format.format(order.amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  };

  /* A plain-text body is a simple request: no preflight, whatever page this is on. */
  const ask = async (what, body) => {
    const answer = await fetch(`${origin}/_emulator/${what}`, { method: "POST", body: JSON.stringify(body) });
    return answer.json();
  };

  const post = (url, fields) => {
    const form = element("form", { method: "POST", action: url, hidden: true });
    for (const [name, value] of Object.entries(fields)) {
      form.append(element("input", { type: "hidden", name, value: String(value ?? "") }));
    }
    document.body.append(form);
    form.submit();
  };

  const asFields = (error) => ({
    "error[code]": error.code,
    "error[description]": error.description,
    "error[source]": error.source,
    "error[step]": error.step,
    "error[reason]": error.reason,
    "error[metadata]": JSON.stringify(error.metadata ?? {}),
  });

  class Razorpay {
    constructor(options) {
      if (!options || !options.key) throw new Error("No key passed to Razorpay");
      this.options = options;
      this.listeners = {};
      this.host = null;
    }

    on(event, listener) {
      (this.listeners[event] ??= []).push(listener);
      return this;
    }

    async open() {
      if (this.host) return;
      this.before = document.activeElement;
      this.host = element("div", { className: "razorpay-container" });
      document.body.append(this.host);
      const { key, order_id } = this.options;
      const found = await ask("checkout/order", { key, order_id });
      if (!this.host) return; // closed while we asked
      this.draw(found.error ? null : found);
      if (found.error) this.say(found.error.description);
    }

    close() {
      this.host?.remove();
      this.host = null;
      this.before?.focus?.();
    }

    dismiss() {
      if (!this.host || this.busy) return;
      this.close();
      this.options.modal?.ondismiss?.();
    }

    draw(order) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      const root = this.host.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      const vpa = element("input", { name: "vpa", value: "success@razorpay", autocomplete: "off" });
      const card = element("input", { name: "card", value: "4100 2800 0000 1007", inputMode: "numeric" });
      const vpaLabel = element("label", {}, "UPI id (success@razorpay, failure@razorpay)", vpa);
      const cardLabel = element("label", { hidden: true }, "Test card number", card);
      const method = element("select", { name: "method" });
      for (const [value, text] of [["upi", "UPI"], ["card", "Card"], ["netbanking", "Netbanking"], ["wallet", "Wallet"]]) {
        method.append(element("option", { value, textContent: text }));
      }
      method.addEventListener("change", () => {
        vpaLabel.hidden = method.value !== "upi";
        cardLabel.hidden = method.value !== "card";
      });
      const pay = (outcome) => () =>
        this.pay({
          outcome,
          method: method.value,
          vpa: method.value === "upi" ? vpa.value : undefined,
          card: method.value === "card" ? card.value : undefined,
        });
      this.alert = element("p", {});
      this.alert.setAttribute("role", "alert");
      const success = element("button", { type: "submit", className: "main", textContent: "Pay: the bank says yes" });
      const failure = element("button", { type: "button", textContent: "The bank says no", onclick: pay("failed") });
      const silence = element("button", { type: "button", textContent: "The bank does not answer", onclick: pay("late") });
      const cancel = element("button", { type: "button", textContent: "Close", onclick: () => this.dismiss() });
      success.disabled = failure.disabled = silence.disabled = order === null;
      const title = element("h2", { id: "title", textContent: this.options.name || "Checkout" });
      const form = element(
        "form",
        { onsubmit: (event) => (event.preventDefault(), pay(undefined)()) },
        title,
        element("p", { className: "note", textContent: this.options.description || "Emulated payment: no money moves" }),
        element("p", { className: "amount", textContent: order ? money(order) : "" }),
        element("label", {}, "Method", method),
        vpaLabel,
        cardLabel,
        success,
        failure,
        silence,
        cancel,
        this.alert,
      );
      const dialog = element("dialog", {}, form);
      if (this.options.theme?.color) dialog.style.setProperty("--accent", this.options.theme.color);
      dialog.setAttribute("aria-labelledby", "title");
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        if (this.options.modal?.escape !== false) this.dismiss();
      });
      this.root = root;
      this.buttons = [success, failure, silence, cancel];
      root.append(dialog);
      dialog.showModal();
      (order ? success : cancel).focus();
    }

    say(text) {
      this.alert.textContent = text;
    }

    async pay(wish) {
      if (this.busy) return;
      this.work(true);
      const { key, order_id, prefill = {}, notes } = this.options;
      const person = { email: prefill.email, contact: prefill.contact, notes };
      try {
        const result = await ask("checkout/pay", { key, order_id, ...wish, ...person });
        this.work(false);
        if (result.error) this.failed(result.error);
        else if (result.pending) this.say("The bank has not answered. You may close this window.");
        else this.succeeded(result);
      } catch (error) {
        this.work(false);
        this.say(`The emulator did not answer: ${error.message}`);
      }
    }

    work(busy) {
      this.busy = busy;
      if (busy) this.focused = this.root.activeElement; // a disabled button loses the focus
      for (const button of this.buttons) button.disabled = busy;
      if (busy) this.say("");
      else this.focused?.focus();
    }

    succeeded(fields) {
      const { callback_url, handler } = this.options;
      this.close();
      if (callback_url) post(callback_url, fields);
      else handler?.(fields);
    }

    failed(error) {
      const { callback_url, redirect, retry } = this.options;
      for (const listener of this.listeners["payment.failed"] ?? []) listener({ error });
      if (callback_url && redirect) {
        this.close();
        post(callback_url, asFields(error));
      } else if (retry === false || retry?.enabled === false) {
        this.close();
      } else {
        this.say(error.description);
      }
    }
  }

  window.Razorpay = Razorpay;
})();
