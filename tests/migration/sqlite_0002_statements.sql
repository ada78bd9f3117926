-- Every statement that code of schema version 2 ran on SQLite, one a line, each after its name: kept so that a rolling
-- deployment (new schema, old code) can be tested for as long as anybody may still come from there.
-- anchor.change
UPDATE razorpay_anchors SET version = ?, captured = ?, audit_seq = ?, audit_head = ? WHERE key = ?;
-- anchor.put
INSERT INTO razorpay_anchors ( key, version, captured, audit_seq, audit_head ) VALUES ( ?, ?, ?, ?, ? ) ON CONFLICT (key) DO UPDATE SET version = excluded.version, captured = excluded.captured, audit_seq = excluded.audit_seq, audit_head = excluded.audit_head;
-- anchors_of
SELECT payment_id, anchor FROM razorpay_payments WHERE payment_id IN (?);
-- claim
INSERT INTO razorpay_inbox ( digest, body, event, event_id, state, received_at, created_at, updated_at, attempts, anchor, reason, erased_at ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (digest) DO NOTHING;
-- claimed
SELECT state, received_at, created_at, attempts, anchor FROM razorpay_inbox WHERE digest = ?;
-- finish_effect
UPDATE razorpay_effects SET state = ?, attempts = ?, due_at = ?, error = ?, token = NULL, lease_until = NULL WHERE id = ?;
-- finish_leased
UPDATE razorpay_effects SET state = ?, attempts = ?, due_at = ?, error = ?, token = NULL, lease_until = NULL WHERE id = ? AND state = 'leased' AND token = ?;
-- intents
SELECT key, payment_id, anchor, amount, currency, state, created_at, refund_id, reason FROM razorpay_refund_intents WHERE payment_id = ? ORDER BY created_at, key;
-- lease
WITH head AS MATERIALIZED ( SELECT id FROM razorpay_effects AS effect WHERE mode = 'after' AND state IN ('waiting', 'leased') AND due_at <= ? AND (state = 'waiting' OR lease_until <= ?) AND handler IN (?)  AND NOT EXISTS ( SELECT 1 FROM razorpay_effects AS elder WHERE elder.anchor = effect.anchor AND elder.handler = effect.handler AND elder.id < effect.id AND elder.state IN ('waiting', 'leased') ) ORDER BY due_at, id LIMIT ?  ) UPDATE razorpay_effects SET state = 'leased', token = ?, lease_until = ? WHERE id IN (SELECT id FROM head) RETURNING id, key, handler, mode, anchor, milestone, kind, entity_id, detail, state, attempts, at, due_at, token, lease_until, error;
-- lease_of_anchor
WITH head AS MATERIALIZED ( SELECT id FROM razorpay_effects AS effect WHERE mode = 'after' AND state IN ('waiting', 'leased') AND due_at <= ? AND (state = 'waiting' OR lease_until <= ?) AND handler IN (?) AND anchor = ? AND NOT EXISTS ( SELECT 1 FROM razorpay_effects AS elder WHERE elder.anchor = effect.anchor AND elder.handler = effect.handler AND elder.id < effect.id AND elder.state IN ('waiting', 'leased') ) ORDER BY due_at, id LIMIT ?  ) UPDATE razorpay_effects SET state = 'leased', token = ?, lease_until = ? WHERE id IN (SELECT id FROM head) RETURNING id, key, handler, mode, anchor, milestone, kind, entity_id, detail, state, attempts, at, due_at, token, lease_until, error;
-- lock_anchor
INSERT INTO razorpay_anchors (key, version, captured, audit_seq, audit_head) VALUES (?, 1, 0, 0, '') ON CONFLICT (key) DO UPDATE SET version = razorpay_anchors.version + 1 RETURNING key, version, captured, audit_seq, audit_head;
-- order.change
UPDATE razorpay_orders SET plan = ?, amount = ?, currency = ?, status = ?, updated_at = ?, partial_payment = ?, attempts = ?, closed_at = ?, snapshot = ?, erased_at = ? WHERE local_id = ?;
-- order.put
INSERT INTO razorpay_orders ( local_id, owner, plan, amount, currency, receipt, status, created_at, updated_at, order_id, partial_payment, attempts, closed_at, snapshot, erased_at ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (local_id) DO UPDATE SET owner = excluded.owner, plan = excluded.plan, amount = excluded.amount, currency = excluded.currency, receipt = excluded.receipt, status = excluded.status, created_at = excluded.created_at, updated_at = excluded.updated_at, order_id = excluded.order_id, partial_payment = excluded.partial_payment, attempts = excluded.attempts, closed_at = excluded.closed_at, snapshot = excluded.snapshot, erased_at = excluded.erased_at;
-- orders_by_anchor
SELECT local_id, owner, plan, amount, currency, receipt, status, created_at, updated_at, order_id, partial_payment, attempts, closed_at, snapshot, erased_at FROM razorpay_orders WHERE order_id IN (?);
-- orders_by_local_id
SELECT local_id, owner, plan, amount, currency, receipt, status, created_at, updated_at, order_id, partial_payment, attempts, closed_at, snapshot, erased_at FROM razorpay_orders WHERE local_id IN (?);
-- parked
SELECT digest, body, event, event_id, state, received_at, created_at, updated_at, attempts, anchor, reason, erased_at FROM razorpay_inbox WHERE state = 'parked' AND anchor IN (?) ORDER BY received_at, digest ;
-- payment.change
UPDATE razorpay_payments SET order_id = ?, status = ?, reach = ?, amount = ?, currency = ?, updated_at = ?, captured = ?, claimed = ?, refunds_known = ?, refunds_failed = ?, surplus = ?, milestones = ?, snapshot = ?, erased_at = ? WHERE payment_id = ?;
-- payment.put
INSERT INTO razorpay_payments ( payment_id, anchor, order_id, status, reach, amount, currency, created_at, updated_at, captured, claimed, refunds_known, refunds_failed, surplus, milestones, snapshot, erased_at ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (payment_id) DO UPDATE SET anchor = excluded.anchor, order_id = excluded.order_id, status = excluded.status, reach = excluded.reach, amount = excluded.amount, currency = excluded.currency, created_at = excluded.created_at, updated_at = excluded.updated_at, captured = excluded.captured, claimed = excluded.claimed, refunds_known = excluded.refunds_known, refunds_failed = excluded.refunds_failed, surplus = excluded.surplus, milestones = excluded.milestones, snapshot = excluded.snapshot, erased_at = excluded.erased_at;
-- payments
SELECT payment_id, anchor, order_id, status, reach, amount, currency, created_at, updated_at, captured, claimed, refunds_known, refunds_failed, surplus, milestones, snapshot, erased_at FROM razorpay_payments WHERE payment_id IN (?);
-- put_audit
INSERT INTO razorpay_audit ( anchor, at, what, kind, entity_id, before, after, amount, currency, source, actor, event, event_id, digest, note, seq, prev, hash ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? );
-- put_effect
INSERT INTO razorpay_effects ( key, handler, mode, anchor, milestone, kind, entity_id, detail, state, attempts, at, due_at, token, lease_until, error ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (key, handler) DO NOTHING RETURNING id;
-- put_finding
INSERT INTO razorpay_findings ( run_id, kind, entity, entity_id, here, there, state, note, at ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (run_id, kind, entity, entity_id) DO UPDATE SET here = excluded.here, there = excluded.there, state = excluded.state, note = excluded.note, at = excluded.at;
-- put_intent
INSERT INTO razorpay_refund_intents ( key, payment_id, anchor, amount, currency, state, created_at, refund_id, reason ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (key) DO UPDATE SET payment_id = excluded.payment_id, anchor = excluded.anchor, amount = excluded.amount, currency = excluded.currency, state = excluded.state, created_at = excluded.created_at, refund_id = excluded.refund_id, reason = excluded.reason;
-- put_run
INSERT INTO razorpay_runs ( id, since, until, state, cursor, totals, started_at, updated_at, lease_until ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (id) DO UPDATE SET since = excluded.since, until = excluded.until, state = excluded.state, cursor = excluded.cursor, totals = excluded.totals, started_at = excluded.started_at, updated_at = excluded.updated_at, lease_until = excluded.lease_until;
-- refund.change
UPDATE razorpay_refunds SET anchor = ?, status = ?, amount = ?, currency = ?, updated_at = ?, key = ?, snapshot = ?, erased_at = ? WHERE refund_id = ?;
-- refund.put
INSERT INTO razorpay_refunds ( refund_id, payment_id, anchor, status, amount, currency, created_at, updated_at, key, snapshot, erased_at ) VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? ) ON CONFLICT (refund_id) DO UPDATE SET payment_id = excluded.payment_id, anchor = excluded.anchor, status = excluded.status, amount = excluded.amount, currency = excluded.currency, created_at = excluded.created_at, updated_at = excluded.updated_at, key = excluded.key, snapshot = excluded.snapshot, erased_at = excluded.erased_at;
-- refunds
SELECT refund_id, payment_id, anchor, status, amount, currency, created_at, updated_at, key, snapshot, erased_at FROM razorpay_refunds WHERE refund_id IN (?);
-- same_event_id
SELECT 1 FROM razorpay_inbox WHERE event_id = ? AND digest <> ? LIMIT 1;
-- settle
UPDATE razorpay_inbox SET state = ?, updated_at = ?, attempts = attempts + 1, anchor = COALESCE(?, anchor), reason = ? WHERE digest = ?;
-- waiting
SELECT id, key, handler, mode, anchor, milestone, kind, entity_id, detail, state, attempts, at, due_at, token, lease_until, error FROM razorpay_effects WHERE anchor IN (?) AND mode = 'on' AND state IN ('waiting', 'leased') ORDER BY id;
-- keeping.any_hold
SELECT subject FROM razorpay_holds LIMIT 1;
-- keeping.drop
DELETE FROM razorpay_inbox WHERE digest = ? AND received_at = ? AND state IN ('done', 'ignored', 'dead');
-- keeping.drop_digest
DELETE FROM razorpay_digests WHERE digest = ?;
-- keeping.drop_hold
DELETE FROM razorpay_holds WHERE subject = ?;
-- keeping.drop_mark
DELETE FROM razorpay_retention WHERE class = ?;
-- keeping.drop_switch
DELETE FROM razorpay_switches WHERE name = ?;
-- keeping.erase
UPDATE razorpay_inbox SET body = ?, reason = ?, erased_at = ? WHERE digest = ? AND received_at = ? AND erased_at IS NULL AND state IN ('done', 'ignored', 'dead');
-- keeping.erase_one
UPDATE razorpay_inbox SET body = ?, erased_at = ? WHERE digest = ? AND state IN ('done', 'ignored', 'dead');
-- keeping.held
SELECT subject FROM razorpay_holds WHERE subject IN (?);
-- keeping.holds
SELECT subject, at, actor, note FROM razorpay_holds WHERE subject > ? ORDER BY subject LIMIT ?;
-- keeping.last_seal
SELECT seq, hash FROM razorpay_audit_seals ORDER BY seq DESC LIMIT 1;
-- keeping.marks
SELECT class, upto, at, erased FROM razorpay_retention WHERE class > ? AND class >= ? AND class < ? ORDER BY class LIMIT ?;
-- keeping.owners
SELECT order_id, local_id, owner FROM razorpay_orders WHERE order_id IN (?);
-- keeping.parked
SELECT DISTINCT anchor FROM razorpay_inbox WHERE anchor IN (?) AND state = 'parked';
-- keeping.payments
SELECT anchor, payment_id FROM razorpay_payments WHERE anchor IN (?);
-- keeping.pending
SELECT payment_id FROM razorpay_refunds WHERE payment_id IN (?) AND status = 'pending';
-- keeping.put_hold
INSERT INTO razorpay_holds (subject, at, actor, note) VALUES (?, ?, ?, ?) ON CONFLICT (subject) DO UPDATE SET at = excluded.at, actor = excluded.actor, note = excluded.note;
-- keeping.put_mark
INSERT INTO razorpay_retention (class, upto, at, erased) VALUES (?, ?, ?, ?) ON CONFLICT (class) DO UPDATE SET upto = excluded.upto, at = excluded.at, erased = excluded.erased;
-- keeping.put_switch
INSERT INTO razorpay_switches (name, at, actor, note) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at, actor = excluded.actor, note = excluded.note;
-- keeping.received
SELECT pos, digest, body, event, event_id, state, received_at, created_at, updated_at, attempts, anchor, reason, erased_at FROM razorpay_inbox WHERE pos > ? ORDER BY pos LIMIT ?;
-- keeping.refunds
SELECT payment_id, refund_id FROM razorpay_refunds WHERE payment_id IN (?);
-- keeping.seal
SELECT seq, hash FROM razorpay_audit_seals WHERE seq = ?;
-- keeping.shorten
UPDATE razorpay_effects SET error = ? WHERE id = ? AND state = 'dead' AND error = ?;
-- keeping.switches
SELECT name, at, actor, note FROM razorpay_switches;
-- keeping.unfinished
SELECT DISTINCT anchor FROM razorpay_effects WHERE anchor IN (?) AND state IN ('waiting', 'leased');
-- keeping.wanted
SELECT payment_id FROM razorpay_refund_intents WHERE payment_id IN (?) AND state = 'open';
-- select.razorpay_anchors
SELECT key, version, captured, audit_seq, audit_head FROM razorpay_anchors;
-- select.razorpay_audit
SELECT anchor, at, what, kind, entity_id, before, after, amount, currency, source, actor, event, event_id, digest, note, seq, prev, hash FROM razorpay_audit;
-- select.razorpay_audit_seals
SELECT seq, at, first, last, rows, digest, prev, hash FROM razorpay_audit_seals;
-- select.razorpay_effects
SELECT id, key, handler, mode, anchor, milestone, kind, entity_id, detail, state, attempts, at, due_at, token, lease_until, error FROM razorpay_effects;
-- select.razorpay_findings
SELECT run_id, kind, entity, entity_id, here, there, state, note, at FROM razorpay_findings;
-- select.razorpay_inbox
SELECT digest, body, event, event_id, state, received_at, created_at, updated_at, attempts, anchor, reason, erased_at FROM razorpay_inbox;
-- select.razorpay_orders
SELECT local_id, owner, plan, amount, currency, receipt, status, created_at, updated_at, order_id, partial_payment, attempts, closed_at, snapshot, erased_at FROM razorpay_orders;
-- select.razorpay_payments
SELECT payment_id, anchor, order_id, status, reach, amount, currency, created_at, updated_at, captured, claimed, refunds_known, refunds_failed, surplus, milestones, snapshot, erased_at FROM razorpay_payments;
-- select.razorpay_refund_intents
SELECT key, payment_id, anchor, amount, currency, state, created_at, refund_id, reason FROM razorpay_refund_intents;
-- select.razorpay_refunds
SELECT refund_id, payment_id, anchor, status, amount, currency, created_at, updated_at, key, snapshot, erased_at FROM razorpay_refunds;
-- select.razorpay_runs
SELECT id, since, until, state, cursor, totals, started_at, updated_at, lease_until FROM razorpay_runs;
