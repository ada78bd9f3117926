-- The whole current truth of the PostgreSQL schema, version 2 (DESIGN section 7). PostgreSQL 14 and newer.
-- Amounts are integers in subunits; ids are compared byte by byte (COLLATE "C"), so that every database sorts them as
-- Python does. The columns stand in the order of the fields in domain/state.py and ports/store.py.

-- serves: the oldest schema version whose code can still run on this one. A rolling deployment needs both.
CREATE TABLE razorpay_schema (
    version     integer NOT NULL PRIMARY KEY,
    applied_at  timestamptz NOT NULL,
    serves      integer NOT NULL CHECK (serves BETWEEN 1 AND version)
);

-- One row for each Razorpay order (payment, where there is no order). Every transaction about it updates this row first.
-- captured is in the order's currency: payments of another currency never get past the binding check.
-- Room is left in each page, because a row that is updated in place touches no index.
CREATE TABLE razorpay_anchors (
    key         text COLLATE "C" NOT NULL PRIMARY KEY,
    version     bigint NOT NULL CHECK (version >= 0),
    captured    bigint NOT NULL CHECK (captured >= 0),
    audit_seq   bigint NOT NULL CHECK (audit_seq >= 0),
    audit_head  text NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE razorpay_orders (
    local_id         text COLLATE "C" NOT NULL PRIMARY KEY,
    owner            text NOT NULL,
    plan             text,
    amount           bigint NOT NULL CHECK (amount >= 0),
    currency         text NOT NULL CHECK (length(currency) = 3),
    receipt          text NOT NULL UNIQUE,
    status           text NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    order_id         text COLLATE "C" UNIQUE,
    partial_payment  boolean NOT NULL,
    attempts         bigint NOT NULL CHECK (attempts >= 0),
    closed_at        timestamptz,
    snapshot         text,
    erased_at        timestamptz
);
CREATE INDEX razorpay_orders_owner_status ON razorpay_orders (owner, status);
CREATE INDEX razorpay_orders_created ON razorpay_orders (created_at, local_id);

-- erased_at, here and below: when retention took personal data out of the row, and the body or snapshot was replaced.
-- milestones: the names of those that have fired, sorted, with one space between.
CREATE TABLE razorpay_payments (
    payment_id       text COLLATE "C" NOT NULL PRIMARY KEY,
    anchor           text COLLATE "C" NOT NULL,
    order_id         text COLLATE "C",
    status           text NOT NULL,
    reach            text NOT NULL,
    amount           bigint NOT NULL CHECK (amount >= 0),
    currency         text NOT NULL CHECK (length(currency) = 3),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    captured         boolean NOT NULL,
    claimed          bigint NOT NULL CHECK (claimed >= 0),
    refunds_known    bigint NOT NULL CHECK (refunds_known >= 0),
    refunds_failed   bigint NOT NULL CHECK (refunds_failed BETWEEN 0 AND refunds_known),
    surplus          boolean NOT NULL,
    milestones       text NOT NULL,
    snapshot         text,
    erased_at        timestamptz
);
CREATE INDEX razorpay_payments_anchor ON razorpay_payments (anchor);
CREATE INDEX razorpay_payments_created ON razorpay_payments (created_at, payment_id);

CREATE TABLE razorpay_refunds (
    refund_id   text COLLATE "C" NOT NULL PRIMARY KEY,
    payment_id  text COLLATE "C" NOT NULL,
    anchor      text COLLATE "C" NOT NULL,
    status      text NOT NULL,
    amount      bigint NOT NULL CHECK (amount >= 0),
    currency    text NOT NULL CHECK (length(currency) = 3),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    key         text,
    snapshot    text,
    erased_at   timestamptz
);
CREATE INDEX razorpay_refunds_payment ON razorpay_refunds (payment_id);
CREATE INDEX razorpay_refunds_created ON razorpay_refunds (created_at, refund_id);

-- Refunds that we want, stored before Razorpay is asked (FAULTS A6, A7).
CREATE TABLE razorpay_refund_intents (
    key         text COLLATE "C" NOT NULL PRIMARY KEY,
    payment_id  text COLLATE "C" NOT NULL,
    anchor      text COLLATE "C" NOT NULL,
    amount      bigint NOT NULL CHECK (amount >= 0),
    currency    text NOT NULL CHECK (length(currency) = 3),
    state       text NOT NULL CHECK (state IN ('open', 'bound', 'refused')),
    created_at  timestamptz NOT NULL,
    refund_id   text COLLATE "C",
    reason      text
);
CREATE INDEX razorpay_refund_intents_payment ON razorpay_refund_intents (payment_id);
CREATE INDEX razorpay_refund_intents_open ON razorpay_refund_intents (created_at) WHERE state = 'open';

-- The dedupe keys: which signed bodies were claimed, and when. Their rows are in razorpay_inbox, in the partition of
-- received_at; a unique key over partitions would have to contain the time, and so would not be one.
CREATE TABLE razorpay_digests (
    digest       text COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(digest) = 64),
    received_at  timestamptz NOT NULL
);
CREATE INDEX razorpay_digests_received ON razorpay_digests (received_at);

