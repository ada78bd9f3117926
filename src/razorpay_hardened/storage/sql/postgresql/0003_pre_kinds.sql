-- From version 2: every other kind of entity, and which of their milestones have fired. Code of version 2 runs on it:
-- its functions stay beside the new ones.

-- Everything else that Razorpay tells of: disputes, subscriptions, links, settlements and so on, one row each.
-- told_at: when the news that made the status was made; anchor: the order that it belongs to, or its own id.
CREATE TABLE razorpay_entities (
    entity_id   text COLLATE "C" NOT NULL PRIMARY KEY,
    kind        text NOT NULL,
    anchor      text COLLATE "C" NOT NULL,
    status      text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    told_at     timestamptz NOT NULL,
    phase       text,
    snapshot    text,
    erased_at   timestamptz
);
CREATE INDEX razorpay_entities_anchor ON razorpay_entities (anchor);
CREATE INDEX razorpay_entities_created ON razorpay_entities (created_at, entity_id);
CREATE INDEX razorpay_entities_kind ON razorpay_entities (kind, created_at, entity_id);

-- The milestones of those that have fired, by key, for ever. Payments keep theirs in their own row; a subscription is
-- charged, and a QR code paid, without end.
CREATE TABLE razorpay_milestones (
    key         text COLLATE "C" NOT NULL PRIMARY KEY,
    at          timestamptz NOT NULL
);

-- Locks the anchors, in the order given, and reads what hangs on them. A payment that is not known yet also locks its
-- own anchor (docs/decisions/0004), because a refund may be parked under it.
CREATE FUNCTION razorpay_load_3(
    p_anchors text[], p_local_ids text[], p_payments text[], p_refunds text[], p_entities text[], p_milestones text[]
) RETURNS json LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
    v_key text;
    v_all text[] := p_anchors;
    v_payments json;
    v_entities json;
    v_fired json;
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
    -- Most news is of a payment alone, and pays for no other kind.
    IF cardinality(p_entities) > 0 THEN
        SELECT json_agg(json_build_array(entity_id, kind, anchor, status, created_at, updated_at, told_at, phase, snapshot,
            erased_at))
        INTO v_entities FROM razorpay_entities WHERE entity_id = ANY (p_entities);
    END IF;
    IF cardinality(p_milestones) > 0 THEN
        SELECT json_agg(key) INTO v_fired FROM razorpay_milestones WHERE key = ANY (p_milestones);
    END IF;
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
        'entities', v_entities,
        'fired', v_fired,
        'parked', (SELECT json_agg(anchor) FROM razorpay_inbox WHERE state = 'parked' AND anchor = ANY (v_all))
    );
END
$$;

-- Claims a signed body, and, where it is new, loads what it is about.
CREATE FUNCTION razorpay_open_3(
    p_digest text, p_body bytea, p_event text, p_event_id text, p_received_at timestamptz, p_created_at timestamptz,
    p_anchors text[], p_local_ids text[], p_payments text[], p_refunds text[], p_entities text[], p_milestones text[]
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
        'held', razorpay_load_3(p_anchors, p_local_ids, p_payments, p_refunds, p_entities, p_milestones));
END
$$;

-- Writes everything that one decision changes; gives [key, handler, id] of the effects that are new. Columns are named, so
-- that one which a later version adds gets its default from this function too.
CREATE FUNCTION razorpay_write_3(p_batch jsonb) RETURNS json LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
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
    IF p_batch ? 'entities' THEN
        INSERT INTO razorpay_entities (entity_id, kind, anchor, status, created_at, updated_at, told_at, phase, snapshot,
            erased_at)
        SELECT entity_id, kind, anchor, status, created_at, updated_at, told_at, phase, snapshot, erased_at
        FROM jsonb_populate_recordset(NULL::razorpay_entities, p_batch -> 'entities')
        ON CONFLICT (entity_id) DO UPDATE SET kind = excluded.kind, anchor = excluded.anchor, status = excluded.status,
            created_at = excluded.created_at, updated_at = excluded.updated_at, told_at = excluded.told_at,
            phase = excluded.phase, snapshot = excluded.snapshot, erased_at = excluded.erased_at;
    END IF;
    IF p_batch ? 'milestones' THEN
        INSERT INTO razorpay_milestones (key, at)
        SELECT key, at FROM jsonb_populate_recordset(NULL::razorpay_milestones, p_batch -> 'milestones')
        ON CONFLICT (key) DO NOTHING;
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
