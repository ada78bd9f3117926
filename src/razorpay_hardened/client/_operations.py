"""Every operation that the client knows, as data: where it goes, and what makes it safe to send again.

Paths are those of FACTS appendix D and of the API reference; the rules are those of FAULTS rule 6 and FACTS section 7.
Where nothing is documented that would settle a doubt, the rule is ``ONCE``: the caller gets ``OutcomeUnknown``.
"""

from __future__ import annotations

from typing import Final

from razorpay_hardened.client._values import Operation, Rule

# orders
ORDER_CREATE: Final = Operation("orders.create", "POST", "/v1/orders", Rule.LOOK_UP)
ORDER_CREATE_ONCE: Final = Operation("orders.create", "POST", "/v1/orders", Rule.ONCE)
"""Without a receipt there is nothing to look up, so nothing is sent twice (DESIGN section 10)."""
ORDER_FETCH: Final = Operation("orders.fetch", "GET", "/v1/orders/{}", Rule.READ)
ORDER_LIST: Final = Operation("orders.list", "GET", "/v1/orders", Rule.READ, bulk=True)
ORDER_EDIT: Final = Operation("orders.edit", "PATCH", "/v1/orders/{}", Rule.STATE)
ORDER_PAYMENTS: Final = Operation("orders.payments", "GET", "/v1/orders/{}/payments", Rule.READ)
ORDER_FULFILMENT: Final = Operation("orders.edit_fulfillment", "POST", "/v1/orders/{}/fulfillment", Rule.STATE)
ORDER_RTO_REVIEW: Final = Operation("orders.rto_review", "POST", "/v1/orders/{}/rto_review", Rule.ASK)

# payments
PAYMENT_FETCH: Final = Operation("payments.fetch", "GET", "/v1/payments/{}", Rule.READ)
PAYMENT_LIST: Final = Operation("payments.list", "GET", "/v1/payments", Rule.READ, bulk=True)
PAYMENT_EDIT: Final = Operation("payments.edit", "PATCH", "/v1/payments/{}", Rule.STATE)
PAYMENT_CAPTURE: Final = Operation("payments.capture", "POST", "/v1/payments/{}/capture", Rule.SETTLE)
PAYMENT_REFUND: Final = Operation(
    "payments.refund", "POST", "/v1/payments/{}/refund", Rule.KEYED, key_header="X-Refund-Idempotency"
)
PAYMENT_REFUNDS: Final = Operation("payments.refunds", "GET", "/v1/payments/{}/refunds", Rule.READ)
PAYMENT_REFUND_FETCH: Final = Operation("payments.fetch_refund", "GET", "/v1/payments/{}/refunds/{}", Rule.READ)
PAYMENT_CARD: Final = Operation("payments.card", "GET", "/v1/payments/{}/card", Rule.READ)
PAYMENT_BANK_TRANSFER: Final = Operation("payments.bank_transfer", "GET", "/v1/payments/{}/bank_transfer", Rule.READ)
PAYMENT_UPI_TRANSFER: Final = Operation("payments.upi_transfer", "GET", "/v1/payments/{}/upi_transfer", Rule.READ)
PAYMENT_TRANSFERS: Final = Operation("payments.transfers", "GET", "/v1/payments/{}/transfers", Rule.READ)
PAYMENT_TRANSFER: Final = Operation("payments.transfer", "POST", "/v1/payments/{}/transfers", Rule.ONCE)
PAYMENT_CREATE: Final = Operation("payments.create_json", "POST", "/v1/payments/create/json", Rule.ONCE)
PAYMENT_CREATE_UPI: Final = Operation("payments.create_upi", "POST", "/v1/payments/create/upi", Rule.ONCE)
PAYMENT_CREATE_RECURRING: Final = Operation(
    "payments.create_recurring", "POST", "/v1/payments/create/recurring", Rule.ONCE
)
PAYMENT_OTP_GENERATE: Final = Operation("payments.otp_generate", "POST", "/v1/payments/{}/otp_generate", Rule.ONCE)
PAYMENT_OTP_RESEND: Final = Operation("payments.otp_resend", "POST", "/v1/payments/{}/otp/resend", Rule.ONCE)
PAYMENT_OTP_SUBMIT: Final = Operation("payments.otp_submit", "POST", "/v1/payments/{}/otp/submit", Rule.ONCE)
PAYMENT_VALIDATE_VPA: Final = Operation("payments.validate_vpa", "POST", "/v1/payments/validate/vpa", Rule.ASK)
PAYMENT_METHODS: Final = Operation("payments.methods", "GET", "/v1/methods", Rule.READ, public=True)
DOWNTIME_LIST: Final = Operation("payments.downtimes", "GET", "/v1/payments/downtimes", Rule.READ)
DOWNTIME_FETCH: Final = Operation("payments.downtime", "GET", "/v1/payments/downtimes/{}", Rule.READ)

