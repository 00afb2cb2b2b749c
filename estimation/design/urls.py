"""Pages of the sample design."""

from django.urls import URLPattern, URLResolver, path

from estimation.design import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("designs/", views.designs, name="designs"),
    path("designs/new/", views.design_new, name="design_new"),
    path("designs/<int:pk>/", views.design_detail, name="design_detail"),
    path("designs/<int:pk>/allocation/", views.design_allocation, name="design_allocation"),
    path("designs/<int:pk>/strata/", views.design_strata, name="design_strata"),
    path("designs/<int:pk>/draw/", views.design_draw, name="design_draw"),
    path("designs/<int:pk>/redraw/", views.design_redraw, name="design_redraw"),
    path("designs/<int:pk>/approve/", views.design_approve, name="design_approve"),
    path("designs/<int:pk>/withdraw/", views.design_withdraw, name="design_withdraw"),
    path("designs/<int:pk>/hand-over/", views.design_hand_over, name="design_hand_over"),
    path("designs/<int:pk>/progress/", views.design_progress, name="design_progress"),
    path("designs/<int:pk>/sample.<slug:form>", views.design_sample, name="design_sample"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
