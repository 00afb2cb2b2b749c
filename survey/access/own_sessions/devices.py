"""Browser and system of a user agent, in words. Pure."""

from django.utils.translation import gettext as _
from ua_parser import parse_os, parse_user_agent


def name_of(user_agent: str) -> str:
    """ "Edge 126 on Windows". The system is named without its version: browsers no longer tell the true one."""
    browser, system = parse_user_agent(user_agent), parse_os(user_agent)
    if browser is None:
        return _("Unknown browser")
    name = " ".join(filter(None, (browser.family, browser.major)))
    if system is None:
        return name
    return _("%(browser)s on %(system)s") % {"browser": name, "system": system.family}
