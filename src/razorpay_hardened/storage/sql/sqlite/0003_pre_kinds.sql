-- From version 2: every other kind of entity, and which of their milestones have fired. Code of version 2 runs on it.

-- Everything else that Razorpay tells of: disputes, subscriptions, links, settlements and so on, one row each.
-- told_at: when the news that made the status was made; anchor: the order that it belongs to, or its own id.
CREATE TABLE razorpay_entities (
    entity_id   TEXT NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL,
    anchor      TEXT NOT NULL,
    status      TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    told_at     TEXT NOT NULL,
    phase       TEXT,
    snapshot    TEXT,
    erased_at   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX razorpay_entities_anchor ON razorpay_entities (anchor);
CREATE INDEX razorpay_entities_created ON razorpay_entities (created_at);
CREATE INDEX razorpay_entities_kind ON razorpay_entities (kind, created_at);

-- The milestones of those that have fired, by key, for ever. Payments keep theirs in their own row; a subscription is
-- charged, and a QR code paid, without end.
CREATE TABLE razorpay_milestones (
    key         TEXT NOT NULL PRIMARY KEY,
    at          TEXT NOT NULL
) STRICT, WITHOUT ROWID;
