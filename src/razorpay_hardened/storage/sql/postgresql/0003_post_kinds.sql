-- After the last process of version 2 has gone: its functions.

DROP FUNCTION razorpay_open_2(text, bytea, text, text, timestamptz, timestamptz, text[], text[], text[], text[]);
DROP FUNCTION razorpay_load_2(text[], text[], text[], text[]);
DROP FUNCTION razorpay_write_2(jsonb);