# refunds
REFUND_FETCH: Final = Operation("refunds.fetch", "GET", "/v1/refunds/{}", Rule.READ)
REFUND_LIST: Final = Operation("refunds.list", "GET", "/v1/refunds", Rule.READ, bulk=True)
REFUND_EDIT: Final = Operation("refunds.edit", "PATCH", "/v1/refunds/{}", Rule.STATE)

# cards
CARD_FETCH: Final = Operation("cards.fetch", "GET", "/v1/cards/{}", Rule.READ)
CARD_FINGERPRINT: Final = Operation("cards.reference", "POST", "/v1/cards/fingerprints", Rule.ASK)
IIN_FETCH: Final = Operation("iins.fetch", "GET", "/v1/iins/{}", Rule.READ)
IIN_LIST: Final = Operation("iins.list", "GET", "/v1/iins/list", Rule.READ)

# customers
CUSTOMER_CREATE: Final = Operation("customers.create", "POST", "/v1/customers", Rule.ONCE)
CUSTOMER_ENSURE: Final = Operation("customers.create", "POST", "/v1/customers", Rule.STATE)
"""With ``fail_existing`` 0 the customer that exists is the answer (FACTS section 7.3)."""
CUSTOMER_FETCH: Final = Operation("customers.fetch", "GET", "/v1/customers/{}", Rule.READ)
CUSTOMER_LIST: Final = Operation("customers.list", "GET", "/v1/customers", Rule.READ, bulk=True)
CUSTOMER_EDIT: Final = Operation("customers.edit", "PUT", "/v1/customers/{}", Rule.STATE)
CUSTOMER_BANK_ADD: Final = Operation("customers.add_bank_account", "POST", "/v1/customers/{}/bank_account", Rule.ONCE)
CUSTOMER_BANK_DELETE: Final = Operation(
    "customers.delete_bank_account", "DELETE", "/v1/customers/{}/bank_account/{}", Rule.ONCE
)
CUSTOMER_ELIGIBILITY_CHECK: Final = Operation(
    "customers.check_eligibility", "POST", "/v1/customers/eligibility", Rule.ONCE
)
CUSTOMER_ELIGIBILITY_FETCH: Final = Operation("customers.eligibility", "GET", "/v1/customers/eligibility/{}", Rule.READ)
FUND_ACCOUNT_CREATE: Final = Operation("fund_accounts.create", "POST", "/v1/fund_accounts", Rule.ONCE)
FUND_ACCOUNT_LIST: Final = Operation("fund_accounts.list", "GET", "/v1/fund_accounts", Rule.READ)

