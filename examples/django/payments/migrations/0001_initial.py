from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations = [  # noqa: RUF012  # as Django writes it
        migrations.CreateModel(
            name="Access",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200, unique=True)),
                ("order_id", models.CharField(db_index=True, max_length=64)),
                ("owner", models.CharField(db_index=True, max_length=200)),
                ("plan", models.CharField(max_length=64)),
            ],
        ),
    ]
