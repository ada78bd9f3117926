"""Settings of the example project. What Razorpay needs comes from the environment: see ``payments/rzp.py``."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")

INSTALLED_APPS = ["django.contrib.sessions", "django.contrib.staticfiles", "payments"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "static/"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DJANGO_DATABASE", BASE_DIR / "db.sqlite3"),
        "ATOMIC_REQUESTS": True,  # as in many projects; the views that Razorpay's news go through opt out
        # One writer at a time, and a commit that has reached the disk. With PostgreSQL leave OPTIONS out.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20  # no webhook is larger: what is gets 400 and is not read
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("RAZORPAY_KEY_ID", "").startswith("rzp_live_")
# Banks' pages open in a window of their own: Django's default, same-origin, would cut it off from Checkout.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"

USE_TZ = True
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
SALES_INBOX = "sales@shop.example"
