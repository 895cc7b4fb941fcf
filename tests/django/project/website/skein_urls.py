from django.urls import include, path

from website.urls import urlpatterns as stock

urlpatterns = [path("", include("skein_django.urls")), *stock]
