import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# Relative, and with the host's own user model as a dependency: the folder can be taken in renamed.
from ..models import new_sign_in_key


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='PendingRevocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed_token', models.TextField(editable=False)),
                ('reference', models.CharField(blank=True, max_length=16)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('next_try_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['next_try_at'],
            },
        ),
        migrations.CreateModel(
            name='Revocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('sign_in', 'one sign-in ended'), ('user', 'signed out everywhere'), ('deactivated', 'account deactivated'), ('reactivated', 'account active again')], max_length=16)),
                ('token_id', models.CharField(blank=True, max_length=64, verbose_name='origin_jti')),
                ('issuer', models.CharField(blank=True, max_length=255)),
                ('subject', models.CharField(blank=True, max_length=255)),
                ('not_before', models.BigIntegerField(default=0, help_text='Unix time; for tokens of a user.')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'ordering': ('at', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='RefreshResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, unique=True)),
                ('owner', models.CharField(max_length=64)),
                ('lease_until', models.DateTimeField()),
                ('sealed_result', models.TextField(blank=True)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='RateCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=128, unique=True)),
                ('count', models.PositiveIntegerField(default=0)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
                'swappable': 'AUTH_USER_MODEL',
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='SignInEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('kind', models.CharField(choices=[('signed_in', 'signed in'), ('refused', 'refused'), ('refusals_omitted', 'refusals omitted'), ('signed_out', 'signed out'), ('signed_out_everywhere', 'signed out everywhere'), ('rights_changed', 'rights changed'), ('activated', 'activated'), ('deactivated', 'deactivated'), ('linked', 'linked'), ('unlinked', 'unlinked'), ('invited', 'invited'), ('invited_again', 'invited again'), ('exported', 'exported'), ('erased', 'erased')], max_length=32)),
                ('reference', models.CharField(blank=True, db_index=True, max_length=16)),
                ('pool_username', models.CharField(blank=True, help_text='The username at the pool at that time.', max_length=255)),
                ('reason', models.CharField(blank=True, help_text='A stable code.', max_length=64)),
                ('details', models.JSONField(blank=True, default=dict)),
                ('ip_address', models.GenericIPAddressField(blank=True, null=True)),
                ('device', models.CharField(blank=True, max_length=255)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sign_in_events', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'sign-in event',
                'ordering': ('-at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='Identity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', models.CharField(max_length=255)),
                ('subject', models.CharField(max_length=255)),
                ('username', models.CharField(blank=True, max_length=128, verbose_name='pool username')),
                ('email', models.EmailField(blank=True, max_length=320)),
                ('email_verified', models.BooleanField(default=False)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('groups', models.JSONField(blank=True, default=list, help_text='Groups the pool last named.')),
                ('groups_as_of', models.DateTimeField(blank=True, help_text='When the token was issued that named them.', null=True)),
                ('staff_from_pool', models.BooleanField(default=False)),
                ('superuser_from_pool', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'identities',
                'constraints': [models.UniqueConstraint(fields=('issuer', 'subject'), name='sso_identity_issuer_subject')],
            },
        ),
        migrations.CreateModel(
            name='SignIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(default=new_sign_in_key, editable=False, max_length=64, unique=True)),
                ('issuer', models.CharField(max_length=255)),
                ('subject', models.CharField(max_length=255)),
                ('client_id', models.CharField(max_length=128)),
                ('origin_jti', models.CharField(blank=True, db_index=True, max_length=64)),
                ('auth_time', models.BigIntegerField(default=0, help_text='Unix time; no renewal changes it.')),
                ('sealed_tokens', models.TextField(blank=True, editable=False)),
                ('access_expires_at', models.DateTimeField()),
                ('renew_at', models.DateTimeField()),
                ('reference', models.CharField(blank=True, max_length=16)),
                ('device', models.CharField(blank=True, max_length=255)),
                ('ip_address', models.GenericIPAddressField(blank=True, null=True)),
                ('signed_in_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_reason', models.CharField(blank=True, choices=[('signed_out', 'signed out'), ('replaced', 'signed in again in the same browser'), ('ended_by_person', 'ended from another browser of the same user'), ('by_operator', 'ended in the admin'), ('everywhere', 'signed out everywhere'), ('idle', 'not used for too long'), ('too_old', 'reached the longest time a sign-in may last'), ('refused', 'the provider no longer renews it'), ('deactivated', 'account deactivated'), ('switched_off', 'break-glass was switched off')], max_length=32)),
                ('version', models.PositiveIntegerField(default=0)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_ins', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'sign-in',
                'indexes': [models.Index(fields=['user', 'ended_at'], name='sso_signin_user_live'), models.Index(condition=models.Q(('ended_at', None)), fields=['last_seen_at'], name='sso_signin_live'), models.Index(fields=['ended_at'], name='sso_signin_ended')],
            },
        ),
    ]
