"""The shop's pages, and the endpoint that Razorpay calls."""

from __future__ import annotations

from django.urls import path

from payments import views

urlpatterns = [
    path("", views.plans, name="plans"),
    path("buy", views.buy, name="buy"),
    path("confirm", views.confirm, name="confirm"),
    path("orders/<str:local_id>", views.order, name="order"),
    path("razorpay/webhook", views.webhook, name="webhook"),
]
