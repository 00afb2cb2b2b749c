"""Settings, read from the environment. A missing variable is an error that says its name.

Locally (no DATABASE_URL, REDIS_URL, SECRET_KEY) ``config.local.embedded`` fills these three in.
"""

import tomllib
from pathlib import Path

import xstatic.pkg.bootstrap
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from config import single_sign_on
from config.database import database
from config.environment import Environment, mail_options
from config.files import places
from config.local import embedded
from config.monitoring.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
# The version of the program stands in pyproject.toml alone; the project is not installed as a package.
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
env = Environment()
if embedded.uses_local_servers():
    embedded.prepare_environment()

LOCAL_MODE = env.bool("LOCAL_MODE", default=False)
DEBUG = env.bool("DEBUG", default=False)
# The folder of everything that is kept in files; each of them can be moved by a variable of its own. With FILES_URL
# the files that machines exchange lie in a bucket instead (config.files.places).
DATA_DIR = Path(env("DATA_DIR", default=env("LOCAL_DIR", default=str(BASE_DIR / ".local"))))
SECRET_KEY = env("SECRET_KEY")
# Former ones, separated by commas: what they have signed is accepted until they are taken out.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if LOCAL_MODE else [])
# Who may read /metrics: those who send "Authorization: Bearer TOKEN", and these networks (CIDR) without it.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
METRICS_NETWORKS = env.list("METRICS_NETWORKS", default=["127.0.0.1/32", "::1/128"] if LOCAL_MODE else [])
# Keys of encrypted columns, "name:key in base 64" each, the present one first (survey.encryption).
FIELD_KEYS = env("FIELD_KEYS")
FIELD_ALGORITHM = env("FIELD_ALGORITHM", default="AES-256-GCM")
# Keys that sign the blocks of the ledgers, in the same form; SHA-256 or SM3 (survey.ledgers).
AUDIT_KEYS = env("AUDIT_KEYS")
AUDIT_ALGORITHM = env("AUDIT_ALGORITHM", default="SHA-256")
# Private key (Ed25519, 32 bytes in base 64) of signed exports of the ledgers; without one none is made.
AUDIT_EXPORT_KEY = env("AUDIT_EXPORT_KEY", default="")
# Outside the database: what was sealed last, so that a ledger that was cut off at its end is found.
AUDIT_FOLDER = Path(env("AUDIT_FOLDER", default=str(DATA_DIR / "audit")))
# A row that is older than this when it is sealed, or waits so long, is reported.
AUDIT_LATE_MINUTES = env.int("AUDIT_LATE_MINUTES", default=60)
# Folder of PostgreSQL's client programs for backups; empty: they are looked for.
POSTGRES_PROGRAMS = env("POSTGRES_PROGRAMS", default="")
# Longer periods than those of survey/retention/periods.py, "kind:days" separated by commas.
RETENTION_DAYS = env("RETENTION_DAYS", default="")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rest_framework",
    "drf_spectacular",
    "config",
    "survey",
    "estimation",
]

MIDDLEWARE = [
    "config.monitoring.request_log.RequestLogMiddleware",  # the id of the request, on every answer and log line
    "config.web.headers.SecurityHeadersMiddleware",  # on every answer, also on those of the next ones
    "config.web.forwarded.ForwardedMiddleware",  # the client's address and scheme, from our own proxy only
    "config.web.limits.BodyLimitMiddleware",  # a body that is too large is refused before it is read
    "config.health.HealthMiddleware",  # before everything that needs the database, a host name or HTTPS
    "django.middleware.security.SecurityMiddleware",
    "estimation.public.middleware.PublicPages",  # published pages come from memory, also during an outage
    "config.outage.OutageMiddleware",  # a stopped database becomes a page in the user's language
    "config.characters.CharactersMiddleware",  # no text that the database cannot store
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "survey.access.middleware.SignInMiddleware",  # every page needs a session unless it says it is public
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "survey.templatetags.idempotency"
            ],  # every form has the field, as it has the CSRF token
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "survey.access.navigation.navigation",
            ],
        },
    }
]

DATABASES = {"default": database(env)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A section with tables of 32 regions sends four fields a cell, all of them when it is saved as a plain form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DATA_UPLOAD_MAX_MEMORY_SIZE = (
    2_621_440  # bytes of a form without its files; config.web.limits has files, by route
)

REDIS_URL = env("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "json",  # entries of versions that stored pickles are never read
        "OPTIONS": {"serializer": "config.cache.JSONSerializer"},
    }
}
# Networks (CIDR, separated by commas) that only the servers of this site use: a broker, cache or database there
# may do without password and TLS.
PRIVATE_NETWORKS = env.list("PRIVATE_NETWORKS", default=[])

