"""What customers have."""

from __future__ import annotations

from django.db import models


class Access(models.Model):
    key = models.CharField(max_length=200, unique=True)  # which effect granted it
    order_id = models.CharField(max_length=64, db_index=True)
    owner = models.CharField(max_length=200, db_index=True)
    plan = models.CharField(max_length=64)
