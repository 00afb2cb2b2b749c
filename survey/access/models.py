"""Users, regions and role assignments."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.access.roles import Permission, Role, permissions_of
from survey.encrypted_fields import EncryptedEmailField, EncryptedTextField


class Region(models.Model):
    """A node of the region tree: the nation, 32 provincial-level regions, separately planned cities."""

    class Level(models.IntegerChoices):
        NATION = 0, _("Nation")
        PROVINCE = 1, _("Province")
        CITY = 2, _("City")

    code = models.CharField(max_length=6, primary_key=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    level = models.PositiveSmallIntegerField(choices=Level.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    macro_region = models.CharField(max_length=10, blank=True)
    # Codes from the root, each ended by a slash, so that "is below" is a prefix comparison.
    path = models.CharField(max_length=30, unique=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class UserManager(BaseUserManager["User"]):
    """Creates users with a hashed password; the services create accounts."""

    def create_user(self, username: str, password: str | None = None, **fields: object) -> "User":
        """A user with a hashed password (unusable when None)."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """The account of one person; the role assignments name the units or regions."""

    username = models.CharField(_("Account"), max_length=60, unique=True)
    name = models.CharField(_("Name"), max_length=60, blank=True)
    email = EncryptedEmailField(blank=True)
    phone = EncryptedTextField(max_length=30, blank=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    notice_read_at = models.DateTimeField(null=True)
    # The host's: Django's checks make a user without a database, and nothing is decided by it.
    created_at = models.DateTimeField(default=timezone.now)
    is_synthetic = models.BooleanField(default=False)

    objects = UserManager()
    USERNAME_FIELD = "username"
    is_staff = False  # there is no Django admin site: changes must not bypass the state machine

    def __str__(self) -> str:
        return self.name or self.username

    def grants(self) -> list["RoleAssignment"]:
        """This user's assignments, read once per request."""
        if not hasattr(self, "_grants"):
            rows = self.assignments.filter(ended_at=None).select_related("region")
            self._grants: list[RoleAssignment] = list(rows)
        return self._grants

    def roles(self) -> set[str]:
        """Codes of the roles held now."""
        return {grant.role for grant in self.grants()}

    def has(self, permission: Permission) -> bool:
        """True when a role allows this for any region; ``scope`` decides about rows."""
        return any(permission in permissions_of(grant.role) for grant in self.grants())


class FormerPassword(models.Model):
    """The hash of a current or former password; only the latest are stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="former_passwords")
    password_hash = models.CharField(max_length=128)
    set_at = models.DateTimeField(default=clock.present)

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="former_password_user")]


class RoleAssignment(models.Model):
    """A user's role for a region, optionally limited to a category, and for one unit if the user is a respondent."""

    user = models.ForeignKey(User, models.CASCADE, related_name="assignments")
    role = models.CharField(max_length=30, choices=Role.choices)
    region = models.ForeignKey(Region, models.PROTECT)
    category = models.CharField(max_length=5, blank=True)
    unit = models.ForeignKey("survey.ReportingUnit", models.CASCADE, null=True, related_name="+")
    granted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(default=clock.present)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="respondent_has_unit",
                condition=Q(role=Role.RESPONDENT, unit__isnull=False)
                | (~Q(role=Role.RESPONDENT) & Q(unit__isnull=True)),
            ),
            models.UniqueConstraint(
                name="one_grant_per_place",
                fields=["user", "role", "region", "category", "unit"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["user", "role"], name="grant_user_role")]

    def region_codes(self) -> list[str]:
        """Codes of the region of this grant and of every region below it, read once per request."""
        if not hasattr(self, "_region_codes"):
            below = Region.objects.filter(path__startswith=self.region.path).order_by("code")
            self._region_codes: list[str] = list(below.values_list("code", flat=True))
        return self._region_codes


class ActivationCode(models.Model):
    """A one-time code from the activation letter. Only its hash is stored."""

    unit = models.ForeignKey("survey.ReportingUnit", models.CASCADE, related_name="activation_codes")
    code_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=clock.present)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    failed_attempts = models.PositiveSmallIntegerField(default=0)


class AttemptCounter(models.Model):
    """Attempts that have failed, or whose result is not known yet, of one kind from one origin.

    The key is a keyed hash: neither account names nor what somebody entered in their place can be read from it.
    """

    key = models.CharField(max_length=64, primary_key=True)
    attempts = models.PositiveIntegerField(default=0)
    wait_until = models.DateTimeField(null=True)
    last_at = models.DateTimeField(default=clock.present, db_index=True)
