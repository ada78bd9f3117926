-- From version 1: retention, seals, switches. Code of version 1 runs on the result.

ALTER TABLE razorpay_orders ADD COLUMN erased_at TEXT;
ALTER TABLE razorpay_payments ADD COLUMN erased_at TEXT;
ALTER TABLE razorpay_refunds ADD COLUMN erased_at TEXT;
ALTER TABLE razorpay_inbox ADD COLUMN erased_at TEXT;
CREATE INDEX razorpay_orders_owner_status ON razorpay_orders (owner, status);

-- Finished audit rows, linked into one chain over all anchors: what hash(seal) covers cannot be taken out unseen.
-- first and last are positions in razorpay_audit, as text.
CREATE TABLE razorpay_audit_seals (
    seq        INTEGER NOT NULL PRIMARY KEY CHECK (seq >= 1),
    at         TEXT NOT NULL,
    first      TEXT NOT NULL,
    last       TEXT NOT NULL,
    rows       INTEGER NOT NULL CHECK (rows >= 1),
    digest     TEXT NOT NULL,
    prev       TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;
CREATE TRIGGER razorpay_audit_seals_no_update BEFORE UPDATE ON razorpay_audit_seals
BEGIN SELECT RAISE(ABORT, 'razorpay_audit_seals is append-only'); END;
CREATE TRIGGER razorpay_audit_seals_no_delete BEFORE DELETE ON razorpay_audit_seals
BEGIN SELECT RAISE(ABORT, 'razorpay_audit_seals is append-only'); END;

-- What an operator has switched: 'paused' keeps receiving and storing, and stops effects; 'resumed' says when
-- that last ended, because what lived through it is not to be given up for its age.
CREATE TABLE razorpay_switches (
    name       TEXT NOT NULL PRIMARY KEY,
    at         TEXT NOT NULL,
    actor      TEXT NOT NULL,
    note       TEXT
) STRICT, WITHOUT ROWID;

-- Legal holds: retention leaves everything about these ids alone. subject is an anchor (order or payment id) or an owner.
CREATE TABLE razorpay_holds (
    subject    TEXT NOT NULL PRIMARY KEY,
    at         TEXT NOT NULL,
    actor      TEXT NOT NULL,
    note       TEXT
) STRICT, WITHOUT ROWID;

-- How far retention has come in each class of data, so that no batch begins at the start again. 'left:class:id' is a row
-- that it had to leave, because of a legal hold or because something was still to be done: it is looked at again.
CREATE TABLE razorpay_retention (
    class      TEXT NOT NULL PRIMARY KEY,
    upto       TEXT NOT NULL,
    at         TEXT NOT NULL,
    erased     INTEGER NOT NULL CHECK (erased >= 0)
) STRICT, WITHOUT ROWID;
