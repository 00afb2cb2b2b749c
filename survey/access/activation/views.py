"""Three pages from the letter to the account: code, statutory notice, name and password."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from survey.access.activation import services as activation
from survey.access.decorators import public
from survey.access.forms import ActivationForm, FirstAccountForm
from survey.access.guessing.services import TooManyAttempts
from survey.access.middleware import address_of
from survey.access.models import ActivationCode
from survey.access.pages import page
from survey.exceptions import PolicyDenied

VERIFIED_CODE = "activation_code"  # primary key of the code that was entered correctly in this session
NOTICE_READ = "activation_notice_read"


@public
@never_cache
@sensitive_post_parameters("code")
def activate(request: HttpRequest) -> HttpResponse:
    """Credit code and one-time code."""
    if request.user.is_authenticated:
        messages.info(request, _("You are signed in. Sign out before you activate another account."))
        return redirect("home")
    form = ActivationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            code = activation.check_code(**form.cleaned_data, address=address_of(request))
        except TooManyAttempts as wait:
            return _wait(request, form, wait)
        except PolicyDenied as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            request.session.cycle_key()
            request.session[VERIFIED_CODE] = code.pk
            request.session.pop(NOTICE_READ, None)
            return redirect("activate_notice")
    return page(
        request, "survey/access/activation/activate.html", {"form": form}, status=422 if form.errors else 200
    )


@public
@never_cache
def activate_notice(request: HttpRequest) -> HttpResponse:
    """The statutory notice, shown before any question."""
    code = _verified_code(request)
    if code is None:
        return _start_again(request)
    if request.method == "POST":
        request.session[NOTICE_READ] = True
        return redirect("activate_account")
    return page(request, "survey/access/activation/activate_notice.html", {"unit": code.unit})


@public
@never_cache
@sensitive_post_parameters()
def activate_account(request: HttpRequest) -> HttpResponse:
    """Account name, own name, password; then signed in."""
    code = _verified_code(request)
    if code is None:
        return _start_again(request)
    if not request.session.get(NOTICE_READ):
        return redirect("activate_notice")
    form = FirstAccountForm(code.unit.uscc, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        user = activation.activate_account(
            code=code,
            username=data["username"],
            name=data["name"],
            password=data["new_password"],
            email=data["email"],
        )
        request.session.flush()
        response: HttpResponse = perform_login(request, user)
        messages.success(request, _("Your account is ready."))
        return response
    context = {"form": form, "unit": code.unit}
    return page(
        request, "survey/access/activation/activate_account.html", context, status=422 if form.errors else 200
    )


def _verified_code(request: HttpRequest) -> ActivationCode | None:
    if request.user.is_authenticated:
        return None
    return activation.pending_code(request.session.get(VERIFIED_CODE))


def _start_again(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("Please begin with the credit code and the activation code."))
    return redirect("activate")


def _wait(request: HttpRequest, form: ActivationForm, wait: TooManyAttempts) -> HttpResponse:
    """The page with what was entered, and when the next attempt is possible."""
    sentence = ngettext(
        "Too many wrong codes came from your network. Please try again in %(seconds)d second.",
        "Too many wrong codes came from your network. Please try again in %(seconds)d seconds.",
        wait.seconds,
    )
    form.add_error(None, sentence % {"seconds": wait.seconds})
    response = page(request, "survey/access/activation/activate.html", {"form": form}, status=429)
    response.headers["Retry-After"] = str(wait.seconds)
    return response
