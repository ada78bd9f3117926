/* A stand-in for Razorpay Checkout, served by the emulator: test instruments only, nothing leaves this machine.
 *
 * In: the options of Razorpay's own script (key, order_id, handler or callback_url, prefill, notes, modal, retry …).
 * Out: the same three signed fields to handler or callback_url, "payment.failed" with the same error object, ondismiss.
 * Two steps, as there: what to pay with, then the bank's mock page. Leaving at the second leaves a payment in status
 * "created". Styles live in a shadow root and are set through the CSS object model, so that the page's CSP may stay
 * strict; the page must allow this origin for script-src and connect-src.
 */
(() => {
  "use strict";
  const origin = new URL(document.currentScript.src).origin;
  const STYLE = `
    :host { all: initial; color-scheme: light dark; --ground: #fff; --ink: #16213a; --soft: #56607a; --line: #8a93a8;
      --bad: #b00020; --accent: #1a4fd8; --on-accent: #fff; }
    @media (prefers-color-scheme: dark) {
      :host { --ground: #171c28; --ink: #eef1f8; --soft: #aab3c8; --line: #6d778f; --bad: #ff8a95; }
    }
    [hidden] { display: none !important; }
    * { box-sizing: border-box; font: 16px/1.4 system-ui, sans-serif; }
    dialog { width: min(400px, calc(100% - 32px)); max-height: calc(100% - 32px); padding: 0; border: 0;
      border-radius: 12px; background: var(--ground); color: var(--ink); overflow: auto; }
    dialog::backdrop { background: var(--backdrop, rgb(0 0 0 / .6)); }
    header { display: flex; gap: 12px; align-items: center; padding: 16px 24px; background: var(--accent);
      color: var(--on-accent); }
    header img { width: 48px; height: 48px; border-radius: 8px; object-fit: cover; background: #fff; }
    header div { flex: 1; min-width: 0; }
    h2 { margin: 0; font-size: 18px; font-weight: 700; overflow-wrap: anywhere; }
    header p { margin: 2px 0 0; font-size: 14px; overflow-wrap: anywhere; }
    .amount { margin: 0; font-size: 22px; font-weight: 700; white-space: nowrap; }
    form { padding: 16px 24px 24px; }
    h3 { margin: 0 0 12px; font-size: 16px; font-weight: 700; }
    .note { margin: 0 0 16px; color: var(--soft); font-size: 14px; }
    label { display: block; margin: 0 0 12px; font-size: 14px; }
    input, select { display: block; width: 100%; margin-top: 4px; padding: 10px; border: 1px solid var(--line);
      border-radius: 8px; background: transparent; color: inherit; }
    option { background: var(--ground); color: var(--ink); }
    input:read-only { color: var(--soft); }
    .choice { display: grid; grid-template-columns: 1fr 1fr 1.3fr 1fr; gap: 4px; margin: 0 0 16px; padding: 0; border: 0; }
    .choice legend { padding: 0; margin-bottom: 4px; font-size: 14px; }
    .choice label { margin: 0; text-align: center; padding: 10px 2px; border: 1px solid var(--line);
      border-radius: 8px; cursor: pointer; }
    .choice label:has(:checked) { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
    .choice label:has(:focus-visible) { outline: 3px solid #ffb020; outline-offset: 2px; }
    .choice input { position: absolute; width: 1px; height: 1px; margin: 0; padding: 0; opacity: 0; }
    button { width: 100%; min-height: 44px; margin-top: 8px; padding: 10px; border: 1px solid var(--line);
      border-radius: 8px; background: transparent; color: inherit; cursor: pointer; }
    button.main { border-color: transparent; background: var(--accent); color: var(--on-accent); font-weight: 700; }
    button:disabled { opacity: .6; cursor: progress; }
    :focus-visible { outline: 3px solid #ffb020; outline-offset: 2px; }
    [role=alert] { margin: 0; color: var(--bad); font-size: 14px; }
    [role=alert]:not(:empty) { margin: 0 0 12px; padding: 10px; border: 1px solid; border-radius: 8px; }
    @media (max-width: 480px) {
      dialog { width: 100%; max-width: 100%; max-height: calc(100% - 24px); margin: auto 0 0;
        border-radius: 16px 16px 0 0; }
      header, form { padding-left: 16px; padding-right: 16px; }
      .choice { grid-template-columns: 1fr 1fr; }
    }
  `;
  const METHODS = { upi: "UPI", card: "Card", netbanking: "Netbanking", wallet: "Wallet" };

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const money = (order) => {
    const format = new Intl.NumberFormat("en-IN", { style: "currency", currency: order.currency });
    return format.format(order.amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  };

  /* Black or white, whichever can be read on a colour that the shop chose. */
  const readable = (color) => {
    const [red, green, blue] = (color.match(/\d+(\.\d+)?/g) ?? []).map((one) => one / 255);
    const linear = (one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) > 0.18 ? "#000" : "#fff";
  };

  /* A plain-text body is a simple request: no preflight, whatever page this is on. */
  const ask = async (what, body) => {
    const answer = await fetch(`${origin}/_emulator/checkout/${what}`, { method: "POST", body: JSON.stringify(body) });
    return answer.json();
  };

  const post = (url, fields) => {
    const form = element("form", { method: "POST", action: url, hidden: true });
    for (const [name, value] of Object.entries(fields)) {
      form.append(element("input", { type: "hidden", name, value: String(value ?? "") }));
    }
    document.body.append(form);
    HTMLFormElement.prototype.submit.call(form);
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
      const host = (this.host = element("div", { className: "razorpay-container" }));
      this.before = document.activeElement;
      this.busy = false;
      document.body.append(host);
      const { key, order_id, amount, currency } = this.options;
      const asked = { key, order_id, amount, currency };
      let found, instruments;
      try {
        [found, instruments] = await Promise.all([ask("order", asked), ask("instruments", {})]);
      } catch (error) {
        found = { error: { description: `The emulator did not answer: ${error.message}` } };
      }
      if (this.host !== host) return; // closed while we asked
      this.draw(found.error ? null : found, instruments);
      if (found.error) this.say(found.error.description);
      const { timeout } = this.options;
      if (timeout) this.timer = setTimeout(() => this.dismiss(true), timeout * 1000);
    }

    close() {
      clearTimeout(this.timer);
      this.host?.remove();
      this.host = null;
      this.before?.focus?.();
    }

    /* The customer leaves, or the time is over. */
    dismiss(atOnce) {
      if (!this.host || (this.busy && !atOnce)) return;
      if (this.options.modal?.confirm_close && !atOnce) return this.show("leaving");
      this.close();
      this.options.modal?.ondismiss?.();
    }

    draw(order, instruments) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      const root = (this.root = this.host.attachShadow({ mode: "open" }));
      root.adoptedStyleSheets = [sheet];
      this.alert = element("p", {});
      this.alert.setAttribute("role", "alert");
      this.steps = { details: this.details(order, instruments), bank: this.bank(), leaving: this.leaving() };
      const form = element(
        "form",
        { noValidate: true, onsubmit: (event) => (event.preventDefault(), this.steps[this.step].submit?.()) },
        this.alert,
        ...Object.values(this.steps).map((step) => step.part),
      );
      const dialog = element("dialog", {}, this.header(order), form);
      dialog.setAttribute("aria-labelledby", "title");
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        if (this.options.modal?.escape !== false) this.dismiss();
      });
      dialog.addEventListener("mousedown", (event) => {
        const { left, right, top, bottom } = dialog.getBoundingClientRect();
        const { clientX: x, clientY: y } = event;
        const outside = event.target === dialog && (x < left || x > right || y < top || y > bottom);
        if (outside && this.options.modal?.backdropclose) this.dismiss();
      });
      root.append(dialog);
      this.paint(dialog);
      dialog.showModal();
      this.show("details");
    }

    paint(dialog) {
      const { color, backdrop_color } = this.options.theme ?? {};
      if (backdrop_color) dialog.style.setProperty("--backdrop", backdrop_color);
      if (!color || !CSS.supports("color", color)) return;
      dialog.style.setProperty("--accent", color);
      const header = dialog.querySelector("header");
      dialog.style.setProperty("--on-accent", readable(getComputedStyle(header).backgroundColor));
    }

    header(order) {
      const { name, description, image } = this.options;
      const logo = image ? [element("img", { src: image, alt: "" })] : [];
      const title = element("h2", { id: "title", textContent: name || "Checkout" });
      const about = element("p", { textContent: description || "Emulated payment: no money moves" });
      const amount = element("p", { className: "amount", textContent: order ? money(order) : "" });
      return element("header", {}, ...logo, element("div", {}, title, about), amount);
    }

    /* Step one: what to pay with. */
    details(order, instruments) {
      const { prefill = {}, readonly = {}, hidden = {} } = this.options;
      const contact = element("input", { name: "contact", type: "tel", autocomplete: "tel", value: prefill.contact ?? "" });
      const email = element("input", { name: "email", type: "email", autocomplete: "email", value: prefill.email ?? "" });
      contact.readOnly = Boolean(readonly.contact);
      email.readOnly = Boolean(readonly.email);
      const contactLabel = element("label", { hidden: Boolean(hidden.contact) }, "Phone", contact);
      const emailLabel = element("label", { hidden: Boolean(hidden.email) }, "E-mail", email);

      const vpa = element("input", { name: "vpa", value: "success@razorpay", autocomplete: "off", spellcheck: false });
      const vpaLabel = element("label", {}, "UPI id (success@razorpay or failure@razorpay)", vpa);
      const card = element("input", { name: "card", value: "4100 2800 0000 1007", inputMode: "numeric", autocomplete: "off" });
      const cardLabel = element("label", {}, "Card number (any CVV, any expiry date)", card);
      const samples = element("select", { name: "sample" }, element("option", { value: "", textContent: "Choose …" }));
      for (const [title, numbers] of Object.entries(instruments?.cards ?? {})) {
        const group = element("optgroup", { label: title });
        for (const [number, text] of numbers) group.append(element("option", { value: number, textContent: text }));
        samples.append(group);
      }
      samples.addEventListener("change", () => (card.value = samples.value || card.value));
      const samplesLabel = element("label", {}, "Razorpay's test cards", samples);

      const choice = element("fieldset", { className: "choice" }, element("legend", { textContent: "Pay with" }));
      const chosen = () => choice.querySelector(":checked").value;
      const first = METHODS[prefill.method] ? prefill.method : "upi";
      for (const [value, text] of Object.entries(METHODS)) {
        const radio = element("input", { type: "radio", name: "method", value, checked: value === first });
        choice.append(element("label", {}, radio, text));
      }
      const refresh = () => {
        vpaLabel.hidden = chosen() !== "upi";
        cardLabel.hidden = samplesLabel.hidden = chosen() !== "card";
      };
      choice.addEventListener("change", refresh);
      refresh();

      const pay = element("button", { type: "submit", className: "main", textContent: order ? `Pay ${money(order)}` : "Pay" });
      pay.disabled = order === null;
      const cancel = element("button", { type: "button", textContent: "Close", onclick: () => this.dismiss() });
      const part = element("div", {}, contactLabel, emailLabel, choice, vpaLabel, samplesLabel, cardLabel, pay, cancel);
      const submit = () =>
        this.begin({
          method: chosen(),
          vpa: chosen() === "upi" ? vpa.value.trim() : undefined,
          card: chosen() === "card" ? card.value : undefined,
          email: email.value.trim() || undefined,
          contact: contact.value.trim() || undefined,
        });
      return { part, submit, first: () => (order ? pay : cancel) };
    }

    /* Step two: what Razorpay's mock bank page asks in test mode. */
    bank() {
      const heading = element("h3", { textContent: "Your bank", tabIndex: -1 });
      const note = element("p", { className: "note" });
      const otp = element("input", { name: "otp", inputMode: "numeric", autocomplete: "one-time-code", maxLength: 10 });
      const otpLabel = element("label", {}, "One-time password (4 to 10 digits are right, fewer are wrong)", otp);
      const say = (answer) => () => this.finish({ answer, otp: this.method === "card" ? otp.value : undefined });
      const success = element("button", { type: "submit", className: "main", textContent: "Success" });
      const failure = element("button", { type: "button", textContent: "Failure", onclick: say("failure") });
      const silence = element("button", { type: "button", textContent: "No answer", onclick: say("silence") });
      const cancel = element("button", { type: "button", textContent: "Cancel", onclick: say("cancel") });
      const leave = element("button", { type: "button", textContent: "Close", onclick: () => this.dismiss() });
      const part = element("div", {}, heading, note, otpLabel, success, failure, silence, cancel, leave);
      const prepare = () => {
        otp.value = "";
        otpLabel.hidden = this.method !== "card";
        cancel.hidden = this.method !== "upi";
        note.textContent =
          this.method === "upi"
            ? "Approve in the UPI app. In test mode the UPI id decides, and cancelling counts as success."
            : "You decide what the bank says. A test card for a failure fails with its own reason.";
      };
      return { part, submit: say("success"), prepare, first: () => (otpLabel.hidden ? heading : otp) };
    }

    leaving() {
      const heading = element("h3", { textContent: "Leave without paying?" });
      const stay = element("button", { type: "submit", className: "main", textContent: "Go on paying" });
      const go = element("button", { type: "button", textContent: "Leave", onclick: () => this.dismiss(true) });
      const part = element("div", {}, heading, stay, go);
      return { part, submit: () => this.show(this.back ?? "details"), first: () => stay };
    }

    show(name) {
      if (name === "leaving" && this.step !== "leaving") this.back = this.step;
      this.step = name;
      this.say("");
      for (const [one, { part }] of Object.entries(this.steps)) part.hidden = one !== name;
      if (name === "bank" && this.back !== "bank") this.steps.bank.prepare();
      if (name !== "leaving") this.back = undefined;
      this.steps[name].first().focus();
    }

    say(text) {
      this.alert.textContent = text;
    }

    /* The customer presses Pay: from here on the payment exists. */
    async begin(wish) {
      const { key, order_id, amount, currency, notes } = this.options;
      const result = await this.working("begin", { key, order_id, amount, currency, notes, ...wish });
      if (!result) return;
      if (result.error) return this.failed(result.error);
      this.method = result.method;
      this.payment = result.payment_id;
      this.show("bank");
    }

    async finish(answer) {
      const { key } = this.options;
      const result = await this.working("finish", { key, payment_id: this.payment, ...answer });
      if (!result) return;
      if (result.error) this.failed(result.error);
      else if (result.pending) this.say("The bank has not answered. You may close this window; the order stays open.");
      else this.succeeded(result);
    }

    /* Ask once at a time. Gives nothing where the emulator did not answer, or nobody waits any more. */
    async working(what, body) {
      if (this.busy) return undefined;
      const { host } = this;
      this.work(true);
      try {
        const result = await ask(what, body);
        return this.host === host ? result : undefined;
      } catch (error) {
        if (this.host === host) this.say(`The emulator did not answer: ${error.message}`);
        return undefined;
      } finally {
        if (this.host === host) this.work(false);
      }
    }

    work(busy) {
      this.busy = busy;
      if (busy) this.focused = this.root.activeElement; // a disabled button loses the focus
      for (const button of this.steps[this.step].part.querySelectorAll("button")) button.disabled = busy;
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
      if (!this.host) return; // a listener closed it
      if (callback_url && redirect) {
        this.close();
        post(callback_url, asFields(error));
      } else if (retry === false || retry?.enabled === false) {
        this.dismiss(true);
      } else {
        this.show("details");
        this.say(`${error.description}${error.reason && error.reason !== "NA" ? ` (${error.reason})` : ""}`);
      }
    }
  }

  window.Razorpay = Razorpay;
})();
