"""``path("", include("skein_django.urls"))``"""

from django.urls import path

from skein_django import views

urlpatterns = [
    path("health/", views.health),
    path("health/live/", views.live),
    path("health/ready/", views.ready),
    path("health/primary/", views.primary),
]
