"""Add the time of the last sign-out everywhere to identities. Old code can run in the meantime."""

from django.db import migrations, models

from ..core.app_label import LABEL


class Migration(migrations.Migration):
    dependencies = [(LABEL, "0002_pool_id")]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="auth_not_before",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Unix time of the last sign-out everywhere. Earlier sign-ins are refused.",
            ),
        ),
    ]