# tokens
TOKEN_CREATE: Final = Operation("tokens.create", "POST", "/v1/tokens", Rule.ONCE)
TOKEN_LIST: Final = Operation("tokens.list", "GET", "/v1/customers/{}/tokens", Rule.READ)
TOKEN_FETCH: Final = Operation("tokens.fetch", "GET", "/v1/customers/{}/tokens/{}", Rule.READ)
TOKEN_DELETE: Final = Operation("tokens.delete", "DELETE", "/v1/customers/{}/tokens/{}", Rule.SETTLE)
TOKEN_CANCEL: Final = Operation("tokens.cancel", "PUT", "/v1/customers/{}/tokens/{}/cancel", Rule.SETTLE)
TOKEN_NETWORK_FETCH: Final = Operation("tokens.fetch_network_token", "POST", "/v1/tokens/fetch", Rule.ASK)
TOKEN_NETWORK_DELETE: Final = Operation("tokens.delete_network_token", "POST", "/v1/tokens/delete", Rule.SETTLE)
TOKEN_TRANSACTION_DATA: Final = Operation(
    "tokens.transaction_data", "POST", "/v1/tokens/service_provider_tokens/token_transactional_data", Rule.ONCE
)
REGISTRATION_LINK_CREATE: Final = Operation(
    "registration_links.create", "POST", "/v1/subscription_registration/auth_links", Rule.ONCE
)

# plans, subscriptions, add-ons, items
PLAN_CREATE: Final = Operation("plans.create", "POST", "/v1/plans", Rule.ONCE)
PLAN_FETCH: Final = Operation("plans.fetch", "GET", "/v1/plans/{}", Rule.READ)
PLAN_LIST: Final = Operation("plans.list", "GET", "/v1/plans", Rule.READ, bulk=True)
SUBSCRIPTION_CREATE: Final = Operation("subscriptions.create", "POST", "/v1/subscriptions", Rule.ONCE)
SUBSCRIPTION_FETCH: Final = Operation("subscriptions.fetch", "GET", "/v1/subscriptions/{}", Rule.READ)
SUBSCRIPTION_LIST: Final = Operation("subscriptions.list", "GET", "/v1/subscriptions", Rule.READ, bulk=True)
SUBSCRIPTION_EDIT: Final = Operation("subscriptions.edit", "PATCH", "/v1/subscriptions/{}", Rule.ONCE)
SUBSCRIPTION_CANCEL: Final = Operation("subscriptions.cancel", "POST", "/v1/subscriptions/{}/cancel", Rule.SETTLE)
SUBSCRIPTION_PAUSE: Final = Operation("subscriptions.pause", "POST", "/v1/subscriptions/{}/pause", Rule.SETTLE)
SUBSCRIPTION_RESUME: Final = Operation("subscriptions.resume", "POST", "/v1/subscriptions/{}/resume", Rule.SETTLE)
SUBSCRIPTION_PENDING: Final = Operation(
    "subscriptions.pending_update", "GET", "/v1/subscriptions/{}/retrieve_scheduled_changes", Rule.READ
)
SUBSCRIPTION_CANCEL_PENDING: Final = Operation(
    "subscriptions.cancel_pending_update", "POST", "/v1/subscriptions/{}/cancel_scheduled_changes", Rule.ONCE
)
SUBSCRIPTION_ADDON: Final = Operation("subscriptions.create_addon", "POST", "/v1/subscriptions/{}/addons", Rule.ONCE)
SUBSCRIPTION_OFFER_DELETE: Final = Operation(
    "subscriptions.delete_offer", "DELETE", "/v1/subscriptions/{}/{}", Rule.ONCE
)
ADDON_FETCH: Final = Operation("addons.fetch", "GET", "/v1/addons/{}", Rule.READ)
ADDON_LIST: Final = Operation("addons.list", "GET", "/v1/addons", Rule.READ, bulk=True)
ADDON_DELETE: Final = Operation("addons.delete", "DELETE", "/v1/addons/{}", Rule.SETTLE)
ITEM_CREATE: Final = Operation("items.create", "POST", "/v1/items", Rule.ONCE)
ITEM_FETCH: Final = Operation("items.fetch", "GET", "/v1/items/{}", Rule.READ)
ITEM_LIST: Final = Operation("items.list", "GET", "/v1/items", Rule.READ, bulk=True)
ITEM_EDIT: Final = Operation("items.edit", "PATCH", "/v1/items/{}", Rule.STATE)
ITEM_DELETE: Final = Operation("items.delete", "DELETE", "/v1/items/{}", Rule.SETTLE)