-- Every signed body that we answered with 2xx, as the bytes that the signature covered. Partitions by month are
-- optional: without them all rows are in the default one.
CREATE SEQUENCE razorpay_inbox_pos;
CREATE TABLE razorpay_inbox (
    pos          bigint NOT NULL DEFAULT nextval('razorpay_inbox_pos'),
    digest       text COLLATE "C" NOT NULL,
    body         bytea NOT NULL,
    event        text NOT NULL,
    event_id     text,
    state        text NOT NULL CHECK (state IN ('done', 'waiting', 'parked', 'quarantined', 'ignored', 'dead')),
    received_at  timestamptz NOT NULL,
    created_at   timestamptz,
    updated_at   timestamptz NOT NULL,
    attempts     bigint NOT NULL CHECK (attempts >= 0),
    anchor       text COLLATE "C",
    reason       text,
    erased_at    timestamptz,
    PRIMARY KEY (digest, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE razorpay_inbox_default PARTITION OF razorpay_inbox DEFAULT;
CREATE INDEX razorpay_inbox_by_pos ON razorpay_inbox (pos);
CREATE INDEX razorpay_inbox_event ON razorpay_inbox (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX razorpay_inbox_open ON razorpay_inbox (state, received_at) WHERE state <> 'done';
CREATE INDEX razorpay_inbox_parked ON razorpay_inbox (anchor) WHERE state = 'parked';

-- One row for each (milestone, handler), for ever: this is what makes an effect happen once.
CREATE TABLE razorpay_effects (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text COLLATE "C" NOT NULL,
    handler      text COLLATE "C" NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('on', 'after')),
    anchor       text COLLATE "C" NOT NULL,
    milestone    text NOT NULL,
    kind         text NOT NULL,
    entity_id    text NOT NULL,
    detail       text NOT NULL,
    state        text NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'dead')),
    attempts     bigint NOT NULL CHECK (attempts >= 0),
    at           timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    token        text,
    lease_until  timestamptz,
    error        text,
    UNIQUE (key, handler),
    CHECK ((state = 'leased') = (token IS NOT NULL AND lease_until IS NOT NULL))
);
CREATE INDEX razorpay_effects_open ON razorpay_effects (anchor, handler, id) WHERE state IN ('waiting', 'leased');
CREATE INDEX razorpay_effects_due ON razorpay_effects (due_at) WHERE mode = 'after' AND state IN ('waiting', 'leased');
CREATE INDEX razorpay_effects_dead ON razorpay_effects (id) WHERE state = 'dead';

-- Append-only, chained within each anchor (FAULTS D15). The order for seals is (xid, pos): a transaction that commits
-- late has a small pos and perhaps a small xid, but an xid below the horizon of running ones has ended for good.
-- An anchor's seq is unique because its writer holds the anchor; over partitions the database cannot say it for us.
-- A dump restored into another server meets a counter that may begin far below the rows' xids. Nothing is written then
-- until `db migrate` has replaced this function by one that adds what is missing, so that the order goes on.
CREATE FUNCTION razorpay_audit_xid(xid8) RETURNS xid8 LANGUAGE sql STABLE AS 'SELECT $1';
CREATE SEQUENCE razorpay_audit_pos;
CREATE TABLE razorpay_audit (
    pos        bigint NOT NULL DEFAULT nextval('razorpay_audit_pos'),
    xid        xid8 NOT NULL DEFAULT razorpay_audit_xid(pg_current_xact_id()),
    anchor     text COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL,
    what       text NOT NULL,
    kind       text NOT NULL,
    entity_id  text NOT NULL,
    before     text,
    after      text,
    amount     bigint,
    currency   text,
    source     text NOT NULL,
    actor      text NOT NULL,
    event      text,
    event_id   text,
    digest     text,
    note       text,
    seq        bigint NOT NULL CHECK (seq >= 1),
    prev       text NOT NULL,
    hash       text NOT NULL,
    PRIMARY KEY (anchor, seq, at),
    CHECK ((amount IS NULL) = (currency IS NULL))
) PARTITION BY RANGE (at);
CREATE TABLE razorpay_audit_default PARTITION OF razorpay_audit DEFAULT;
CREATE INDEX razorpay_audit_order ON razorpay_audit (xid, pos);

