"""Accounts (system administrator) and roles (security administrator)."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from survey.access import selectors, services
from survey.access.decorators import requires
from survey.access.forms import AccountForm, GrantForm
from survey.access.models import Region, RoleAssignment, User
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission, Role
from survey.access.second_factor import services as second_factor
from survey.classification import entries
from survey.exceptions import PolicyDenied
from survey.request_values import row_key

PER_PAGE = 50


@requires(Permission.MANAGE_USERS, Permission.GRANT_ROLES)
@require_GET
def accounts(request: AuthenticatedRequest) -> HttpResponse:
    """List accounts, filtered by name, role, region and state."""
    filters = {key: request.GET.get(key, "").strip() for key in ("search", "role", "region", "state")}
    rows = selectors.accounts(**filters)
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "filters": filters,
        "roles": Role.choices,
        "regions": Region.objects.filter(level__lte=Region.Level.PROVINCE),
        "may_manage": _user(request).has(Permission.MANAGE_USERS),
    }
    return page(request, "survey/access/accounts/accounts.html", context, partial="rows")


@requires(Permission.MANAGE_USERS)
@never_cache
def account_new(request: AuthenticatedRequest) -> HttpResponse:
    """A new account; its one-time password is shown in the answer and never again."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user, password = services.create_account(**form.cleaned_data, by=_user(request))
        return _show_password(request, user, password)
    return page(
        request, "survey/access/accounts/account_new.html", {"form": form}, status=422 if form.errors else 200
    )


@requires(Permission.MANAGE_USERS, Permission.GRANT_ROLES)
@require_GET
def account(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """One account: its owner, its roles and the actions on it."""
    user = get_object_or_404(User, pk=pk)
    grants = RoleAssignment.objects.filter(user=user).select_related("region", "unit", "granted_by")
    context = {
        "account": user,
        "grants": grants.order_by("ended_at", "-granted_at"),
        "has_factor": second_factor.is_set_up(user),
        "may_manage": _user(request).has(Permission.MANAGE_USERS),
        "may_grant": _user(request).has(Permission.GRANT_ROLES),
        "oneself": user.pk == request.user.pk,
    }
    return page(request, "survey/access/accounts/account.html", context)


@requires(Permission.MANAGE_USERS)
@require_POST
@never_cache
def account_act(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Close, reopen, or give a new one-time password."""
    user = get_object_or_404(User, pk=pk)
    action = request.POST.get("action")
    if action == "close":
        services.close_account(user=user, by=_user(request))
        messages.success(request, _("The account has been closed; its sessions have ended."))
        return redirect("account", pk=pk)
    if action == "reopen":
        return _show_password(request, user, services.reopen_account(user=user, by=_user(request)))
    if action == "reset_password":
        return _show_password(request, user, services.reset_password(user=user, by=_user(request)))
    raise Http404


@requires(Permission.GRANT_ROLES)
def roles_of(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Grant and end the roles of one account; reset its second factor; lift its lock; end its sessions."""
    user = get_object_or_404(User, pk=pk)
    form = GrantForm(_categories(), request.POST if request.POST.get("action") == "grant" else None)
    if request.method == "POST":
        try:
            sentence = _act_on_roles(request, user, form)
        except PolicyDenied as refusal:
            sentence = ""
            if form.is_bound:
                form.add_error(None, str(refusal.sentence))
            else:
                messages.error(request, str(refusal.sentence))
        if sentence:
            messages.success(request, sentence)
        if not form.is_bound or sentence:
            return redirect("roles_of", pk=pk)
    grants = user.assignments.filter(ended_at=None).select_related("region", "unit")
    context = {
        "account": user,
        "grants": grants,
        "form": form,
        "has_factor": second_factor.is_set_up(user),
        "oneself": user.pk == request.user.pk,
    }
    return page(request, "survey/access/accounts/roles.html", context, status=422 if form.errors else 200)


def _act_on_roles(request: AuthenticatedRequest, user: User, form: GrantForm) -> str:
    """Carry out the posted action. Returns the success message, or an empty string for an invalid form."""
    by = _user(request)

    def revoke() -> str:
        grant = get_object_or_404(RoleAssignment, pk=row_key(request.POST.get("grant")), user=user)
        services.revoke_role(grant=grant, by=by)
        return _("The role has been ended.")

    def grant() -> str:
        if not form.is_valid():
            return ""
        services.grant_role(user=user, **form.cleaned_data, by=by)
        return _("The role has been granted.")

    def reset() -> str:
        services.reset_second_factor(user=user, by=by)
        return _("The second factor has been reset; a new one is set up at the next sign-in.")

    def unlock() -> str:
        services.unlock(user=user, by=by)
        return _("The lock has been lifted.")

    def end_sessions() -> str:
        ended = services.end_sessions(user=user, by=by)
        sentence = ngettext("%(count)d session has been ended.", "%(count)d sessions have been ended.", ended)
        return sentence % {"count": ended}

    actions: dict[str, Callable[[], str]] = {
        "grant": grant,
        "revoke": revoke,
        "reset_second_factor": reset,
        "unlock": unlock,
        "end_sessions": end_sessions,
    }
    act = actions.get(request.POST.get("action", ""))
    if act is None:
        raise Http404
    return act()


def _categories() -> list[tuple[str, str]]:
    return [(entry.code, entry.label(get_language() or "")) for entry in entries("categories")]


def _show_password(request: AuthenticatedRequest, user: User, password: str) -> HttpResponse:
    return page(
        request, "survey/access/accounts/one_time_password.html", {"account": user, "password": password}
    )


def _user(request: AuthenticatedRequest) -> Any:
    return request.user
