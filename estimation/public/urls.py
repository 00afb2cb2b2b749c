"""Pages of the public site, mounted at the root: ``/zh/2025/``, ``/en/2025/tables/T2/``."""

from django.urls import URLPattern, URLResolver, path, register_converter

from estimation.public import views
from estimation.public.addresses import EditionConverter, LanguageConverter

register_converter(LanguageConverter, "language")
register_converter(EditionConverter, "edition")

urlpatterns: list[URLPattern | URLResolver] = [
    path("<language:language>/", views.public_start, name="public_start"),
    path("<language:language>/archive/", views.public_archive, name="public_archive"),
    path("<language:language>/data/", views.public_data, name="public_data"),
    path("<language:language>/<edition:edition>/", views.public_figures, name="public_figures"),
    path("<language:language>/<edition:edition>/report/", views.public_report, name="public_report"),
    path(
        "<language:language>/<edition:edition>/figures/<slug:code>.svg",
        views.public_picture, name="public_picture",
    ),
    path("<language:language>/<edition:edition>/files/", views.public_files, name="public_files"),
    path("<language:language>/<edition:edition>/files/<path:name>", views.public_file, name="public_file"),
    path("<language:language>/<edition:edition>/tables/", views.public_tables, name="public_tables"),
    path(
        "<language:language>/<edition:edition>/tables/<str:code>.csv",
        views.public_table_csv, name="public_table_csv",
    ),
    path(
        "<language:language>/<edition:edition>/tables/<str:code>/", views.public_table, name="public_table"
    ),
    path("<language:language>/<edition:edition>/explore/", views.public_explore, name="public_explore"),
    path(
        "<language:language>/<edition:edition>/explore/crossed/", views.public_crossing,
        name="public_crossing",
    ),
    path(
        "<language:language>/<edition:edition>/tables/<str:code>.json",
        views.public_table_json, name="public_table_json",
    ),
    path(
        "<language:language>/<edition:edition>/explore/<slug:kind>/<slug:code>/",
        views.public_domain, name="public_domain",
    ),
    path("<language:language>/<edition:edition>/cells/<str:key>/", views.public_cell, name="public_cell"),
    path("<language:language>/<edition:edition>/method/", views.public_method, name="public_method"),
    path("<language:language>/<edition:edition>/quality/", views.public_quality, name="public_quality"),
]  # fmt: skip