-- Finished audit rows, linked into one chain over all anchors: what hash(seal) covers cannot be taken out unseen.
-- first and last are positions in razorpay_audit, as text.
CREATE TABLE razorpay_audit_seals (
    seq        bigint NOT NULL PRIMARY KEY CHECK (seq >= 1),
    at         timestamptz NOT NULL,
    first      text NOT NULL,
    last       text NOT NULL,
    rows       bigint NOT NULL CHECK (rows >= 1),
    digest     text NOT NULL,
    prev       text NOT NULL,
    hash       text NOT NULL
);

CREATE FUNCTION razorpay_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_ARGV[0];
END
$$;
CREATE TRIGGER razorpay_audit_no_change BEFORE UPDATE OR DELETE ON razorpay_audit
    FOR EACH ROW EXECUTE FUNCTION razorpay_refuse('razorpay_audit');
CREATE TRIGGER razorpay_audit_no_truncate BEFORE TRUNCATE ON razorpay_audit
    FOR EACH STATEMENT EXECUTE FUNCTION razorpay_refuse('razorpay_audit');
CREATE TRIGGER razorpay_audit_seals_no_change BEFORE UPDATE OR DELETE ON razorpay_audit_seals
    FOR EACH ROW EXECUTE FUNCTION razorpay_refuse('razorpay_audit_seals');
CREATE TRIGGER razorpay_audit_seals_no_truncate BEFORE TRUNCATE ON razorpay_audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION razorpay_refuse('razorpay_audit_seals');

-- What an operator has switched: 'paused' keeps receiving and storing, and stops effects; 'resumed' says when
-- that last ended, because what lived through it is not to be given up for its age.
CREATE TABLE razorpay_switches (
    name       text NOT NULL PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    note       text
);

-- Legal holds: retention leaves everything about these ids alone. subject is an anchor (order or payment id) or an owner.
CREATE TABLE razorpay_holds (
    subject    text COLLATE "C" NOT NULL PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    note       text
);

-- How far retention has come in each class of data, so that no batch begins at the start again. 'left:class:id' is a row
-- that it had to leave, because of a legal hold or because something was still to be done: it is looked at again.
CREATE TABLE razorpay_retention (
    class      text COLLATE "C" NOT NULL PRIMARY KEY,
    upto       text NOT NULL,
    at         timestamptz NOT NULL,
    erased     bigint NOT NULL CHECK (erased >= 0)
);

CREATE TABLE razorpay_runs (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    state        text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    cursor       text NOT NULL,
    totals       text NOT NULL,
    started_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    lease_until  timestamptz
);
CREATE INDEX razorpay_runs_started ON razorpay_runs (started_at);

CREATE TABLE razorpay_findings (
    run_id     text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    entity     text COLLATE "C" NOT NULL,
    entity_id  text COLLATE "C" NOT NULL,
    here       text,
    there      text,
    state      text NOT NULL CHECK (state IN ('open', 'repaired', 'left')),
    note       text,
    at         timestamptz NOT NULL,
    PRIMARY KEY (run_id, kind, entity, entity_id)
);

INSERT INTO razorpay_schema (version, applied_at, serves) VALUES (2, CURRENT_TIMESTAMP, 2);
-- What a webhook needs, in two round trips: open, then write and commit. Several statements each, and volatile, so that
-- each of them sees what was committed while the one before it waited: a single statement would read its old snapshot
-- after waiting for a lock, and effects would happen twice. No rule about money or status is in here: that is Python's.
-- The number in a name is the schema version that brought it; old code keeps calling the old name.
-- enable_seqscan: a plan made while a table was empty would read it from end to end for as long as the connection lives,
-- and at SERIALIZABLE lock all of it, so that every writer undid every other.

-- Locks the anchors, in the order given, and reads what hangs on them. A payment that is not known yet also locks its
-- own anchor (docs/decisions/0004), because a refund may be parked under it.
CREATE FUNCTION razorpay_load_2(p_anchors text[], p_local_ids text[], p_payments text[], p_refunds text[])
RETURNS json LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
    v_key text;
    v_all text[] := p_anchors;
    v_payments json;
