-- The whole current truth of the SQLite schema, version 2 (DESIGN section 7).
-- Amounts are integers in subunits; times are UTC text of fixed width, YYYY-MM-DDTHH:MM:SS.ffffffZ, so that their
-- order as text is their order in time. The columns stand in the order of the fields in domain/state.py and ports/store.py.

-- serves: the oldest schema version whose code can still run on this one. A rolling deployment needs both.
CREATE TABLE razorpay_schema (
    version     INTEGER NOT NULL PRIMARY KEY,
    applied_at  TEXT NOT NULL,
    serves      INTEGER NOT NULL CHECK (serves BETWEEN 1 AND version)
) STRICT;

-- One row for each Razorpay order (payment, where there is no order). Every transaction about it updates this row first.
-- captured is in the order's currency: payments of another currency never get past the binding check.
CREATE TABLE razorpay_anchors (
    key         TEXT NOT NULL PRIMARY KEY,
    version     INTEGER NOT NULL CHECK (version >= 0),
    captured    INTEGER NOT NULL CHECK (captured >= 0),
    audit_seq   INTEGER NOT NULL CHECK (audit_seq >= 0),
    audit_head  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE razorpay_orders (
    local_id         TEXT NOT NULL PRIMARY KEY,
    owner            TEXT NOT NULL,
    plan             TEXT,
    amount           INTEGER NOT NULL CHECK (amount >= 0),
    currency         TEXT NOT NULL CHECK (length(currency) = 3),
    receipt          TEXT NOT NULL UNIQUE,
    status           TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    order_id         TEXT UNIQUE,
    partial_payment  INTEGER NOT NULL CHECK (partial_payment IN (0, 1)),
    attempts         INTEGER NOT NULL CHECK (attempts >= 0),
    closed_at        TEXT,
    snapshot         TEXT,
    erased_at        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX razorpay_orders_owner_status ON razorpay_orders (owner, status);
CREATE INDEX razorpay_orders_created ON razorpay_orders (created_at);

-- erased_at, here and below: when retention took personal data out of the row, and the body or snapshot was replaced.
-- milestones: the names of those that have fired, sorted, with one space between.
CREATE TABLE razorpay_payments (
    payment_id       TEXT NOT NULL PRIMARY KEY,
    anchor           TEXT NOT NULL,
    order_id         TEXT,
    status           TEXT NOT NULL,
    reach            TEXT NOT NULL,
    amount           INTEGER NOT NULL CHECK (amount >= 0),
    currency         TEXT NOT NULL CHECK (length(currency) = 3),
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    captured         INTEGER NOT NULL CHECK (captured IN (0, 1)),
    claimed          INTEGER NOT NULL CHECK (claimed >= 0),
    refunds_known    INTEGER NOT NULL CHECK (refunds_known >= 0),
    refunds_failed   INTEGER NOT NULL CHECK (refunds_failed BETWEEN 0 AND refunds_known),
    surplus          INTEGER NOT NULL CHECK (surplus IN (0, 1)),
    milestones       TEXT NOT NULL,
    snapshot         TEXT,
    erased_at        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX razorpay_payments_anchor ON razorpay_payments (anchor);
CREATE INDEX razorpay_payments_created ON razorpay_payments (created_at);

CREATE TABLE razorpay_refunds (
    refund_id   TEXT NOT NULL PRIMARY KEY,
    payment_id  TEXT NOT NULL,
    anchor      TEXT NOT NULL,
    status      TEXT NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount >= 0),
    currency    TEXT NOT NULL CHECK (length(currency) = 3),
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    key         TEXT,
    snapshot    TEXT,
    erased_at   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX razorpay_refunds_payment ON razorpay_refunds (payment_id);
CREATE INDEX razorpay_refunds_created ON razorpay_refunds (created_at);

-- Refunds that we want, stored before Razorpay is asked (FAULTS A6, A7).
CREATE TABLE razorpay_refund_intents (
    key         TEXT NOT NULL PRIMARY KEY,
    payment_id  TEXT NOT NULL,
    anchor      TEXT NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount >= 0),
    currency    TEXT NOT NULL CHECK (length(currency) = 3),
    state       TEXT NOT NULL CHECK (state IN ('open', 'bound', 'refused')),
    created_at  TEXT NOT NULL,
    refund_id   TEXT,
    reason      TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX razorpay_refund_intents_payment ON razorpay_refund_intents (payment_id);
CREATE INDEX razorpay_refund_intents_open ON razorpay_refund_intents (created_at) WHERE state = 'open';

-- Every signed body that we answered with 2xx, as the bytes that the signature covered.
CREATE TABLE razorpay_inbox (
    pos          INTEGER NOT NULL PRIMARY KEY,
    digest       TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),
    body         BLOB NOT NULL,
    event        TEXT NOT NULL,
    event_id     TEXT,
    state        TEXT NOT NULL CHECK (state IN ('done', 'waiting', 'parked', 'quarantined', 'ignored', 'dead')),
    received_at  TEXT NOT NULL,
    created_at   TEXT,
    updated_at   TEXT NOT NULL,
    attempts     INTEGER NOT NULL CHECK (attempts >= 0),
    anchor       TEXT,
    reason       TEXT,
    erased_at    TEXT
) STRICT;
CREATE INDEX razorpay_inbox_event ON razorpay_inbox (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX razorpay_inbox_open ON razorpay_inbox (state, received_at) WHERE state <> 'done';
CREATE INDEX razorpay_inbox_parked ON razorpay_inbox (anchor) WHERE state = 'parked';

-- One row for each (milestone, handler), for ever: this is what makes an effect happen once.
CREATE TABLE razorpay_effects (
    id           INTEGER PRIMARY KEY,
    key          TEXT NOT NULL,
    handler      TEXT NOT NULL,
    mode         TEXT NOT NULL CHECK (mode IN ('on', 'after')),
    anchor       TEXT NOT NULL,
    milestone    TEXT NOT NULL,
    kind         TEXT NOT NULL,
    entity_id    TEXT NOT NULL,
    detail       TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'dead')),
    attempts     INTEGER NOT NULL CHECK (attempts >= 0),
    at           TEXT NOT NULL,
    due_at       TEXT NOT NULL,
    token        TEXT,
    lease_until  TEXT,
    error        TEXT,
    UNIQUE (key, handler),
    CHECK ((state = 'leased') = (token IS NOT NULL AND lease_until IS NOT NULL))
) STRICT;
CREATE INDEX razorpay_effects_open ON razorpay_effects (anchor, handler, id) WHERE state IN ('waiting', 'leased');
CREATE INDEX razorpay_effects_due ON razorpay_effects (due_at) WHERE mode = 'after' AND state IN ('waiting', 'leased');
CREATE INDEX razorpay_effects_dead ON razorpay_effects (id) WHERE state = 'dead';

-- Append-only, chained within each anchor (FAULTS D15). pos is the order of arrival, and survives VACUUM as a bare rowid
-- does not. The chain finds what the triggers could not prevent.
CREATE TABLE razorpay_audit (
    pos        INTEGER NOT NULL PRIMARY KEY,
    anchor     TEXT NOT NULL,
    at         TEXT NOT NULL,
    what       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    entity_id  TEXT NOT NULL,
    before     TEXT,
    after      TEXT,
    amount     INTEGER,
    currency   TEXT,
    source     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    event      TEXT,
    event_id   TEXT,
    digest     TEXT,
    note       TEXT,
    seq        INTEGER NOT NULL CHECK (seq >= 1),
    prev       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    UNIQUE (anchor, seq),
    CHECK ((amount IS NULL) = (currency IS NULL))
) STRICT;
CREATE TRIGGER razorpay_audit_no_update BEFORE UPDATE ON razorpay_audit
BEGIN SELECT RAISE(ABORT, 'razorpay_audit is append-only'); END;
CREATE TRIGGER razorpay_audit_no_delete BEFORE DELETE ON razorpay_audit
BEGIN SELECT RAISE(ABORT, 'razorpay_audit is append-only'); END;

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

CREATE TABLE razorpay_runs (
    id           TEXT NOT NULL PRIMARY KEY,
    since        TEXT NOT NULL,
    until        TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    cursor       TEXT NOT NULL,
    totals       TEXT NOT NULL,
    started_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    lease_until  TEXT
) STRICT;
CREATE INDEX razorpay_runs_started ON razorpay_runs (started_at);

CREATE TABLE razorpay_findings (
    run_id     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    entity     TEXT NOT NULL,
    entity_id  TEXT NOT NULL,
    here       TEXT,
    there      TEXT,
    state      TEXT NOT NULL CHECK (state IN ('open', 'repaired', 'left')),
    note       TEXT,
    at         TEXT NOT NULL,
    PRIMARY KEY (run_id, kind, entity, entity_id)
) STRICT, WITHOUT ROWID;

INSERT INTO razorpay_schema (version, applied_at, serves) VALUES (2, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), 2);