# Users -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "survey.User"
AUTHENTICATION_BACKENDS = ["survey.access.sign_in.backends.AccountBackend"]
PASSWORD_HASHERS = [
    "survey.access.passwords.hashers.QueuedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Web processes hash in a process beside them with low priority: so many requests may wait for it, so long. The
# threads of a web process that it leaves free serve everybody else.
PASSWORD_PROCESS = env.bool("WEB_PROCESS", default=False)
PASSWORD_QUEUE = env.int("PASSWORD_QUEUE", default=2)
PASSWORD_WAIT_SECONDS = env.float("PASSWORD_WAIT_SECONDS", default=3)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "survey.access.passwords.services.HardToGuessValidator"},
    {"NAME": "survey.access.passwords.services.ThreeOfFourClassesValidator"},
    {"NAME": "survey.access.passwords.services.NotTheCreditCodeValidator"},
    {"NAME": "survey.access.passwords.services.NotAFormerPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds that the link for a forgotten password works
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
# Second factor for everybody who sees other people's answers. On in production, off in the rehearsal.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=not LOCAL_MODE)
# django-allauth: what of it is used, and by which classes of ours. Limits of attempts are survey.access.guessing.
ACCOUNT_ADAPTER = "survey.access.sign_in.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
ACCOUNT_REAUTHENTICATION_METHODS = ["password"]
ACCOUNT_REAUTHENTICATION_TIMEOUT = (
    15 * 60
)  # seconds: then the password is asked for before a factor is changed
MFA_ADAPTER = "survey.access.second_factor.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL_MODE  # the demonstration has no HTTPS
MFA_TOTP_ISSUER = env("OTP_TOTP_ISSUER", default="NDRS")
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds that a clock may be wrong
MFA_RECOVERY_CODE_DIGITS = 12
MFA_RECOVERY_CODES_SHOW_ONCE = True

# Single sign-on by OpenID Connect.
SINGLE_SIGN_ON = single_sign_on.providers(env)
SOCIALACCOUNT_ADAPTER = "survey.access.single_sign_on.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # our page takes a POST before
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,  # and by our provider in any case (survey.access.single_sign_on.adapters)
        "APPS": [single_sign_on.app_of(provider) for provider in SINGLE_SIGN_ON.values()],
    }
}

# Failed attempts that cost no wait, and the longest wait, which doubles from SIGN_IN_FIRST_WAIT up to it.
SIGN_IN_FAILURE_LIMIT = env.int("SIGN_IN_FAILURE_LIMIT", default=5)
SIGN_IN_FIRST_WAIT_SECONDS = env.float("SIGN_IN_FIRST_WAIT_SECONDS", default=30)
SIGN_IN_LONGEST_WAIT_SECONDS = env.float("SIGN_IN_COOLOFF_HOURS", default=0.5) * 3600
# The same for all accounts tried from one address; failures of the whole site in ten minutes from which on a quarter
# is allowed.
SIGN_IN_ADDRESS_LIMIT = env.int("SIGN_IN_ADDRESS_LIMIT", default=30)
SIGN_IN_SITE_LIMIT = env.int("SIGN_IN_SITE_LIMIT", default=300)

SESSION_ENGINE = "survey.access.own_sessions.storage"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_AGE = env.int("SESSION_IDLE_SECONDS", default=30 * 60)
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_ABSOLUTE_SECONDS = env.int("SESSION_ABSOLUTE_SECONDS", default=12 * 3600)

# Accounts without a sign-in for so long are closed (every night, and at the next sign-in).
IDLE_ACCOUNT_DAYS = env.int("IDLE_ACCOUNT_DAYS", default=90)

# Transport and page security ---------------------------------------------------------------------------
_https = env.bool("HTTPS", default=not LOCAL_MODE)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _https
LANGUAGE_COOKIE_SECURE = _https
# Browsers take cookies of these names only over HTTPS, for this host alone and for all of it.
COOKIE_PREFIX = "__Host-" if _https else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
MESSAGE_STORAGE = "config.cookies.MessageStorage"
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if _https else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
# Networks of the proxy, besides a Unix socket: what others write into X-Forwarded-* is dropped.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
PROXY_ADDRESSES = env.list("PROXY_ADDRESSES", default=["127.0.0.1", "::1"])
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SESSION_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF, *single_sign_on.origins(SINGLE_SIGN_ON)],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# Language and time -------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "survey" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = USE_TZ = True
USE_THOUSAND_SEPARATOR = False  # a year is not a quantity; quantities use the `grouped` filter

# Static files ------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [("bootstrap", xstatic.pkg.bootstrap.BASE_DIR)]
STORAGES = {
    **places.storages(env),  # files that web processes and workers exchange (survey.files)
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not (DEBUG or env.bool("PLAIN_STATIC", default=False))
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_MAX_AGE = 31_536_000
WHITENOISE_MIMETYPES = {".svg": "image/svg+xml; charset=utf-8"}

# API -----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["survey.access.scope.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "config.errors.StatusSchema",
    "DEFAULT_PAGINATION_CLASS": "config.api.PageNumbers",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "config.api.problem",
    "DEFAULT_THROTTLE_RATES": {},
    "URL_FORMAT_OVERRIDE": None,  # the header Accept alone chooses the format
}
SPECTACULAR_SETTINGS = {
    "TITLE": "National Data Resource Survey",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.errors.add_problem",
    ],
    "SERVE_PERMISSIONS": ["survey.access.scope.SignedIn"],
}