BEGIN
    FOREACH v_key IN ARRAY p_anchors LOOP
        INSERT INTO razorpay_anchors (key, version, captured, audit_seq, audit_head) VALUES (v_key, 1, 0, 0, '')
        ON CONFLICT (key) DO UPDATE SET version = razorpay_anchors.version + 1;
    END LOOP;
    SELECT json_agg(json_build_array(payment_id, anchor, order_id, status, reach, amount, currency, created_at, updated_at,
        captured, claimed, refunds_known, refunds_failed, surplus, milestones, snapshot, erased_at))
    INTO v_payments FROM razorpay_payments WHERE payment_id = ANY (p_payments);
    FOR v_key IN
        SELECT wanted.id FROM unnest(p_payments) AS wanted (id)
        WHERE wanted.id <> ALL (p_anchors)
        AND NOT EXISTS (SELECT FROM razorpay_payments WHERE payment_id = wanted.id) ORDER BY wanted.id COLLATE "C"
    LOOP
        INSERT INTO razorpay_anchors (key, version, captured, audit_seq, audit_head) VALUES (v_key, 1, 0, 0, '')
        ON CONFLICT (key) DO UPDATE SET version = razorpay_anchors.version + 1;
        v_all := v_all || v_key;
    END LOOP;
    RETURN json_build_object(
        'anchors', (SELECT json_agg(json_build_array(key, version, captured, audit_seq, audit_head))
            FROM razorpay_anchors WHERE key = ANY (v_all)),
        'orders', (SELECT json_agg(json_build_array(local_id, owner, plan, amount, currency, receipt, status, created_at,
                updated_at, order_id, partial_payment, attempts, closed_at, snapshot, erased_at))
            FROM razorpay_orders WHERE order_id = ANY (v_all) OR local_id = ANY (p_local_ids)),
        'payments', v_payments,
        'refunds', (SELECT json_agg(json_build_array(refund_id, payment_id, anchor, status, amount, currency, created_at,
                updated_at, key, snapshot, erased_at))
            FROM razorpay_refunds WHERE refund_id = ANY (p_refunds)),
        'waiting', (SELECT json_agg(json_build_array(id, key, handler, mode, anchor, milestone, kind, entity_id, detail,
                state, attempts, at, due_at, token, lease_until, error) ORDER BY id)
            FROM razorpay_effects
            WHERE anchor = ANY (v_all) AND mode = 'on' AND state IN ('waiting', 'leased')),
        'parked', (SELECT json_agg(anchor) FROM razorpay_inbox WHERE state = 'parked' AND anchor = ANY (v_all))
    );
END
$$;

-- Claims a signed body, and, where it is new, loads what it is about.
CREATE FUNCTION razorpay_open_2(
    p_digest text, p_body bytea, p_event text, p_event_id text, p_received_at timestamptz, p_created_at timestamptz,
    p_anchors text[], p_local_ids text[], p_payments text[], p_refunds text[]
) RETURNS json LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
    v_claim json;
    v_conflict boolean := false;
BEGIN
    INSERT INTO razorpay_digests (digest, received_at) VALUES (p_digest, p_received_at) ON CONFLICT (digest) DO NOTHING;
    IF FOUND THEN
        INSERT INTO razorpay_inbox (digest, body, event, event_id, state, received_at, created_at, updated_at, attempts)
        VALUES (p_digest, p_body, p_event, p_event_id, 'done', p_received_at, p_created_at, p_received_at, 0);
    ELSE
        SELECT json_build_array(COALESCE(inbox.state, 'done'), key.received_at, inbox.created_at,
            COALESCE(inbox.attempts, 0), inbox.anchor)
        INTO v_claim FROM razorpay_digests AS key LEFT JOIN razorpay_inbox AS inbox
            ON inbox.digest = key.digest AND inbox.received_at = key.received_at
        WHERE key.digest = p_digest;
        IF v_claim IS NULL THEN
            -- Pruned between our two statements: it is neither new nor found. 40001: run it again, at once.
            RAISE EXCEPTION 'the delivery was there and is gone' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    IF p_event_id IS NOT NULL THEN
        v_conflict := EXISTS (SELECT FROM razorpay_inbox WHERE event_id = p_event_id AND digest <> p_digest);
    END IF;
    IF v_claim IS NOT NULL THEN
        RETURN json_build_object('claim', v_claim, 'conflict', v_conflict);
    END IF;
    RETURN json_build_object('conflict', v_conflict,
        'held', razorpay_load_2(p_anchors, p_local_ids, p_payments, p_refunds));
END
$$;

-- Writes everything that one decision changes; gives [key, handler, id] of the effects that are new. Columns are named, so
-- that one which a later version adds gets its default from this function too.
CREATE FUNCTION razorpay_write_2(p_batch jsonb) RETURNS json LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
    v_effects json;