# invoices, payment links
INVOICE_CREATE: Final = Operation("invoices.create", "POST", "/v1/invoices", Rule.LOOK_UP)
INVOICE_CREATE_ONCE: Final = Operation("invoices.create", "POST", "/v1/invoices", Rule.ONCE)
INVOICE_FETCH: Final = Operation("invoices.fetch", "GET", "/v1/invoices/{}", Rule.READ)
INVOICE_LIST: Final = Operation("invoices.list", "GET", "/v1/invoices", Rule.READ, bulk=True)
INVOICE_EDIT: Final = Operation("invoices.edit", "PATCH", "/v1/invoices/{}", Rule.ONCE)
INVOICE_ISSUE: Final = Operation("invoices.issue", "POST", "/v1/invoices/{}/issue", Rule.SETTLE)
INVOICE_CANCEL: Final = Operation("invoices.cancel", "POST", "/v1/invoices/{}/cancel", Rule.SETTLE)
INVOICE_DELETE: Final = Operation("invoices.delete", "DELETE", "/v1/invoices/{}", Rule.SETTLE)
INVOICE_NOTIFY: Final = Operation("invoices.notify_by", "POST", "/v1/invoices/{}/notify_by/{}", Rule.ONCE)
PAYMENT_LINK_CREATE: Final = Operation("payment_links.create", "POST", "/v1/payment_links", Rule.LOOK_UP)
PAYMENT_LINK_CREATE_ONCE: Final = Operation("payment_links.create", "POST", "/v1/payment_links", Rule.ONCE)
PAYMENT_LINK_FETCH: Final = Operation("payment_links.fetch", "GET", "/v1/payment_links/{}", Rule.READ)
PAYMENT_LINK_LIST: Final = Operation("payment_links.list", "GET", "/v1/payment_links", Rule.READ, bulk=True)
PAYMENT_LINK_EDIT: Final = Operation("payment_links.edit", "PATCH", "/v1/payment_links/{}", Rule.STATE)
PAYMENT_LINK_CANCEL: Final = Operation("payment_links.cancel", "POST", "/v1/payment_links/{}/cancel", Rule.SETTLE)
PAYMENT_LINK_NOTIFY: Final = Operation(
    "payment_links.notify_by", "POST", "/v1/payment_links/{}/notify_by/{}", Rule.ONCE
)

# QR codes, virtual accounts
QR_CODE_CREATE: Final = Operation("qr_codes.create", "POST", "/v1/payments/qr_codes", Rule.ONCE)
QR_CODE_FETCH: Final = Operation("qr_codes.fetch", "GET", "/v1/payments/qr_codes/{}", Rule.READ)
QR_CODE_LIST: Final = Operation("qr_codes.list", "GET", "/v1/payments/qr_codes", Rule.READ, bulk=True)
QR_CODE_EDIT: Final = Operation("qr_codes.edit", "PATCH", "/v1/payments/qr_codes/{}", Rule.STATE)
QR_CODE_CLOSE: Final = Operation("qr_codes.close", "POST", "/v1/payments/qr_codes/{}/close", Rule.SETTLE)
QR_CODE_PAYMENTS: Final = Operation(
    "qr_codes.payments", "GET", "/v1/payments/qr_codes/{}/payments", Rule.READ, bulk=True
)
VIRTUAL_ACCOUNT_CREATE: Final = Operation("virtual_accounts.create", "POST", "/v1/virtual_accounts", Rule.ONCE)
VIRTUAL_ACCOUNT_FETCH: Final = Operation("virtual_accounts.fetch", "GET", "/v1/virtual_accounts/{}", Rule.READ)
VIRTUAL_ACCOUNT_LIST: Final = Operation("virtual_accounts.list", "GET", "/v1/virtual_accounts", Rule.READ, bulk=True)
VIRTUAL_ACCOUNT_EDIT: Final = Operation("virtual_accounts.edit", "PATCH", "/v1/virtual_accounts/{}", Rule.STATE)
VIRTUAL_ACCOUNT_CLOSE: Final = Operation("virtual_accounts.close", "POST", "/v1/virtual_accounts/{}/close", Rule.SETTLE)
VIRTUAL_ACCOUNT_PAYMENTS: Final = Operation(
    "virtual_accounts.payments", "GET", "/v1/virtual_accounts/{}/payments", Rule.READ, bulk=True
)
VIRTUAL_ACCOUNT_RECEIVER: Final = Operation(
    "virtual_accounts.add_receiver", "POST", "/v1/virtual_accounts/{}/receivers", Rule.ONCE
)
VIRTUAL_ACCOUNT_PAYER_ADD: Final = Operation(
    "virtual_accounts.add_allowed_payer", "POST", "/v1/virtual_accounts/{}/allowed_payers", Rule.ONCE
)
VIRTUAL_ACCOUNT_PAYER_DELETE: Final = Operation(
    "virtual_accounts.delete_allowed_payer", "DELETE", "/v1/virtual_accounts/{}/allowed_payers/{}", Rule.ONCE
)

