"""Documents: evidence in disputes, proofs for onboarding (FACTS section 8, API_REFERENCE "Documents")."""

from __future__ import annotations

from typing import ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import At, Id, LooseList, Text, Whole

__all__ = ["AccountDocuments", "Document", "UploadedProof"]


class Document(Entity):
    """A file that was uploaded. ``size`` is bytes; ``name`` and ``display_name`` are the same thing by two names."""

    kind: ClassVar[str] = "document"
    id: Id
    entity: Literal["document"] = "document"
    purpose: Text = None
    name: Text = None
    display_name: Text = None
    mime_type: Text = None
    size: Whole = None
    url: Text = None
    created_at: At = None


class UploadedProof(Detail):
    """One proof: its type, such as ``aadhar_front``, and the document's id or its address."""

    type: Text = None
    document_id: Text = None
    url: Text = None


class AccountDocuments(Entity):
    """The proofs of a linked account or of a stakeholder, by what they prove. Other lists are kept as sent."""

    kind: ClassVar[str] = "account.documents"
    individual_proof_of_address: LooseList[UploadedProof] = None
    individual_proof_of_identification: LooseList[UploadedProof] = None
    business_proof_of_identification: LooseList[UploadedProof] = None