BEGIN
    IF p_batch ? 'anchors' THEN
        INSERT INTO razorpay_anchors (key, version, captured, audit_seq, audit_head)
        SELECT key, version, captured, audit_seq, audit_head
        FROM jsonb_populate_recordset(NULL::razorpay_anchors, p_batch -> 'anchors')
        ON CONFLICT (key) DO UPDATE SET version = excluded.version, captured = excluded.captured,
            audit_seq = excluded.audit_seq, audit_head = excluded.audit_head;
    END IF;
    IF p_batch ? 'orders' THEN
        INSERT INTO razorpay_orders (local_id, owner, plan, amount, currency, receipt, status, created_at, updated_at, order_id,
            partial_payment, attempts, closed_at, snapshot, erased_at)
        SELECT local_id, owner, plan, amount, currency, receipt, status, created_at, updated_at, order_id,
            partial_payment, attempts, closed_at, snapshot, erased_at
        FROM jsonb_populate_recordset(NULL::razorpay_orders, p_batch -> 'orders')
        ON CONFLICT (local_id) DO UPDATE SET owner = excluded.owner, plan = excluded.plan, amount = excluded.amount,
            currency = excluded.currency, receipt = excluded.receipt, status = excluded.status,
            created_at = excluded.created_at, updated_at = excluded.updated_at, order_id = excluded.order_id,
            partial_payment = excluded.partial_payment, attempts = excluded.attempts, closed_at = excluded.closed_at,
            snapshot = excluded.snapshot, erased_at = excluded.erased_at;
    END IF;
    IF p_batch ? 'payments' THEN
        INSERT INTO razorpay_payments (payment_id, anchor, order_id, status, reach, amount, currency, created_at, updated_at,
            captured, claimed, refunds_known, refunds_failed, surplus, milestones, snapshot, erased_at)
        SELECT payment_id, anchor, order_id, status, reach, amount, currency, created_at, updated_at,
            captured, claimed, refunds_known, refunds_failed, surplus, milestones, snapshot, erased_at
        FROM jsonb_populate_recordset(NULL::razorpay_payments, p_batch -> 'payments')
        ON CONFLICT (payment_id) DO UPDATE SET anchor = excluded.anchor, order_id = excluded.order_id,
            status = excluded.status, reach = excluded.reach, amount = excluded.amount, currency = excluded.currency,
            created_at = excluded.created_at, updated_at = excluded.updated_at, captured = excluded.captured,
            claimed = excluded.claimed, refunds_known = excluded.refunds_known, refunds_failed = excluded.refunds_failed,
            surplus = excluded.surplus, milestones = excluded.milestones, snapshot = excluded.snapshot,
            erased_at = excluded.erased_at;
    END IF;
    IF p_batch ? 'refunds' THEN
        INSERT INTO razorpay_refunds (refund_id, payment_id, anchor, status, amount, currency, created_at, updated_at, key,
            snapshot, erased_at)
        SELECT refund_id, payment_id, anchor, status, amount, currency, created_at, updated_at, key,
            snapshot, erased_at
        FROM jsonb_populate_recordset(NULL::razorpay_refunds, p_batch -> 'refunds')
        ON CONFLICT (refund_id) DO UPDATE SET payment_id = excluded.payment_id, anchor = excluded.anchor,
            status = excluded.status, amount = excluded.amount, currency = excluded.currency,
            created_at = excluded.created_at, updated_at = excluded.updated_at, key = excluded.key,
            snapshot = excluded.snapshot, erased_at = excluded.erased_at;
    END IF;
    IF p_batch ? 'audit' THEN
        INSERT INTO razorpay_audit (anchor, at, what, kind, entity_id, before, after, amount, currency, source, actor,
            event, event_id, digest, note, seq, prev, hash)
        SELECT anchor, at, what, kind, entity_id, before, after, amount, currency, source, actor,
            event, event_id, digest, note, seq, prev, hash
        FROM jsonb_populate_recordset(NULL::razorpay_audit, p_batch -> 'audit');
    END IF;
    IF p_batch ? 'effects' THEN
        WITH fresh AS (
            INSERT INTO razorpay_effects (key, handler, mode, anchor, milestone, kind, entity_id, detail, state,
                attempts, at, due_at)
            SELECT key, handler, mode, anchor, milestone, kind, entity_id, detail, state, attempts, at, due_at
            FROM jsonb_populate_recordset(NULL::razorpay_effects, p_batch -> 'effects')
            ON CONFLICT (key, handler) DO NOTHING RETURNING key, handler, id
        )
        SELECT json_agg(json_build_array(key, handler, id)) INTO v_effects FROM fresh;
    END IF;
    RETURN v_effects;
END
$$;
