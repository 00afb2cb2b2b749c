"""Words that make a password of this system easy to guess: those of the survey, and the names of office and site. Pure."""

import re

from django.conf import settings

SURVEY = (
    "survey",
    "census",
    "national",
    "data",
    "resource",
    "statistics",
    "stats",
    "bureau",
    "ndrs",
    "guojia",
    "shuju",
    "ziyuan",
    "diaocha",
    "tongji",
    "tongjiju",
    "shujuju",
    "国家",
    "数据",
    "资源",
    "调查",
    "统计",
)


def words() -> list[str]:
    """The list, with the words of the settings that name the authority and the site."""
    names = [settings.SURVEY_AUTHORITY, settings.SURVEY_AUTHORITY_EN, settings.SITE_ADDRESS]
    parts = re.findall(r"\w{3,}", " ".join([*names, *settings.ALLOWED_HOSTS]).replace("_", " ").lower())
    return list(dict.fromkeys([*SURVEY, *parts]))
