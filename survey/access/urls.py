"""Pages of sign-in, of the three administrators and of the user's own account."""

from django.urls import URLPattern, URLResolver, path

from survey.access import views
from survey.access.accounts import views as views_accounts
from survey.access.activation import views as views_activation
from survey.access.own_sessions import views as views_own_sessions
from survey.access.recovery import views as views_recovery
from survey.access.second_factor import views as views_second_factor
from survey.access.sign_in import views as views_sign_in
from survey.access.single_sign_on import views as views_single_sign_on

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("sign-in/", views_sign_in.SignInView.as_view(), name="sign_in"),
    # django-allauth knows some pages by names of its own.
    path("sign-in/", views_sign_in.SignInView.as_view(), name="account_login"),
    path("sign-in/with/<str:provider_id>/", views_single_sign_on.begin, name="openid_connect_login"),
    path(
        "sign-in/with/<str:provider_id>/callback/",
        views_single_sign_on.finish,
        name="openid_connect_callback",
    ),
    path("sign-out/", views_sign_in.sign_out, name="sign_out"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("sessions/", views_own_sessions.sessions, name="sessions"),
    path("session/extend/", views.session_extend, name="session_extend"),
    path("password/", views.password_change, name="password_change"),
    path("password/forgotten/", views_recovery.password_forgotten, name="password_forgotten"),
    path("password/renew/<str:uid>/<str:token>/", views_recovery.password_renew, name="password_renew"),
    path("notice/", views.notice, name="notice"),
    path("second-factor/", views_second_factor.ChallengeView.as_view(), name="second_factor"),
    path("second-factor/", views_second_factor.ChallengeView.as_view(), name="mfa_authenticate"),
    path("second-factor/passkeys/new/", views_second_factor.PasskeyAddView.as_view(), name="passkey_new"),
    path(
        "second-factor/passkeys/<int:pk>/remove/",
        views_second_factor.PasskeyRemoveView.as_view(),
        name="passkey_remove",
    ),
    path("session/confirm/", views_sign_in.ConfirmPasswordView.as_view(), name="account_reauthenticate"),
    path("sign-in/passkey/", views_second_factor.PasskeySignInView.as_view(), name="passkey_sign_in"),
    path("second-factor/setup/", views_second_factor.second_factor_setup, name="second_factor_setup"),
    path("activate/", views_activation.activate, name="activate"),
    path("activate/notice/", views_activation.activate_notice, name="activate_notice"),
    path("activate/account/", views_activation.activate_account, name="activate_account"),
    path("accounts/", views_accounts.accounts, name="accounts"),
    path("accounts/new/", views_accounts.account_new, name="account_new"),
    path("accounts/<int:pk>/", views_accounts.account, name="account"),
    path("accounts/<int:pk>/act/", views_accounts.account_act, name="account_act"),
    path("accounts/<int:pk>/roles/", views_accounts.roles_of, name="roles_of"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
