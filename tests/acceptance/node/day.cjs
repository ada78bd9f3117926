/* A shop's day with Razorpay's own SDK, unmodified, against the emulator at RAZORPAY_BASE_URL.
 *
 * Prints one JSON document with what the SDK gave back. The SDK ignores its option for the address: its axios instance does not.
 */
"use strict";
const Razorpay = require("razorpay");
const { validateWebhookSignature, validatePaymentVerification } = require("razorpay/dist/utils/razorpay-utils");

const { RAZORPAY_BASE_URL: base, RAZORPAY_KEY_ID: key_id, RAZORPAY_KEY_SECRET: key_secret } = process.env;
const instance = new Razorpay({ key_id, key_secret });
instance.api.rq.defaults.baseURL = base;

const control = async (what, body) => {
  const answer = await fetch(`${base}/_emulator/${what}`, { method: "POST", body: JSON.stringify(body) });
  return answer.json();
};

const refused = async (call) => {
  try {
    await call();
  } catch (error) {
    return { status: error.statusCode, ...error.error };
  }
  throw new Error("nothing was refused");
};

const day = async () => {
  const told = {};
  told.order = await instance.orders.create({ amount: 49900, currency: "INR", receipt: "node-1", notes: { cart: "7" } });
  told.fetched = await instance.orders.fetch(told.order.id);
  told.edited = await instance.orders.edit(told.order.id, { notes: { cart: "8" } });
  told.listed = await instance.orders.all({ receipt: "node-1", count: 10 });

  const failed = await control("pay", { order_id: told.order.id, card: "4100280000060003" });
  const paid = await control("pay", { order_id: told.order.id });
  told.failed = await instance.payments.fetch(failed.id);
  told.payments = await instance.orders.fetchPayments(told.order.id);
  told.all = await instance.payments.all({ count: 10, skip: 0 });
  const form = await control("checkout_form", { payment_id: paid.id });
  told.verified = validatePaymentVerification(
    { order_id: form.razorpay_order_id, payment_id: form.razorpay_payment_id },
    form.razorpay_signature,
    key_secret,
  );

  const held = await instance.orders.create({ amount: 1000, currency: "INR", receipt: "node-2" });
  const authorized = await control("pay", { order_id: held.id, outcome: "authorized" });
  told.captured = await instance.payments.capture(authorized.id, 1000, "INR");
  told.payment_edited = await instance.payments.edit(authorized.id, { notes: { seen: "yes" } });
  told.refund = await instance.payments.refund(paid.id, { amount: 900, speed: "normal", notes: { why: "late" } });
  told.refunds = await instance.payments.fetchMultipleRefund(paid.id, {});
  told.refund_fetched = await instance.refunds.fetch(told.refund.id);
  told.refund_listed = await instance.refunds.all({ count: 10 });

  told.errors = [
    await refused(() => instance.orders.create({ amount: 1, currency: "INR" })),
    await refused(() => instance.orders.fetch("order_00000000000000")),
    await refused(() => instance.payments.capture(paid.id, 49900, "INR")),
    await refused(() => instance.payments.refund(paid.id, { amount: 99999999 })),
  ];
  await control("faults", { add: "on POST /orders: 429 once\non POST /orders: 502 once" });
  told.throttled = await refused(() => instance.orders.create({ amount: 100, currency: "INR" }));
  told.gateway = await refused(() => instance.orders.create({ amount: 100, currency: "INR" }));
  told.after = await instance.orders.create({ amount: 100, currency: "INR" });

  const stranger = new Razorpay({ key_id, key_secret: "not-the-secret" });
  stranger.api.rq.defaults.baseURL = base;
  told.stranger = await refused(() => stranger.orders.all());

  const { body, signature, secret } = JSON.parse(process.env.WEBHOOK);
  told.webhook = validateWebhookSignature(body, signature, secret);
  told.forged = validateWebhookSignature(body.replace("49900", "1"), signature, secret);
  return told;
};

day().then(
  (told) => process.stdout.write(JSON.stringify(told)),
  (error) => {
    process.stderr.write(`${error.stack || JSON.stringify(error)}\n`);
    process.exitCode = 1;
  },
);
