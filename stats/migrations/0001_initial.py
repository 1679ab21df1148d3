import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
import stats.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('action', models.CharField(choices=[('added', 'added'), ('changed', 'changed'), ('deleted', 'deleted')], max_length=8)),
                ('figure_id', models.BigIntegerField(db_index=True)),
                ('before', models.CharField(blank=True, max_length=128)),
                ('after', models.CharField(blank=True, max_length=128)),
                ('through', models.CharField(help_text="The page, the API, an import, or a machine or command.", max_length=128)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='Stat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kpi', models.CharField(help_text='A short name, like “revenue”.', max_length=64, validators=[stats.fields.validate_kpi], verbose_name='KPI')),
                ('kpi_key', stats.fields.KpiKeyField(editable=False, max_length=255)),
                ('year', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1000, 'Enter a year of four digits.'), django.core.validators.MaxValueValidator(9999, 'Enter a year of four digits.')])),
                ('month', models.PositiveSmallIntegerField(help_text='1 to 12.', validators=[django.core.validators.MinValueValidator(1, 'Enter a month from 1 to 12.'), django.core.validators.MaxValueValidator(12, 'Enter a month from 1 to 12.')])),
                ('period', models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Cast(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('year'), '*', models.Value(100)), '+', models.F('month')), models.CharField(max_length=6)), output_field=models.CharField(max_length=6))),
                ('value', stats.fields.ValueField(help_text='A number of at most 15 digits.')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('updated_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'figure',
                'ordering': ['-period', 'kpi_key'],
                'indexes': [models.Index(fields=['period', 'kpi_key'], name='stats_oldest_first'), models.Index(fields=['-period', 'kpi_key'], name='stats_newest_first')],
                'constraints': [models.UniqueConstraint(fields=('kpi_key', 'year', 'month'), name='stats_one_figure_per_kpi_and_month', violation_error_message='This KPI already has a figure for this month.'), models.CheckConstraint(condition=models.Q(('kpi', django.db.models.functions.text.Trim('kpi')), models.Q(('kpi', ''), _negated=True), models.Q(('kpi_key', ''), _negated=True)), name='stats_kpi_is_trimmed_and_not_empty', violation_error_message='Enter a KPI name without spaces around it.'), models.CheckConstraint(condition=models.Q(('year__range', (1000, 9999))), name='stats_year_has_four_digits', violation_error_message='Enter a year of four digits.'), models.CheckConstraint(condition=models.Q(('month__range', (1, 12))), name='stats_month_is_1_to_12', violation_error_message='Enter a month from 1 to 12.'), models.CheckConstraint(condition=models.Q(('value__range', (-999999999999999, 999999999999999))), name='stats_value_has_15_digits', violation_error_message='Enter a number of at most 15 digits.')],
            },
        ),
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('name', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('content', models.BinaryField()),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
    ]
