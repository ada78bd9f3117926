-- After the last process of version 1 has gone: its index over owners alone is covered by (owner, status).

DROP INDEX razorpay_orders_owner;
