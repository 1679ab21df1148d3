"""User models of host projects, as source text: each has a constraint of its own.

`before()` in a source creates the users that exist before the first sign-in.
"""

HEADER = """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser, PermissionsMixin, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.db import transaction
from django.db.models.signals import m2m_changed, post_save, pre_save

class Manager(BaseUserManager):
    def create_user(self, email, password=None, **extra):
        if not email:
            raise ValueError("An email address is required.")
        user = self.model(email=self.normalize_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email):
        return self.get(email=email)

def fail(sender, instance, update_fields=None, **kwargs):
    if update_fields and {"email", "first_name"} & set(update_fields):
        raise RuntimeError("the CRM does not respond")

"""

POSSIBLE = {
    "email_login": """
class Person(AbstractUser):
    email = models.EmailField(unique=True)
    USERNAME_FIELD, REQUIRED_FIELDS = "email", ["username"]
""",
    "without_username": """
class Person(AbstractUser):
    username = None
    email = models.EmailField(unique=True)
    USERNAME_FIELD, REQUIRED_FIELDS, objects = "email", [], Manager()
""",
    "base_user_with_email": """
class Person(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, objects = "email", Manager()

def before():
    Person.objects.create_user("ada@example.com")
""",
    "blank_unique_email": """
class Person(AbstractUser):
    email = models.EmailField(unique=True)

def before():
    Person.objects.create_superuser("root", "")
""",
    "email_unique_in_any_case": """
class Person(AbstractUser):
    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_email")]

def before():
    Person.objects.create_user("old", "ADA@example.com")
""",
    "nullable_email": """
class Person(AbstractUser):
    email = models.EmailField(unique=True, null=True, blank=True)
""",
    "other_email_field": """
class Person(AbstractBaseUser, PermissionsMixin):
    login = models.CharField(max_length=40, unique=True)
    contact = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, EMAIL_FIELD, objects = "login", "contact", BaseUserManager()
""",
    "short_columns": """
class Person(AbstractUser):
    username = models.CharField(max_length=12, unique=True)
    first_name = models.CharField(max_length=30)
    email = models.EmailField(max_length=20, blank=True)
""",
    "validated_on_save": """
class Person(AbstractUser):
    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=30, validators=[RegexValidator("^[A-Z][a-z]*$")])

    def save(self, *args, **kwargs):
        self.full_clean(exclude=["password"] if not self.first_name else ["password"])
        super().save(*args, **kwargs)

    def clean_fields(self, exclude=None):
        super().clean_fields({*(exclude or ()), *(() if self.first_name else ("first_name",))})
""",
    "failing_receiver": """
class Person(AbstractUser):
    pass

post_save.connect(fail, sender=Person)
""",
    "stubborn_save": """
class Person(AbstractUser):
    def save(self, *args, update_fields=None, **kwargs):
        if update_fields and "is_superuser" in update_fields and not self.is_superuser:
            raise ValidationError("a superuser stays a superuser")
        super().save(*args, update_fields=update_fields, **kwargs)
""",
    "computed_names": """
class Person(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    is_admin = models.BooleanField(default=False)
    USERNAME_FIELD, objects = "email", Manager()

    @property
    def is_staff(self):
        return self.is_superuser

    @property
    def first_name(self):
        return self.email.partition("@")[0]
""",
    "email_as_key": """
class Person(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(primary_key=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, objects = "email", Manager()
""",
    "uuid_key_and_hiding_manager": """
import uuid

class Active(Manager):
    def get_queryset(self):
        return super().get_queryset().filter(hidden=False).select_related("boss")

class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    boss = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)
    hidden = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    USERNAME_FIELD, people = "email", Active()

    class Meta:
        base_manager_name = "people"
""",
    "without_rights": """
class Person(AbstractBaseUser):
    nick = models.CharField(max_length=30, unique=True)
    USERNAME_FIELD, objects = "nick", BaseUserManager()
""",
    "parent_model": """
class Base(AbstractUser):
    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_email")]

class Person(Base):
    pass
""",
    "computed_unique_column": """
class Person(AbstractUser):
    login = models.GeneratedField(
        expression=Lower("email"), output_field=models.CharField(max_length=254), db_persist=True,
        unique=True,
    )
""",
    "failing_group_receiver": """
def fail_for_groups(sender, **kwargs):
    raise RuntimeError("the CRM does not respond")

class Person(AbstractUser):
    pass

m2m_changed.connect(fail_for_groups, sender=Person.groups.through)
""",
    "failing_callback": """
def fail_later(sender, instance, update_fields=None, **kwargs):
    if update_fields and "is_superuser" in update_fields:
        transaction.on_commit(lambda: fail(None, None, ["email"]))

class Person(AbstractUser):
    pass

post_save.connect(fail_later, sender=Person)
""",
    "instances_with_originals": """
class Person(AbstractUser):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.original = (self.email, self.is_active)

    @classmethod
    def from_db(cls, db, field_names, values):
        user = super().from_db(db, field_names, values)
        user.stored = dict(zip(field_names, values))
        return user

    def save(self, *args, **kwargs):
        if not self._state.adding and self.stored["id"] != self.id:
            raise ValidationError("a key never changes")
        super().save(*args, **kwargs)
""",
    "default_as_login": """
import uuid

class Person(AbstractBaseUser, PermissionsMixin):
    number = models.UUIDField(default=uuid.uuid4, unique=True)
    email = models.EmailField(unique=True, max_length=24)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, objects = "number", BaseUserManager()

    def __str__(self):
        return str(self.number)
""",
    "without_password_and_email": """
class Person(AbstractBaseUser, PermissionsMixin):
    password = last_login = EMAIL_FIELD = None
    login = models.CharField(max_length=30, unique=True)
    is_staff = models.BooleanField(default=False)
    get_full_name = property(lambda self: "")
    USERNAME_FIELD, objects = "login", BaseUserManager()
""",
    "hidden_users_and_proxy": """
class Present(UserManager):
    def get_queryset(self):
        return super().get_queryset().filter(is_archived=False)

class Person(AbstractUser):
    is_archived = models.BooleanField(default=False)
    objects, everyone = Present(), models.Manager()

class Customer(Person):
    class Meta:
        proxy = True

def after(visits):
    browser, _ = visits.sign_in("zoe")
    results = [visits.live("zoe")]
    customer = Customer.objects.get(pk=visits.user("zoe").pk)
    for customer.is_active in (False, True):
        customer.save()
        results.append(visits.live("zoe"))
    browser, result = visits.sign_in("kay")
    results += [result, visits.api("kay")]
    Person.everyone.filter(pk=visits.user("kay").pk).update(is_archived=True)
    page = browser.get("/report").content.decode()
    return [*results, page, visits.api("kay"), visits.sign_in("kay")[1][-3:]]
""",
    "password_required": """
class Strict(Manager):
    def create_user(self, email, password=None, **extra):
        if password is None:
            raise ValueError("a password is required")
        return super().create_user(email, password, **extra)

class Person(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, objects = "email", Strict()
""",
    "optional_birthday": """
class WithBirthday(BaseUserManager):
    def create_user(self, email, date_of_birth, password=None):
        user = self.model(email=self.normalize_email(email), date_of_birth=date_of_birth)
        user.set_password(password)
        user.save(using=self._db)
        return user

class Person(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(max_length=255, unique=True)
    date_of_birth = models.DateField(null=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, objects = "email", WithBirthday()
""",
}

# Models that need a value that only the host project can know, and the hook that returns it.
# Without the hook, they refuse every new user.
DEMANDING = {
    "phone": (
        """
class Person(AbstractUser):
    phone = models.CharField(max_length=20, unique=True)

def before():
    Person.objects.create_user("old")
""",
        'return {"phone": claims["sub"][:20]}',
    ),
    "birthday": (
        """
class Person(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    date_of_birth = models.DateField()
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, REQUIRED_FIELDS, objects = "email", ["date_of_birth"], Manager()
""",
        'return {"date_of_birth": claims.get("birthdate", "2000-01-01")}',
    ),
    "tenant": (
        """
class Tenant(models.Model):
    name = models.CharField(max_length=20)

class Person(AbstractUser):
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)
""",
        'from people.models import Tenant; return {"tenant": Tenant.objects.get_or_create()[0]}',
    ),
    "number": (
        """
class Person(AbstractBaseUser, PermissionsMixin):
    number = models.PositiveIntegerField(unique=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD, objects = "number", BaseUserManager()

    def __str__(self):
        return str(self.number)
""",
        'return {"number": int(claims["sub"][:6], 16)}',
    ),
}