# Background work -----------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]  # a message of any other kind is refused unread
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
CELERY_TIMEZONE = TIME_ZONE
# The sweep that recomputes a round when accepted data have changed: off unless an office wants it.
RECOMPUTE_ON_CHANGE = env.bool("RECOMPUTE_ON_CHANGE", default=False)
# Disclosure control of releases: fewest contributors of a published cell, largest share of one and of two of them.
DISCLOSURE_MINIMUM = env.int("DISCLOSURE_MINIMUM", default=3)
DISCLOSURE_ONE = env.float("DISCLOSURE_ONE", default=0.70)
DISCLOSURE_TWO = env.float("DISCLOSURE_TWO", default=0.85)
# A working job beats several times in the first span (some kinds have a longer one of their own); a waiting job
# whose message is older than the second may have lost it. Drills shorten both.
RUN_LOST_SECONDS = env.int("RUN_LOST_SECONDS", default=60)
RUN_RESEND_SECONDS = env.int("RUN_RESEND_SECONDS", default=30)

# Public site ---------------------------------------------------------------------------------------------
# How long a process trusts that no release has been published, corrected or withdrawn meanwhile.
PUBLIC_FRESH_SECONDS = env.float("PUBLIC_FRESH_SECONDS", default=1.0)

# The desks ---------------------------------------------------------------------------------------------
# Reminders. The calendar's own ones are off unless an office wants them; SMS_GATEWAY names a callable that is
# called with a phone number and a text.
REMINDERS_AUTOMATIC = env.bool("REMINDERS_AUTOMATIC", default=False)
SMS_GATEWAY = env("SMS_GATEWAY", default="")
# Files that workers make for the desks: outside the web root.
JOB_FOLDER = Path(env("JOB_FOLDER", default=str(DATA_DIR / "jobs")))
JOB_DAYS = env.int("JOB_DAYS", default=7)
SITE_ADDRESS = env("SITE_ADDRESS", default="")  # printed on letters
# For so long an acceptance of many sheets can be taken back as one act.
BULK_UNDO_HOURS = env.int("BULK_UNDO_HOURS", default=24)
# Looking at undecided sheets may stop when what is left moves no total by more than this part of its standard error.
EDITING_STOP_SHARE = env.float("EDITING_STOP_SHARE", default=0.1)
# For so long a form or a request of a machine that is sent again gets the response of the first time.
IDEMPOTENCY_DAYS = env.int("IDEMPOTENCY_DAYS", default=2)
# Files of releases: built once, outside the web root, in folders named by the hash of what they show.
REPORT_ROOT = Path(env("REPORT_ROOT", default=str(DATA_DIR / "reports")))

# Survey --------------------------------------------------------------------------------------------------
SURVEY_AUTHORITY = env("SURVEY_AUTHORITY", default="")  # formulating authority printed on forms and reports
SURVEY_AUTHORITY_EN = env("SURVEY_AUTHORITY_EN", default="")  # its English name; empty: the same
SURVEY_APPROVAL_NUMBER = env("SURVEY_APPROVAL_NUMBER", default="")
# Telephone and e-mail of the office, at the foot of every page.
SURVEY_CONTACT = env("SURVEY_CONTACT", default="010-00000000（演练）" if LOCAL_MODE else "")
# Files beside a sheet. The scanner is a dotted path to a callable: path of the file -> name of what it found, or "".
ATTACHMENT_ROOT = env("ATTACHMENT_ROOT", default=str(DATA_DIR / "attachments"))
ATTACHMENT_LARGEST = env.int("ATTACHMENT_LARGEST", default=10 * 2**20)
ATTACHMENT_QUOTA = env.int("ATTACHMENT_QUOTA", default=50 * 2**20)  # of a sheet
ATTACHMENT_UNIT_QUOTA = env.int("ATTACHMENT_UNIT_QUOTA", default=100 * 2**20)  # of all open sheets of a unit
ATTACHMENT_SCANNER = env("ATTACHMENT_SCANNER", default="")
# Three people sign one after the other, each what they have read; off: one person names them and submits.
SIGN_OFF_CHAIN = env.bool("SIGN_OFF_CHAIN", default=False)
SYNTHETIC_BANNER = LOCAL_MODE

_smtp = {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": mail_options(env)}
_console = {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
MAILERS = {"default": _console if LOCAL_MODE and not env("EMAIL_HOST", default="") else _smtp}
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="survey@localhost")

# JSON lines with the ids of request, user and job in production; text in a rehearsal.
LOGGING = logging_settings(
    env("LOG_FORMAT", default="text" if LOCAL_MODE else "json"), env("LOG_LEVEL", default="WARNING")
)