# transfers
TRANSFER_CREATE: Final = Operation(
    "transfers.create", "POST", "/v1/transfers", Rule.KEYED, key_header="X-Transfer-Idempotency"
)
TRANSFER_FETCH: Final = Operation("transfers.fetch", "GET", "/v1/transfers/{}", Rule.READ)
TRANSFER_LIST: Final = Operation("transfers.list", "GET", "/v1/transfers", Rule.READ, bulk=True)
TRANSFER_EDIT: Final = Operation("transfers.edit", "PATCH", "/v1/transfers/{}", Rule.STATE)
TRANSFER_REVERSE: Final = Operation("transfers.reverse", "POST", "/v1/transfers/{}/reversals", Rule.ONCE)
TRANSFER_REVERSALS: Final = Operation("transfers.reversals", "GET", "/v1/transfers/{}/reversals", Rule.READ)

# disputes, documents
DISPUTE_FETCH: Final = Operation("disputes.fetch", "GET", "/v1/disputes/{}", Rule.READ)
DISPUTE_LIST: Final = Operation("disputes.list", "GET", "/v1/disputes", Rule.READ, bulk=True)
DISPUTE_ACCEPT: Final = Operation("disputes.accept", "POST", "/v1/disputes/{}/accept", Rule.SETTLE)
DISPUTE_CONTEST: Final = Operation("disputes.contest", "PATCH", "/v1/disputes/{}/contest", Rule.SETTLE)
DOCUMENT_CREATE: Final = Operation("documents.create", "POST", "/v1/documents", Rule.ONCE)
DOCUMENT_FETCH: Final = Operation("documents.fetch", "GET", "/v1/documents/{}", Rule.READ)
DOCUMENT_CONTENT: Final = Operation("documents.content", "GET", "/v1/documents/{}/content", Rule.READ, raw=True)

# settlements
SETTLEMENT_FETCH: Final = Operation("settlements.fetch", "GET", "/v1/settlements/{}", Rule.READ)
SETTLEMENT_LIST: Final = Operation("settlements.list", "GET", "/v1/settlements", Rule.READ, bulk=True)
SETTLEMENT_RECON: Final = Operation("settlements.recon", "GET", "/v1/settlements/recon/combined", Rule.READ, bulk=True)
INSTANT_SETTLEMENT_CREATE: Final = Operation(
    "settlements.create_instant", "POST", "/v1/settlements/ondemand", Rule.ONCE
)
INSTANT_SETTLEMENT_FETCH: Final = Operation(
    "settlements.fetch_instant", "GET", "/v1/settlements/ondemand/{}", Rule.READ
)
INSTANT_SETTLEMENT_LIST: Final = Operation(
    "settlements.list_instant", "GET", "/v1/settlements/ondemand", Rule.READ, bulk=True
)

# linked accounts and partners
ACCOUNT_CREATE: Final = Operation("accounts.create", "POST", "/v2/accounts", Rule.ONCE)
ACCOUNT_FETCH: Final = Operation("accounts.fetch", "GET", "/v2/accounts/{}", Rule.READ)
ACCOUNT_EDIT: Final = Operation("accounts.edit", "PATCH", "/v2/accounts/{}", Rule.STATE)
ACCOUNT_DELETE: Final = Operation("accounts.delete", "DELETE", "/v2/accounts/{}", Rule.SETTLE)
"""A deleted account stays, as ``suspended``: so the official SDK's documents show it."""
ACCOUNT_DOCUMENTS: Final = Operation("accounts.documents", "GET", "/v2/accounts/{}/documents", Rule.READ)
ACCOUNT_DOCUMENT_UPLOAD: Final = Operation("accounts.upload_document", "POST", "/v2/accounts/{}/documents", Rule.ONCE)
STAKEHOLDER_CREATE: Final = Operation("stakeholders.create", "POST", "/v2/accounts/{}/stakeholders", Rule.ONCE)
STAKEHOLDER_FETCH: Final = Operation("stakeholders.fetch", "GET", "/v2/accounts/{}/stakeholders/{}", Rule.READ)
STAKEHOLDER_LIST: Final = Operation("stakeholders.list", "GET", "/v2/accounts/{}/stakeholders", Rule.READ)
STAKEHOLDER_EDIT: Final = Operation("stakeholders.edit", "PATCH", "/v2/accounts/{}/stakeholders/{}", Rule.STATE)
STAKEHOLDER_DOCUMENTS: Final = Operation(
    "stakeholders.documents", "GET", "/v2/accounts/{}/stakeholders/{}/documents", Rule.READ
)
STAKEHOLDER_DOCUMENT_UPLOAD: Final = Operation(
    "stakeholders.upload_document", "POST", "/v2/accounts/{}/stakeholders/{}/documents", Rule.ONCE
)
PRODUCT_REQUEST: Final = Operation("products.request", "POST", "/v2/accounts/{}/products", Rule.ONCE)
PRODUCT_FETCH: Final = Operation("products.fetch", "GET", "/v2/accounts/{}/products/{}", Rule.READ)
PRODUCT_EDIT: Final = Operation("products.edit", "PATCH", "/v2/accounts/{}/products/{}", Rule.SETTLE)
"""What is complete goes under review and is locked (API reference, Route): a second send would be refused."""
PRODUCT_TERMS: Final = Operation("products.terms", "GET", "/v2/products/{}/tnc", Rule.READ)

# webhooks of the account, and of its sub-merchants
WEBHOOK_CREATE: Final = Operation("webhooks.create", "POST", "/v1/webhooks", Rule.ONCE)
WEBHOOK_FETCH: Final = Operation("webhooks.fetch", "GET", "/v1/webhooks/{}", Rule.READ)
WEBHOOK_LIST: Final = Operation("webhooks.list", "GET", "/v1/webhooks", Rule.READ)
WEBHOOK_EDIT: Final = Operation("webhooks.edit", "PUT", "/v1/webhooks/{}", Rule.STATE)
ACCOUNT_WEBHOOK_CREATE: Final = Operation("webhooks.create", "POST", "/v2/accounts/{}/webhooks", Rule.ONCE)
ACCOUNT_WEBHOOK_FETCH: Final = Operation("webhooks.fetch", "GET", "/v2/accounts/{}/webhooks/{}", Rule.READ)
ACCOUNT_WEBHOOK_LIST: Final = Operation("webhooks.list", "GET", "/v2/accounts/{}/webhooks", Rule.READ)
ACCOUNT_WEBHOOK_EDIT: Final = Operation("webhooks.edit", "PATCH", "/v2/accounts/{}/webhooks/{}", Rule.STATE)
ACCOUNT_WEBHOOK_DELETE: Final = Operation("webhooks.delete", "DELETE", "/v2/accounts/{}/webhooks/{}", Rule.SETTLE)

# point of sale
DEVICE_ACTIVITY_CREATE: Final = Operation(
    "devices.create_activity", "POST", "/v1/devices/activity", Rule.ONCE, public=True
)
DEVICE_ACTIVITY_FETCH: Final = Operation("devices.activity", "GET", "/v1/devices/activity/{}", Rule.READ, public=True)

OPERATIONS: Final = tuple(value for value in globals().values() if isinstance(value, Operation))
"""All of them, in the order above."""
